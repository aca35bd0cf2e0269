"""What every recipe's configuration has, and the checks that all share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import jax
import optax
from annotated_types import Ge, Le, Lt
from jaxtyping import Array, Key

from jaxgan.errors import UserError
from jaxgan.fields import Spec, shapes
from jaxgan.game import (
    Duel,
    Ema,
    GameState,
    Goal,
    Precision,
    Round,
    Show,
    StepFn,
    System,
    Verb,
    adam,
    init_state,
    make_train_step,
    microbatches,
    schedules,
)
from jaxgan.game.random import Stream, check_key
from jaxgan.options import check_fields
from jaxgan.recipes.common.cures import cures_of

AtLeastZero: TypeAlias = Annotated[float, Ge(0)]
Momentum: TypeAlias = Annotated[float, Ge(0), Lt(1)]
"""Adam's decay of the first moment, which may be absent."""
Decay: TypeAlias = Annotated[float, Lt(1)]
"""Adam's decay of the second moment."""


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """The fields that all recipes have. Every number must be above 0, unless the type of its field has other bounds."""

    steps: int = 10_000
    """Training steps in all."""
    batch_size: int = 64
    """Examples per step, over all devices."""
    precision: Precision = "float32"
    """Number format of activations; weights, losses and optimiser stay float32."""
    accumulate: int = 1
    """Microbatches over which each gradient is averaged, to save memory."""
    remat: bool = False
    """Recompute activations in the backward pass, to save memory."""
    ema_halflife_kimg: AtLeastZero = 10.0
    """Half-life of the averaged generator, in thousands of images; 0 for no average."""
    ema_rampup: AtLeastZero = 0.05
    """The half-life is at most this fraction of the images seen so far; 0 for no such limit."""


@dataclass(frozen=True, kw_only=True)
class FallingConfig(RecipeConfig):
    """Further fields of a recipe whose rate may fall at the end."""

    learning_rate: float = 2e-4
    """Adam's rate, for both players."""
    beta1: Momentum = 0.5
    """Adam's decay of the first moment, for both players."""
    rate_decay: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of the steps, at the end, over which the rate falls to 0 along a line; 0: constant."""
    schedule_steps: int | None = None
    """Steps after which the rate is at its end; None: the run's --steps."""


@dataclass(frozen=True, kw_only=True)
class LatentConfig(RecipeConfig):
    """Further fields of a game in which a generator maps latent vectors to images and a discriminator judges them."""

    z_dim: int = 100
    """Size of the latent vector."""
    g_learning_rate: float = 2e-4
    """Adam's rate for the generator."""
    d_learning_rate: float = 2e-4
    """Adam's rate for the discriminator."""
    beta1: Momentum = 0.5
    """Adam's decay of the first moment, for both players."""


def check(config: RecipeConfig) -> None:
    """Raise a UserError that names the first field of `config` whose value is impossible."""
    check_fields(config)
    if config.batch_size % config.accumulate:
        raise UserError(
            f"--batch-size must be a multiple of --accumulate {config.accumulate}, got {config.batch_size}."
        )


def require_labels(spec: Spec, recipe: str) -> None:
    """Raise a UserError when a recipe that needs labels gets data without."""
    if "label" not in spec:
        raise UserError(
            f"{recipe} needs labelled images (a folder with one sub-folder per class), but the data has none."
        )


def adams(config: LatentConfig, beta2: float = 0.999) -> dict[str, optax.GradientTransformation]:
    """Adam for the generator and the discriminator, each with its own rate."""
    rates = {"g": config.g_learning_rate, "d": config.d_learning_rate}
    return {name: adam(rate, config.beta1, beta2) for name, rate in rates.items()}


def falling_adam(config: FallingConfig) -> optax.GradientTransformation:
    """Adam with one rate, constant and then falling as the configuration says."""
    steps = config.schedule_steps or config.steps
    return adam(schedules.constant_then_linear(config.learning_rate, steps, config.rate_decay), config.beta1)


def system_of(
    config: RecipeConfig,
    batch: Spec,
    rounds: Sequence[Round],
    init_players: Callable[[Key[Array, ""]], Mapping[str, Any]],
    optimizers: Mapping[str, optax.GradientTransformation],
    *,
    verbs: Mapping[str, Verb],
    averaged: Sequence[str] = ("g",),
    shows: tuple[Show, ...] | None = None,
    duels: tuple[Duel, ...] = (Duel(),),
    cures: Mapping[str, tuple[str, ...]] | None = None,
    extras: Mapping[str, Any] | None = None,
    local: Mapping[str, Any] | None = None,
    frozen: Callable[[], Mapping[str, Any]] | None = None,
    goal: Goal | None = None,
    make_step: Callable[..., StepFn] = make_train_step,
    axis_name: str | None = None,
) -> System:
    """The system of a game: its step, its first state, and what it declares.

    Args:
        config: the recipe's configuration.
        batch: the fields of a batch.
        rounds: the game.
        init_players: `key -> variables by player`.
        optimizers: of each player that moves.
        verbs: as in `System`.
        averaged: players of which a moving average is kept, where the configuration has a half-life.
        shows: as in `System`; every verb unless given, in a sheet where its right answers are known.
        duels: as in `System`.
        cures: as in `System`; those of `recipes.common.cures` that the configuration has unless given.
        extras: as for `init_state`.
        local: as for `init_state`.
        frozen: as in `System`.
        goal: as in `System`.
        make_step: `make_train_step`, or `make_extragradient_step`.
        axis_name: as for `make_train_step`.
    """
    average = Ema(config.ema_halflife_kimg, config.ema_rampup or None)
    ema = dict.fromkeys(averaged, average) if config.ema_halflife_kimg else {}
    step = make_step(rounds, optimizers, ema=ema, axis_name=axis_name, accumulate=config.accumulate)

    def init(rng: Key[Array, ""]) -> GameState:
        check_key(rng)
        # The run's key is folded with step numbers; the players' keys must come from elsewhere.
        players = init_players(jax.random.fold_in(rng, Stream.INIT))
        rows = shapes(batch, config.batch_size * microbatches(rounds))
        # Their shapes alone: what is frozen is no part of what a run begins with, and comes from its own files.
        still = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), dict(frozen()) if frozen else {})
        state: dict[str, Any] = {"ema": ema, "extras": extras, "local": local, "frozen": still}
        return init_state(rounds, optimizers, players, **state, batch=rows, axis_name=axis_name)

    shown = tuple(Show(name, "sheet" if verb.truth else "grid") for name, verb in verbs.items())
    return System(
        init=init,
        step=step,
        config=config,
        batch=batch,
        verbs=verbs,
        shows=shown if shows is None else shows,
        duels=duels,
        cures=cures_of(config, "label" in batch) if cures is None else cures,
        frozen=frozen,
        goal=goal,
        microbatches=microbatches(rounds),
    )
