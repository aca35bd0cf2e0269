"""DCGAN: convolutional networks with batch normalisation (Radford et al. 2015).

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks, arXiv:1511.06434.
The game is that of Goodfellow et al. (2014) in its non-saturating form,

    D minimises E_x[-log D(x)] + E_z[-log(1 - D(G(z)))],  G minimises E_z[-log D(G(z))]

and the paper's contribution is networks and settings with which it trains: strided convolutions, batch normalisation in
both networks, Adam with rate 0.0002 and beta1 0.5 (sections 3 and 4). `--preset paper` has those settings.

The defaults are for a first run of two minutes on two cores, chosen by measuring (BUILD_NOTES.md): higher rates,
biases at D's two ends, and a small dense layer in both networks, as in InfoGAN, which is a DCGAN otherwise (Chen et al.
2016, arXiv:1606.03657, appendix C.1). The biases matter most: without one D's first layer, a LeakyReLU and a batch
normalisation make the same of a batch and of its half, so that D is blind to the contrast of what G makes.
"""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System
from jaxgan.recipes.common import toolbox
from jaxgan.recipes.common.dcgan import DCGANOptions, pair
from jaxgan.recipes.common.doubts import warn_of_batch_statistics
from jaxgan.recipes.common.wiring import latent_game, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(DCGANOptions, toolbox.ToolboxConfig):
    """The paper's game, with networks and rates for small images on two cores."""

    steps: int = 2_500
    g_learning_rate: float = 1e-3
    """Adam's rate for the generator."""
    d_learning_rate: float = 4e-4
    """Adam's rate for the discriminator."""
    g_units: Annotated[int, Ge(0)] = 128
    """Units of a dense layer in front of the generator's convolutions; 0: none."""
    d_units: Annotated[int, Ge(0)] = 128
    """Units of a dense layer behind the discriminator's convolutions; 0: none."""
    d_biases: bool = True
    """Biases in the discriminator's first and last layer, which are not normalised."""


_PAPER = Config(
    steps=10_000,
    batch_size=128,
    g_width=128,
    d_width=128,
    g_learning_rate=2e-4,
    d_learning_rate=2e-4,
    g_units=0,
    d_units=0,
    d_biases=False,
    ema_halflife_kimg=0.0,
)
PRESETS: dict[str, Config] = {"paper": _PAPER}
"""Settings of the paper for images of 64 x 64 pixels (`--preset NAME`); `steps` are as many as are chosen.

Kernels have 4 x 4 weights, which strides of 2 divide, where the paper's figure 1 has 5 x 5; latents are normal.
"""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    toolbox.check(config)
    if config.penalty != "none" and config.d_norm == "batch":
        warn_of_batch_statistics(f"--penalty {config.penalty}")
    G, D = pair(config, spec, axis_name)
    wires = wire(config, spec, G, D, packing=config.packing, critics=config.critics)
    loss = toolbox.loss(config, axis_name)  # of logits: -log D(x) - log(1 - D(G(z))) and -log D(G(z))
    penalty = toolbox.penalty(config, axis_name)
    d_loss, g_loss, lazy = toolbox.losses(config, wires.judge, loss, penalty, axis_name)
    rounds = toolbox.rounds(config, wires.play, d_loss, g_loss, lazy)
    return latent_game(config, wires, rounds, axis_name, **toolbox.training(config))
