"""ESRGAN: dense residual blocks without normalisation, and a discriminator of pairs (Wang et al. 2018).

ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks, arXiv:1809.00219. With a picture y, the small one x,
features phi of a fixed network before activation, and D the relativistic average discriminator

    stage 1: G minimises E|y - G(x)|_1
    stage 2: G minimises a E|phi(y) - phi(G(x))|_1 + b L_Ra(G) + c E|y - G(x)|_1     (equations 1 to 3)
             D minimises L_Ra(D)

The paper's phi is the last layer of VGG19, a is 1, b 0.005 and c 0.01. Here phi is a small network of fixed random
weights unless a file of VGG19 is given, b is 0.001 and c 1, and features are compared by their directions
(`perceptual.turned`) unless --feature-distance is maps.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax.numpy as jnp
import optax
from annotated_types import Ge
from jaxtyping import Array

from jaxgan.fields import Spec, planes
from jaxgan.game import Stage, System, dtype_of
from jaxgan.losses import adversarial
from jaxgan.nets.superres import RRDBNet
from jaxgan.nets.superres_critics import UNetDiscriminator, VGGDiscriminator
from jaxgan.recipes.common import superres
from jaxgan.recipes.common.base import AtLeastZero, Decay
from jaxgan.recipes.common.superres import Content, Networks, Parts
from jaxgan.recipes.common.superres_imports import PUBLISHED
from jaxgan.recipes.common.wiring import critic, trained

NEEDS = superres.NEEDS
DATA = superres.DATA
IMPORTS = PUBLISHED


@dataclass(frozen=True, kw_only=True)
class Config(superres.SuperConfig):
    """Settings of the paper, with networks, a batch and steps for small pictures on two cores."""

    steps: int = 1_200
    pixel_steps: int = 800
    """Steps of the first stage, of --steps in all; 0 for none. The authors' code: 1,000,000 of 1,400,000."""
    batch_size: int = 8
    """Pictures per step, over all devices."""
    ema_halflife_kimg: AtLeastZero = 0.5
    """Half-life of the averaged generator, in thousands of pictures; 0 for no average."""
    beta2: Decay = 0.99
    """Adam's decay of the second moment, for both players."""
    g_width: int = 32
    """Channels of the generator; the paper's has 64."""
    blocks: Annotated[int, Ge(0)] = 2
    """Residual-in-residual dense blocks; the paper's generator has 23."""
    growth: int = 16
    """Channels that each convolution of a dense block adds; the paper's adds 32."""
    discriminator: Literal["vgg", "unet"] = "vgg"
    """One logit a picture; or one a pixel, of Real-ESRGAN's U-Net."""
    d_width: int = 16
    """Channels of the discriminator's first level; the paper's has 64."""
    halvings: int = 4
    """How often the discriminator of pictures halves them; 5 for 128 pixels."""
    relativistic: bool = True
    """Play the relativistic average game; Real-ESRGAN plays the usual one."""


def stages(config: Config) -> tuple[Stage, ...]:
    """Pixels, then the game."""
    return superres.stages_of(config, build_pixels, build)


def build_pixels(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The first stage; arguments as for `build`."""
    return superres.build_pixels(_parts(config, spec, axis_name))


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for means over the batch on all devices."""
    steps = config.steps - config.pixel_steps
    # Half the rate after 50, 100, 200 and 300 of 400 thousand steps (section 4.1).
    rate = optax.piecewise_constant_schedule(config.learning_rate, {steps * i // 8: 0.5 for i in (1, 2, 4, 6)})
    usual = adversarial.non_saturating_gan
    game = adversarial.relativistic_average(usual, axis_name) if config.relativistic else usual
    return superres.build_game(_parts(config, spec, axis_name), game, rate)


def _parts(config: Config, spec: Spec, axis_name: str | None) -> Parts:
    target, dtype = spec["target"], dtype_of(config.precision)
    G = RRDBNet(config.scale, config.g_width, config.blocks, config.growth, planes(target), dtype)
    own: dict[str, Any] = {"dtype": dtype, "axis_name": axis_name}
    D = (
        UNetDiscriminator(config.d_width, dtype)
        if config.discriminator == "unet"
        else VGGDiscriminator(config.d_width, config.halvings, "esrgan", **own)
    )
    networks = Networks(G, trained(G, config.remat), D, critic(D, config))
    return Parts(config, spec, axis_name, networks, Content(_apart, _apart, superres.bicubic(target, config.scale)))


def _apart(made: Array, truth: Array) -> Array:
    return jnp.abs(made - truth).mean()
