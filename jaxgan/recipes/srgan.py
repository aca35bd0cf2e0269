"""SRGAN: small pictures are made larger, first by their pixels and then against a discriminator (Ledig et al. 2017).

Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, arXiv:1609.04802. With a picture
y, the bicubic small one x, and features phi of a fixed network after activation

    stage 1: G minimises E|y - G(x)|^2                                                     (equation 4)
    stage 2: G minimises a E|phi(y) - phi(G(x))|^2 + b E[-log D(G(x))] + c E|y - G(x)|^2    (equations 3, 5, 6)
             D minimises E[-log D(y)] + E[-log(1 - D(G(x)))]

The first is the mean of all answers, and blurs; the second picks one that looks real. The paper's phi are layers of
VGG19, a is 0.006, b 0.001 and c 0. Here phi is a small network of fixed random weights unless a file of VGG19 is given,
a and c are 1, and features are compared by their directions (`perceptual.turned`) unless --feature-distance is maps.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import optax
from annotated_types import Ge
from jaxtyping import Array

from jaxgan.fields import Spec, planes
from jaxgan.game import Stage, System, dtype_of
from jaxgan.losses import adversarial
from jaxgan.nets.superres import Base, SRResNet
from jaxgan.nets.superres_critics import VGGDiscriminator
from jaxgan.recipes.common import superres
from jaxgan.recipes.common.base import AtLeastZero
from jaxgan.recipes.common.superres import Content, Networks, Parts
from jaxgan.recipes.common.wiring import critic, trained

NEEDS = superres.NEEDS
DATA = superres.DATA


@dataclass(frozen=True, kw_only=True)
class Config(superres.SuperConfig):
    """Settings of the paper, with networks, a batch and steps for small pictures on two cores."""

    steps: int = 1_200
    pixel_steps: int = 1_000
    """Steps of the first stage, of --steps in all; 0 for none. The paper: 1,000,000 of 1,200,000."""
    batch_size: int = 8
    """Pictures per step, over all devices."""
    ema_halflife_kimg: AtLeastZero = 0.5
    """Half-life of the averaged generator, in thousands of pictures; 0 for no average, as in the paper."""
    g_width: int = 32
    """Channels of the generator; the paper's has 64."""
    blocks: Annotated[int, Ge(0)] = 4
    """Residual blocks of the generator; the paper's has 16."""
    norm: Literal["batch", "none"] = "none"
    """Normalisation in the generator; the paper's is batch."""
    base: Base = "bilinear"
    """What the generator's output is added to: the bilinearly enlarged picture, or none, as in the paper."""
    d_width: int = 16
    """Channels of the discriminator's first level; the paper's has 64."""
    d_units: int = 128
    """Units of the discriminator's dense layer; the paper's has 1024."""
    halvings: int = 4
    """How often the discriminator halves a picture."""


def stages(config: Config) -> tuple[Stage, ...]:
    """Pixels, then the game."""
    return superres.stages_of(config, build_pixels, build)


def build_pixels(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The first stage; arguments as for `build`."""
    return superres.build_pixels(_parts(config, spec, axis_name))


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    # A tenth of the rate over the second half (section 3.2).
    half = (config.steps - config.pixel_steps) // 2
    rate = optax.piecewise_constant_schedule(config.learning_rate, {half: 0.1})
    return superres.build_game(_parts(config, spec, axis_name), adversarial.non_saturating_gan, rate)


def _parts(config: Config, spec: Spec, axis_name: str | None) -> Parts:
    target = spec["target"]
    shared: dict[str, Any] = {"dtype": dtype_of(config.precision), "axis_name": axis_name}
    own: dict[str, Any] = {"norm": config.norm, "base": config.base, "out_channels": planes(target)}
    G = SRResNet(config.scale, config.g_width, config.blocks, **own, **shared)
    D = VGGDiscriminator(config.d_width, config.halvings, "srgan", config.d_units, **shared)
    networks = Networks(G, trained(G, config.remat), D, critic(D, config))
    content = Content(_squared, _squared_active, superres.bicubic(target, config.scale))
    return Parts(config, spec, axis_name, networks, content)


def _squared(made: Array, truth: Array) -> Array:
    return jnp.square(made - truth).mean()


def _squared_active(made: Array, truth: Array) -> Array:
    return _squared(jax.nn.relu(made), jax.nn.relu(truth))
