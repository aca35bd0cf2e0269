"""The original GAN: two fully connected networks play the min-max game (Goodfellow et al. 2014).

Generative Adversarial Networks, arXiv:1406.2661. The discriminator ascends, and the generator descends,

    V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))]                                   (equation 1)

or the generator ascends E_z[log D(G(z))] instead, which has the same fixed point and stronger gradients early on
(section 3): `--loss minimax` and the default.
"""

from dataclasses import dataclass

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System, dtype_of
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator
from jaxgan.recipes.common.toolbox import ToolboxConfig, check_toolbox, stabilised

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(ToolboxConfig):
    """The course's networks: G 100-256-512-784, D 784-512-256-1."""

    steps: int = 20_000
    g_widths: tuple[int, ...] = (256, 512)
    """Units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """Units of the discriminator's hidden layers."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`."""
    check_toolbox(config)
    dtype = dtype_of(config.precision)
    G = MLPGenerator(spec["image"].fixed, config.g_widths, dtype=dtype)
    D = MLPDiscriminator(config.d_widths, dtype=dtype)
    return stabilised(config, spec, G, D, axis_name)
