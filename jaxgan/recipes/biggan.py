"""BigGAN: large class-conditional GANs, here small enough for two cores: a shared embedding, split latents, attention.

Brock, Donahue and Simonyan 2019, Large Scale GAN Training for High Fidelity Natural Image Synthesis, arXiv:1809.11096.
The hinge game of spectrally normalised residual networks,

    D minimises E[max(0, 1 - D(x, y))] + E[max(0, 1 + D(G(z, y), y))]
    G minimises -E[D(G(z, y), y)] + beta sum |W^T W o (1 - I)|^2                                (equation 3)

The latent vector is cut into parts, one for the first layer and one for each block, where it is joined to an embedding
of the class and gives batch normalisations their gains and biases; D's logit has an inner product with a vector of the
class. Samples may be drawn from a truncated normal distribution (`--truncation`), and are made with batch statistics of
the averaged generator itself (`--standing`). Without classes the parts of the latent vector do it alone.
"""

from dataclasses import dataclass
from typing import Any

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System, dtype_of
from jaxgan.nets.biggan import BigGANDiscriminator, BigGANGenerator
from jaxgan.recipes.common.base import AtLeastZero
from jaxgan.recipes.common.big import SCRIPT, BigConfig, as_sampled, attended, conditional, hinge_game, shared
from jaxgan.recipes.common.big_imports import published
from jaxgan.recipes.common.wiring import wire
from jaxgan.weights.layouts.biggan import BIGGAN, BIGGAN_D

NEEDS = IMAGES
IMPORTS = published(BIGGAN, BIGGAN_D)


@dataclass(frozen=True, kw_only=True)
class Config(BigConfig):
    """The paper's game, with networks and rates sized for small images on two cores."""

    steps: int = 2_000
    batch_size: int = 64
    """Images per step, over all devices; 2048 in the paper."""
    g_learning_rate: float = 5e-4
    """Adam's rate for the generator; the public code's is 1e-4."""
    d_learning_rate: float = 1e-3
    """Adam's rate for the discriminator; the public code's is 4e-4."""
    orthogonal: AtLeastZero = 1e-4
    """Weight of the term that holds the generator's filters at right angles; 0: none."""
    embedding: int = 128
    """Length of the vector of a class, which all normalisations of the generator share."""
    g_width: int = 16
    """Channels of which the generator's layers have multiples; the paper's networks have 96."""
    d_width: int = 16
    """Channels of which the discriminator's blocks have multiples; the paper's networks have 96."""


PRESETS: dict[str, Config] = {
    "paper": Config(**SCRIPT, g_width=96, d_width=96),
    "paper256": Config(**SCRIPT, g_width=96, d_width=96, z_dim=140),
    "paper64ch": Config(**SCRIPT, g_width=64, d_width=64),
}
"""`--preset paper --image-size 128`, `paper256` with 256: settings of the public code for ImageNet; not trained here.

Its average keeps 0.9999 a step, a half-life of 14 million images; `--g-learning-rate 5e-5 --d-learning-rate 2e-4
--n-critic 2` are the paper's.
"""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    told, (up, down) = shared(config, spec), attended(config, spec)
    told |= {"dtype": dtype_of(config.precision)}
    more: dict[str, Any] = {"embedding": config.embedding, "attention": up, "axis_name": axis_name}
    G = BigGANGenerator(spec["image"].fixed, config.g_width, **more, **told)
    D = BigGANDiscriminator(config.d_width, attention=down, **told)
    wires = wire(config, spec, G, D, conditional(config, spec), **as_sampled(config, spec, G))
    return hinge_game(config, wires, axis_name)
