"""Conditional GAN: the label y enters both networks (Mirza and Osindero 2014).

Conditional Generative Adversarial Nets, arXiv:1411.1784. Both players see the label of the real image:

    V(D, G) = E_x[log D(x|y)] + E_z[log(1 - D(G(z|y)))]                                (equation 2)

played in its non-saturating form. The label, one-hot, is joined to the latent vector in G and to the image in D. The
paper's networks are fully connected (`--network mlp`); convolutional ones make better pictures and are the default.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

from flax import linen as nn

from jaxgan.errors import UserError, flag
from jaxgan.fields import Needs, Spec, classes
from jaxgan.game import System, dtype_of
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator
from jaxgan.recipes.common import toolbox
from jaxgan.recipes.common.base import require_labels
from jaxgan.recipes.common.dcgan import DCGANOptions, pair
from jaxgan.recipes.common.doubts import warn_of_batch_statistics
from jaxgan.recipes.common.wiring import latent_game, wire

NEEDS = Needs({"image": "image", "label": "label"})


@dataclass(frozen=True, kw_only=True)
class MLPOptions:
    """The paper's kind of networks."""

    g_widths: tuple[int, ...] = (256, 512)
    """MLP: units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """MLP: units of the discriminator's hidden layers."""


@dataclass(frozen=True, kw_only=True)
class Config(MLPOptions, DCGANOptions, toolbox.ToolboxConfig):
    """Settings of DCGAN, which the paper predates, and the widths of both kinds of networks."""

    steps: int = 4_000
    network: Literal["dcgan", "mlp"] = "dcgan"
    """Convolutional networks, or the paper's fully connected ones."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    toolbox.check(config, conditional=True)
    require_labels(spec, "cgan")
    _check_network(config)
    if config.penalty != "none" and (config.network, config.d_norm) == ("dcgan", "batch"):
        warn_of_batch_statistics(f"--penalty {config.penalty}")
    G, D = _networks(config, spec, axis_name)
    wires = wire(config, spec, G, D, conditional=True, critics=config.critics)  # y enters both
    loss = toolbox.loss(config, axis_name)  # of logits: -log D(x|y) - log(1 - D(G(z|y))) and -log D(G(z|y))
    penalty = toolbox.penalty(config, axis_name)
    d_loss, g_loss, lazy = toolbox.losses(config, wires.judge, loss, penalty, axis_name)
    rounds = toolbox.rounds(config, wires.play, d_loss, g_loss, lazy)
    return latent_game(config, wires, rounds, axis_name, **toolbox.training(config))


def _check_network(config: Config) -> None:
    """Raise a UserError for options of the kind of networks that is not chosen."""
    for field in fields(DCGANOptions if config.network == "mlp" else MLPOptions):
        if getattr(config, field.name) != field.default:
            name = flag(field.name)
            raise UserError(f"{name} is of other networks than --network {config.network}, and would do nothing.")


def _networks(config: Config, spec: Spec, axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    if config.network == "dcgan":
        return pair(config, spec, axis_name, classes(spec))
    shared: dict[str, Any] = {"classes": classes(spec), "dtype": dtype_of(config.precision)}
    return MLPGenerator(spec["image"].fixed, config.g_widths, **shared), MLPDiscriminator(config.d_widths, **shared)
