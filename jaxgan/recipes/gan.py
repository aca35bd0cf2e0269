"""The original GAN: two fully connected networks play the min-max game (Goodfellow et al. 2014).

Generative Adversarial Networks, arXiv:1406.2661. The discriminator ascends, and the generator descends,

    V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))]                                   (equation 1)

or the generator ascends E_z[log D(G(z))] instead, which has the same fixed point and stronger gradients early on
(section 3): `--loss minimax` and the default. Options of the toolbox play another game, or keep this one stable.
"""

from dataclasses import dataclass

from flax import linen as nn

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System, dtype_of
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator
from jaxgan.recipes.common import toolbox
from jaxgan.recipes.common.wiring import latent_game, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(toolbox.ToolboxConfig):
    """The course's networks: G 100-256-512-784, D 784-512-256-1."""

    steps: int = 20_000
    g_widths: tuple[int, ...] = (256, 512)
    """Units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """Units of the discriminator's hidden layers."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`."""
    toolbox.check(config)
    dtype = dtype_of(config.precision)
    G = MLPGenerator(spec["image"].fixed, config.g_widths, dtype=dtype)
    D = MLPDiscriminator(config.d_widths, dtype=dtype)
    return between(config, spec, G, D, axis_name)


def between(
    config: toolbox.ToolboxConfig, spec: Spec, G: nn.Module, D: nn.Module, axis_name: str | None = None
) -> System:
    """Equation 1, or the game and the stabilisers that `config` has in its place, between any two networks.

    Args:
        config: checked options (`toolbox.check`).
        spec: the fields of the data.
        G: latent vectors to images.
        D: images to logits.
        axis_name: as for `make_train_step`.
    """
    wires = wire(config, spec, G, D, packing=config.packing, critics=config.critics)
    loss = toolbox.loss(config, axis_name)  # D: -log D(x) - log(1 - D(G(z))), G: -log D(G(z))
    penalty = toolbox.penalty(config, axis_name)
    d_loss, g_loss, lazy = toolbox.losses(config, wires.judge, loss, penalty, axis_name)
    rounds = toolbox.rounds(config, wires.play, d_loss, g_loss, lazy)
    return latent_game(config, wires, rounds, axis_name, **toolbox.training(config))
