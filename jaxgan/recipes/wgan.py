"""WGAN: a critic with clipped weights measures how far the fakes are from the data (Arjovsky et al. 2017).

Wasserstein GAN, arXiv:1701.07875, algorithm 1. The critic f maximises E[f(x)] - E[f(G(z))] over functions of bounded
slope, whose supremum is the Wasserstein-1 distance times the bound (equation 2), and the generator minimises it. The
critic moves `n_critic` times for each move of the generator, and clipping its weights bounds its slope. The networks
are DCGAN's, as in the paper's section 4.
"""

from dataclasses import dataclass

import optax

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import Duel, System, clipped
from jaxgan.losses import adversarial
from jaxgan.recipes.common.base import LatentConfig, Momentum, check
from jaxgan.recipes.common.dcgan import DCGANOptions, pair
from jaxgan.recipes.common.objectives import objectives
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(DCGANOptions, LatentConfig):
    """Settings of the paper's algorithm 1, with networks sized for small images on two cores."""

    steps: int = 4_000
    g_learning_rate: float = 5e-5
    """RMSprop's rate for the generator."""
    d_learning_rate: float = 5e-5
    """RMSprop's rate for the critic."""
    beta1: Momentum = 0.0
    """Momentum of RMSprop for both players; the paper warns of any."""
    clip: float = 0.01
    """The critic's parameters stay in [-clip, clip]."""
    n_critic: int = 5
    """Moves of the critic for each move of the generator, each on other images and noise."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    G, D = pair(config, spec, axis_name)
    wires = wire(config, spec, G, D)
    d_loss, g_loss = objectives(wires.judge, adversarial.wasserstein)
    rounds = take_turns(wires.play, d_loss, g_loss, config.n_critic)
    optimizers = {
        "g": _rmsprop(config.g_learning_rate, config.beta1),
        "d": clipped(_rmsprop(config.d_learning_rate, config.beta1), config.clip),
    }
    duels = (Duel(critic="distance"),)
    return latent_game(config, wires, rounds, axis_name, optimizers=optimizers, duels=duels)


def _rmsprop(rate: float, momentum: float) -> optax.GradientTransformation:
    # Clipped weights make small gradients: an epsilon under the root, Optax's default, would outweigh them.
    return optax.rmsprop(rate, decay=0.99, eps=1e-8, eps_in_sqrt=False, momentum=momentum or None)
