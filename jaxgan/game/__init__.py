"""The game engine: players, rounds, and the training step that plays them."""

from jaxgan.game import parallel, schedules
from jaxgan.game.ema import Ema
from jaxgan.game.extragradient import make_extragradient_step
from jaxgan.game.optim import adam, clipped, optimistic
from jaxgan.game.precision import Precision, dtype_of
from jaxgan.game.random import draw, normal
from jaxgan.game.state import (
    Aux,
    GameState,
    LossFn,
    Metrics,
    Move,
    PlayerState,
    PlayFn,
    Round,
    StepFn,
    parameter_count,
    variables,
    with_frozen,
    without_frozen,
)
from jaxgan.game.step import init_state, make_train_step, microbatches
from jaxgan.game.system import Derived, Duel, Goal, Show, Stage, System, Verb
from jaxgan.game.transfer import Transfer, by_path

__all__ = [
    "Aux",
    "Derived",
    "Duel",
    "Ema",
    "GameState",
    "Goal",
    "LossFn",
    "Metrics",
    "Move",
    "PlayFn",
    "PlayerState",
    "Precision",
    "Round",
    "Show",
    "Stage",
    "StepFn",
    "System",
    "Transfer",
    "Verb",
    "adam",
    "by_path",
    "clipped",
    "draw",
    "dtype_of",
    "init_state",
    "make_extragradient_step",
    "make_train_step",
    "microbatches",
    "normal",
    "optimistic",
    "parallel",
    "parameter_count",
    "schedules",
    "variables",
    "with_frozen",
    "without_frozen",
]
