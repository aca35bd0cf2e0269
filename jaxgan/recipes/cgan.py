"""Conditional GAN: the label y enters both networks (Mirza and Osindero 2014).

Conditional Generative Adversarial Nets, arXiv:1411.1784. Both players see the label of the real image:

    V(D, G) = E_x[log D(x|y)] + E_z[log(1 - D(G(z|y)))]                                (equation 2)

played in its non-saturating form. The label, one-hot, is joined to the latent vector in G and to the image in D. The
paper's networks are fully connected (`--network mlp`); convolutional ones make better pictures and are the default.
"""

from dataclasses import dataclass
from typing import Any, Literal

from flax import linen as nn

from jaxgan.errors import UserError, flag
from jaxgan.fields import Needs, Spec, classes
from jaxgan.game import System, dtype_of
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator
from jaxgan.recipes.common.base import require_labels
from jaxgan.recipes.common.doubts import warn_of_batch_statistics
from jaxgan.recipes.common.toolbox import ToolboxConfig, check_toolbox, stabilised

NEEDS = Needs({"image": "image", "label": "label"})


@dataclass(frozen=True, kw_only=True)
class Config(ToolboxConfig):
    """Settings of DCGAN, which the paper predates, and the widths of both kinds of networks."""

    steps: int = 4_000
    network: Literal["dcgan", "mlp"] = "dcgan"
    """Convolutional networks, or the paper's fully connected ones."""
    g_width: int = 32
    """DCGAN: channels of the generator's last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """DCGAN: channels of the discriminator's first layer; each later one has twice as many."""
    d_norm: Literal["batch", "layer", "none"] = "batch"
    """DCGAN: normalisation in the discriminator; a penalty on its slope suits the batch's ill."""
    g_widths: tuple[int, ...] = (256, 512)
    """MLP: units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """MLP: units of the discriminator's hidden layers."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check_toolbox(config, conditional=True)
    require_labels(spec, "cgan")
    _check_network(config)
    if config.penalty != "none" and (config.network, config.d_norm) == ("dcgan", "batch"):
        warn_of_batch_statistics(f"--penalty {config.penalty}")
    G, D = _networks(config, spec, axis_name)
    return stabilised(config, spec, G, D, axis_name, conditional=True)


def _check_network(config: Config) -> None:
    """Raise a UserError for options of the kind of networks that is not chosen."""
    for name in ("g_width", "d_width", "d_norm") if config.network == "mlp" else ("g_widths", "d_widths"):
        if getattr(config, name) != getattr(Config, name):
            raise UserError(f"{flag(name)} is of other networks than --network {config.network}, and would do nothing.")


def _networks(config: Config, spec: Spec, axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    shared: dict[str, Any] = {"classes": classes(spec), "dtype": dtype_of(config.precision)}
    if config.network == "mlp":
        return MLPGenerator(spec["image"].fixed, config.g_widths, **shared), MLPDiscriminator(config.d_widths, **shared)
    return (
        DCGANGenerator(spec["image"].fixed, config.g_width, axis_name=axis_name, **shared),
        DCGANDiscriminator(config.d_width, norm=config.d_norm, axis_name=axis_name, **shared),
    )
