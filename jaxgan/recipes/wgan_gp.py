"""WGAN-GP: the slope of WGAN's critic is held at one by a penalty, not by clipping (Gulrajani et al. 2017).

Improved Training of Wasserstein GANs, arXiv:1704.00028, equation 3 and algorithm 1:

    D minimises E[f(G(z))] - E[f(x)] + lambda E[(|grad f(x')| - 1)^2],  G minimises -E[f(G(z))]

with x' at random between a real image and a fake. The networks are DCGAN's, the critic's without batch normalisation.
"""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Array, Float, Key

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import Duel, System
from jaxgan.losses import adversarial
from jaxgan.losses.penalties import Critic, gradient_penalty
from jaxgan.recipes.common.base import Decay, LatentConfig, Momentum, adams, check
from jaxgan.recipes.common.dcgan import DCGANOptions, pair
from jaxgan.recipes.common.doubts import warn_of_batch_statistics
from jaxgan.recipes.common.objectives import objectives
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(DCGANOptions, LatentConfig):
    """Settings of the paper's algorithm 1, with networks sized for small images on two cores."""

    steps: int = 2_000
    g_learning_rate: float = 1e-4
    """Adam's rate for the generator."""
    d_learning_rate: float = 1e-4
    """Adam's rate for the critic."""
    beta1: Momentum = 0.0
    """Adam's decay of the first moment, for both players."""
    beta2: Decay = 0.9
    """Adam's decay of the second moment, for both players."""
    penalty_weight: float = 10.0
    """Weight of the gradient penalty, the paper's lambda."""
    sides: Literal["two", "one"] = "two"
    """Penalise slopes on both sides of 1, or those above 1 only."""
    n_critic: int = 5
    """Moves of the critic for each move of the generator, each on other images and noise."""
    d_norm: Literal["batch", "layer", "none"] = "none"
    """Normalisation in the critic; the penalty forbids the batch's."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    if config.d_norm == "batch":
        warn_of_batch_statistics("the gradient penalty")
    G, D = pair(config, spec, axis_name)
    wires = wire(config, spec, G, D)

    def penalty(critic: Critic, x_real: Array, x_fake: Array, rng: Key[Array, " b"], step: Array) -> Float[Array, " b"]:
        return config.penalty_weight * gradient_penalty(critic, x_real, x_fake, rng, one_sided=config.sides == "one")

    d_loss, g_loss = objectives(wires.judge, adversarial.wasserstein, penalty)
    rounds = take_turns(wires.play, d_loss, g_loss, config.n_critic)
    optimizers = adams(config, config.beta2)
    duels = (Duel(critic="distance"),)
    return latent_game(config, wires, rounds, axis_name, optimizers=optimizers, duels=duels)
