"""SAGAN: self-attention in both players, spectral normalisation in both, two rates.

Zhang, Goodfellow, Metaxas and Odena 2019, Self-Attention Generative Adversarial Networks, arXiv:1805.08318. The hinge
game of residual networks in which each place of one layer's features also sees all others, added with a gain that
begins at 0 (equations 1 to 3):

    D minimises E[max(0, 1 - D(x, y))] + E[max(0, 1 + D(G(z), y))],  G minimises -E[D(G(z), y)]

Classes enter G by a gain and a bias for each in its batch normalisations, D by an inner product with the features. D
learns four times as fast as G, which stands in for several moves of D (section 4.2).
"""

from dataclasses import dataclass

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System, dtype_of
from jaxgan.nets.big_layers import Init
from jaxgan.nets.biggan import BigGANDiscriminator, BigGANGenerator
from jaxgan.recipes.common.big import BigConfig, as_sampled, attended, conditional, hinge_game, shared
from jaxgan.recipes.common.big_imports import published
from jaxgan.recipes.common.wiring import wire
from jaxgan.weights.layouts.biggan import BIGGAN, BIGGAN_D

NEEDS = IMAGES
IMPORTS = published(BIGGAN, BIGGAN_D, embedding=0)


@dataclass(frozen=True, kw_only=True)
class Config(BigConfig):
    """The paper's game, with networks and rates sized for small images on two cores."""

    steps: int = 2_000
    batch_size: int = 64
    """Images per step, over all devices; 256 in the paper."""
    z_dim: int = 128
    """Size of the latent vector."""
    g_learning_rate: float = 5e-4
    """Adam's rate for the generator; the paper's is 1e-4."""
    d_learning_rate: float = 2e-3
    """Adam's rate for the discriminator; the paper's is 4e-4."""
    adam_epsilon: float = 1e-8
    """Added to the root of Adam's second moment."""
    spectral_epsilon: float = 1e-8
    """Singular values by which kernels are divided are at least this."""
    begin: Init = "glorot"
    """How kernels begin."""
    g_width: int = 16
    """Channels of the generator's last block; the paper's networks have 64."""
    d_width: int = 16
    """Channels of the discriminator's first block; the paper's networks have 64."""


PRESETS: dict[str, Config] = {
    "paper": Config(
        steps=1_000_000,
        batch_size=256,
        g_learning_rate=1e-4,
        d_learning_rate=4e-4,
        layout="published",
        attention=(32,),
        g_width=64,
        d_width=64,
    )
}
"""`--preset paper --image-size 128`: the paper's networks and rates for ImageNet; not trained here."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    told, (up, down) = shared(config, spec), attended(config, spec)
    told |= {"dtype": dtype_of(config.precision)}
    G = BigGANGenerator(spec["image"].fixed, config.g_width, embedding=0, attention=up, axis_name=axis_name, **told)
    D = BigGANDiscriminator(config.d_width, attention=down, **told)
    wires = wire(config, spec, G, D, conditional(config, spec), **as_sampled(config, spec, G))
    return hinge_game(config, wires, axis_name)
