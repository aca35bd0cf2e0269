"""BigGAN-deep: BigGAN of bottleneck blocks, deeper and with fewer parameters.

Brock, Donahue and Simonyan 2019, Large Scale GAN Training for High Fidelity Natural Image Synthesis, arXiv:1809.11096,
appendix B. The game is BigGAN's (recipe `biggan`). The generator is told the whole latent vector, joined to
an embedding of the class, in its first layer and in every normalisation. Blocks have four convolutions, two of them 1x1
to and from a quarter of the channels, and there are two blocks for each size; shortcuts drop or join channels.
"""

from dataclasses import dataclass
from typing import Any

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System, dtype_of
from jaxgan.nets.biggan_deep import DeepDiscriminator, DeepGenerator
from jaxgan.recipes.common.base import AtLeastZero
from jaxgan.recipes.common.big import SCRIPT, BigConfig, as_sampled, attended, conditional, hinge_game, shared
from jaxgan.recipes.common.big_imports import published
from jaxgan.recipes.common.wiring import wire
from jaxgan.weights.layouts.biggan import DEEP, DEEP_D

NEEDS = IMAGES
IMPORTS = published(DEEP, DEEP_D)


@dataclass(frozen=True, kw_only=True)
class Config(BigConfig):
    """The paper's game, with networks and rates sized for small images on two cores."""

    steps: int = 2_000
    batch_size: int = 64
    """Images per step, over all devices; 2048 in the paper."""
    z_dim: int = 128
    """Size of the latent vector."""
    g_learning_rate: float = 5e-4
    """Adam's rate for the generator; the public code's is 1e-4."""
    d_learning_rate: float = 1e-3
    """Adam's rate for the discriminator; the public code's is 4e-4."""
    orthogonal: AtLeastZero = 1e-4
    """Weight of the term that holds the generator's filters at right angles; 0: none."""
    embedding: int = 128
    """Length of the vector of a class, which all normalisations of the generator share."""
    depth: int = 2
    """Blocks of each size."""
    g_width: int = 32
    """Channels of which the generator's layers have multiples; the paper's networks have 128."""
    d_width: int = 32
    """Channels of which the discriminator's blocks have multiples; the paper's networks have 128."""


PRESETS: dict[str, Config] = {"paper": Config(**SCRIPT, g_width=128, d_width=128)}
"""`--preset paper --image-size 128` (or 256): settings of the public code for ImageNet; not trained here."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    told, (up, down) = shared(config, spec), attended(config, spec)
    told |= {"dtype": dtype_of(config.precision), "depth": config.depth}
    more: dict[str, Any] = {"embedding": config.embedding, "attention": up, "axis_name": axis_name}
    G = DeepGenerator(spec["image"].fixed, config.g_width, **more, **told)
    D = DeepDiscriminator(config.d_width, attention=down, **told)
    wires = wire(config, spec, G, D, conditional(config, spec), **as_sampled(config, spec, G))
    return hinge_game(config, wires, axis_name)
