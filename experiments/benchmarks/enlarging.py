"""A system for `translation.py`: the residual-in-residual dense network learns pixels of pictures four times larger."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from jaxgan.fields import Needs
from jaxgan.game import Aux, Move, Round, System, adam, variables
from jaxgan.nets.superres import RRDBNet
from jaxgan.recipes.common.base import RecipeConfig, system_of
from jaxgan.recipes.common.wiring import trained

NEEDS = Needs({"source": "image", "target": "image"})


@dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    """The sizes of the network; mean absolute difference, Adam as in ESRGAN's first stage."""

    ema_halflife_kimg: float = 0.0
    width: int = 64
    blocks: int = 3
    growth: int = 32


def build(config: Config, spec: Any, axis_name: str | None = None) -> System:
    """One player, one loss."""
    G = RRDBNet(4, config.width, config.blocks, config.growth)
    enlarge = trained(G, config.remat)

    def play(params: Any, vars: Any, batch: Any, rng: Any) -> tuple[Any, Aux]:
        made, g_vars = enlarge(variables(params, vars, "g"), (batch["source"] + 1) / 2)
        return made, Aux(vars={"g": g_vars})

    def loss(params: Any, vars: Any, made: Any, batch: Any, rng: Any) -> tuple[Any, Aux]:
        return jnp.abs(made - (batch["target"] + 1) / 2).mean(), Aux()

    def init_players(key: Any) -> dict[str, Any]:
        return {"g": G.init(key, jnp.zeros((1, 8, 8, 3)), train=True)}

    rounds = (Round(play=play, moves=(Move("g", loss),)),)
    optimizers = {"g": adam(2e-4, 0.9, 0.99)}
    how: dict[str, Any] = {"verbs": {}, "duels": (), "axis_name": axis_name}
    return system_of(config, spec, rounds, init_players, optimizers, **how)
