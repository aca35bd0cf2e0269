"""LSGAN: least squares in place of cross entropy (Mao et al. 2017).

Least Squares Generative Adversarial Networks, arXiv:1611.04076, equation 2:

    D minimises E[(D(x) - b)^2] / 2 + E[(D(G(z)) - a)^2] / 2,  G minimises E[(D(G(z)) - c)^2] / 2

A fake far on the real side of the boundary still has a gradient, where that of cross entropy vanishes. The networks are
DCGAN's.
"""

from dataclasses import dataclass
from typing import Literal

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System
from jaxgan.losses import adversarial
from jaxgan.recipes.common.base import LatentConfig, check
from jaxgan.recipes.common.dcgan import DCGANOptions, pair
from jaxgan.recipes.common.objectives import objectives
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(DCGANOptions, LatentConfig):
    """Networks and settings of DCGAN."""

    steps: int = 4_000
    targets: Literal["binary", "pearson"] = "binary"
    """a, b, c: 0, 1, 1 (equation 9 of the paper), or -1, 1, 0, with which G minimises Pearson's divergence (8)."""


TARGETS = {"binary": (0.0, 1.0, 1.0), "pearson": (-1.0, 1.0, 0.0)}


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    G, D = pair(config, spec, axis_name)
    wires = wire(config, spec, G, D)
    d_loss, g_loss = objectives(wires.judge, adversarial.least_squares(*TARGETS[config.targets]))
    return latent_game(config, wires, take_turns(wires.play, d_loss, g_loss), axis_name)
