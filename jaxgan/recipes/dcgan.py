"""DCGAN: convolutional networks with batch normalisation (Radford et al. 2015).

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks, arXiv:1511.06434.
The game is that of Goodfellow et al. (2014) in its non-saturating form; the paper's contribution is networks and
settings with which it trains: strided convolutions, batch normalisation in both networks, Adam with rate 0.0002 and
beta1 0.5 (sections 3 and 4).
"""

from dataclasses import dataclass
from typing import Literal

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System, dtype_of
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgan.recipes.common.doubts import warn_of_batch_statistics
from jaxgan.recipes.common.toolbox import ToolboxConfig, check_toolbox, stabilised

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(ToolboxConfig):
    """Settings of the paper, with networks sized for small images on two cores."""

    steps: int = 4_000
    g_width: int = 32
    """Channels of the generator's last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """Channels of the discriminator's first layer; each later one has twice as many."""
    d_norm: Literal["batch", "layer", "none"] = "batch"
    """Normalisation in the discriminator; a penalty on its slope suits the batch's ill."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check_toolbox(config)
    if config.penalty != "none" and config.d_norm == "batch":
        warn_of_batch_statistics(f"--penalty {config.penalty}")
    dtype = dtype_of(config.precision)
    G = DCGANGenerator(spec["image"].fixed, config.g_width, dtype=dtype, axis_name=axis_name)
    D = DCGANDiscriminator(config.d_width, norm=config.d_norm, dtype=dtype, axis_name=axis_name)
    return stabilised(config, spec, G, D, axis_name)
