"""What every recipe's configuration has, and the checks that all share."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.errors import UserError, flag
from jaxgan.game import (
    Ema,
    GameState,
    Precision,
    Round,
    StepFn,
    System,
    adam,
    init_state,
    make_train_step,
    microbatches,
)


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """The fields that all recipes have. Every number must be positive unless the field is in `MAY_BE_ZERO`."""

    image_shape: tuple[int, int, int] = (28, 28, 1)
    """Height, width and channels of the images, in pixels; taken from the data."""
    classes: int = 0
    """Number of classes of the labels, 0 without labels; taken from the data."""
    steps: int = 10_000
    """Training steps in all."""
    batch_size: int = 64
    """Images per step, over all devices."""
    precision: Precision = "float32"
    """Number format of activations; weights, losses and optimiser stay float32."""
    accumulate: int = 1
    """Microbatches over which each gradient is averaged, to save memory."""
    remat: bool = False
    """Recompute activations in the backward pass, to save memory."""
    ema_halflife_kimg: float = 10.0
    """Half-life of the averaged generator, in thousands of images; 0 for no average."""


@dataclass(frozen=True, kw_only=True)
class LatentConfig(RecipeConfig):
    """Further fields of a game in which a generator maps latent vectors to images and a discriminator judges them."""

    z_dim: int = 100
    """Size of the latent vector."""
    g_learning_rate: float = 2e-4
    """Adam's rate for the generator."""
    d_learning_rate: float = 2e-4
    """Adam's rate for the discriminator."""
    beta1: float = 0.5
    """Adam's decay of the first moment, for both players."""


MAY_BE_ZERO = ("classes", "ema_halflife_kimg", "beta1", "label_smoothing", "label_noise", "penalty_weight_end")


def check(config: RecipeConfig) -> None:
    """Raise a UserError that names the first field of `config` whose value is impossible."""
    hints = get_type_hints(type(config))
    for field in fields(config):
        value = getattr(config, field.name)
        choices = _choices(hints[field.name])
        if choices and value not in choices:
            raise UserError(f"{flag(field.name)} takes one of {', '.join(map(str, choices))}; got {value!r}.")
        if value == ():
            raise UserError(f"{flag(field.name)} takes at least one number, got none.")
        for number in _numbers(value):
            zero_ok = field.name in MAY_BE_ZERO
            if not (number > 0 or (zero_ok and number == 0)) or math.isinf(number):
                takes = "finite" if number > 0 else "at least 0" if zero_ok else "above 0"
                raise UserError(f"{flag(field.name)} must be {takes}, got {number}.")
    for name in ("beta1", "beta2", "beta2_end"):
        if getattr(config, name, 0.0) >= 1:
            least = "at least" if name in MAY_BE_ZERO else "above"
            raise UserError(f"{flag(name)} must be {least} 0 and below 1, got {getattr(config, name)}.")
    if config.batch_size % config.accumulate:
        raise UserError(
            f"--batch-size must be a multiple of --accumulate {config.accumulate}, got {config.batch_size}."
        )


def check_conditional(config: RecipeConfig, recipe: str) -> None:
    """Raise a UserError when a recipe that needs labels gets data without."""
    if config.classes < 1:
        raise UserError(
            f"{recipe} needs labelled images (a folder with one sub-folder per class), but the data has none."
        )


INIT_STREAM = 0x696E6974  # larger than any step


def optimizers_of(
    config: LatentConfig, own: Mapping[str, optax.GradientTransformation] | None
) -> Mapping[str, optax.GradientTransformation]:
    """The recipe's own optimisers, or Adam for the generator and the discriminator, each with its own rate."""
    return own or adams(config)


def adams(config: LatentConfig, beta2: float = 0.999) -> dict[str, optax.GradientTransformation]:
    """Adam for the generator and the discriminator, each with its own rate."""
    rates = {"g": config.g_learning_rate, "d": config.d_learning_rate}
    return {name: adam(rate, config.beta1, beta2) for name, rate in rates.items()}


def batch_shapes(config: RecipeConfig, cuts: int) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes of a batch of `cuts` microbatches, as training gives it."""
    rows = config.batch_size * cuts
    shapes = {"image": jax.ShapeDtypeStruct((rows, *config.image_shape), jnp.float32)}
    return shapes | ({"label": jax.ShapeDtypeStruct((rows,), jnp.int32)} if config.classes else {})


def latent_game(
    config: LatentConfig,
    networks: Mapping[str, nn.Module],
    rounds: Sequence[Round],
    init_players: Callable[[Key[Array, ""], Key[Array, ""]], Mapping[str, Any]],
    sample: Callable[..., Array],
    axis_name: str | None,
    *,
    optimizers: Mapping[str, optax.GradientTransformation] | None = None,
    extras: Mapping[str, Any] | None = None,
    conditional: bool = False,
    make_step: Callable[..., StepFn] = make_train_step,
) -> System:
    """The system of a game between a generator `g` and a discriminator `d`, with a moving average of `g`.

    Args:
        config: the recipe's configuration.
        networks: the modules of the players.
        rounds: the game.
        init_players: `(g_key, d_key) -> {"g": variables, "d": variables}`.
        sample: as in `System`.
        axis_name: as for `make_train_step`.
        optimizers: of both players; Adam with the configuration's rates unless given.
        extras: as for `init_state`.
        conditional: as in `System`.
        make_step: `make_train_step`, or `make_extragradient_step`.
    """
    optimizers = optimizers_of(config, optimizers)
    ema = {"g": Ema(config.ema_halflife_kimg)} if config.ema_halflife_kimg else {}
    step = make_step(rounds, optimizers, ema=ema, axis_name=axis_name, accumulate=config.accumulate)

    def init(rng: Key[Array, ""]) -> GameState:
        # The run's key is folded with step numbers; the players' keys must come from elsewhere.
        g_key, d_key = jax.random.split(jax.random.fold_in(rng, INIT_STREAM))
        players, batch = init_players(g_key, d_key), batch_shapes(config, microbatches(rounds))
        return init_state(rounds, optimizers, players, ema=ema, extras=extras, batch=batch, axis_name=axis_name)

    return System(init, step, sample, dict(networks), config, microbatches(rounds), conditional)


def _choices(hint: Any) -> tuple[Any, ...]:
    """The values that a `Literal`, or a `Literal` or None, allows; nothing for other types."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else ()
    found = [choice for member in members for choice in _choices(member)]
    return (*found, None) if found else ()


def _numbers(value: Any) -> list[int | float]:
    values = value if isinstance(value, tuple) else (value,)
    return [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
