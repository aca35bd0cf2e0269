"""Optimisers of the players.

Two time scales (TTUR, Heusel et al. 2017) are two entries of the dictionary that the step takes:
`{"g": adam(1e-4), "d": adam(4e-4)}`.
"""

import math
from typing import Any, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp
import optax
from jax.core import Tracer
from jaxtyping import Array

from jaxgan.errors import UserError


def adam(
    learning_rate: optax.ScalarOrSchedule,
    b1: float | Array = 0.5,
    b2: optax.ScalarOrSchedule = 0.999,
    eps: float = 1e-8,
    lazy_every: int | None = None,
    moves: int = 1,
) -> optax.GradientTransformation:
    """Adam with the momentum that GANs use (Radford et al. 2015: b1 = 0.5).

    Args:
        learning_rate: a number, or a schedule of the training step.
        b1: decay of the first moment, per training step.
        b2: decay of the second moment, per training step; a number, or a schedule of the training step.
        eps: added to the root of the second moment.
        lazy_every: set it to k when this player also moves in a round with `every=k`. With n moves in every step the
            player then makes n k + 1 updates in k steps, so the rate is multiplied by c = n k / (n k + 1) and the betas
            are raised to the power c, which keeps rate and averaging time per training step what they were (Karras et
            al. 2020, StyleGAN2, appendix B).
        moves: n, how often the player moves in every training step (`Round(repeat=n)`); schedules need to know.
    """
    _check(learning_rate, b1, b2, lazy_every, moves)
    c = 1.0 if lazy_every is None else moves * lazy_every / (moves * lazy_every + 1)
    steps = c / moves  # of training, for each update
    rate = (lambda updates: c * learning_rate(updates * steps)) if callable(learning_rate) else c * learning_rate
    if not callable(b2):
        return optax.adam(rate, b1**c, b2**c, eps)
    return optax.inject_hyperparams(optax.adam)(rate, b1**c, lambda updates: b2(updates * steps) ** c, eps)


class OptimisticState(NamedTuple):
    """What an optimistic step remembers: the optimiser's state, its last updates, and whether there were any."""

    inner: Any
    last: Any
    begun: Array


def optimistic(optimizer: optax.GradientTransformation) -> optax.GradientTransformation:
    """Steps 2 u_t - u_(t-1) where the optimiser steps u_t: a guess of the opponent's next move.

    With SGD optimistic gradient descent, with Adam optimistic Adam (Daskalakis, Ilyas, Syrgkanis and Zeng 2018,
    arXiv:1711.00141, equations 5 and 6 and algorithm 1). It converges on bilinear games, around whose solution gradient
    descent circles. The first step is the optimiser's own.
    """

    def init(params: Any) -> OptimisticState:
        return OptimisticState(optimizer.init(params), jax.tree.map(jnp.zeros_like, params), jnp.bool_(False))

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        updates, inner = optimizer.update(updates, state.inner, params)
        ahead = jax.tree.map(lambda now, last: jnp.where(state.begun, 2 * now - last, now), updates, state.last)
        return ahead, OptimisticState(inner, updates, jnp.bool_(True))

    return optax.GradientTransformation(init, update)


def clipped(optimizer: optax.GradientTransformation, limit: float | Array) -> optax.GradientTransformation:
    """Keeps every parameter in [-limit, limit] after each update: WGAN's critic (Arjovsky et al. 2017, algorithm 1).

    Up to a rounding of the parameters' type: Optax adds the update, which is what leads to the limit, to the parameter.

    Args:
        optimizer: makes the updates.
        limit: the paper's is 0.01. A traced one cannot be checked.

    Raises:
        UserError: a limit that is not positive.
    """
    if _known(limit) and not limit > 0:
        raise UserError(f"weights are clipped to a limit above 0, got {limit}.")

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        updates, state = optimizer.update(updates, state, params)

        def within(update: Array, param: Array) -> Array:
            return jnp.clip(param + update, -limit, limit) - param

        return jax.tree.map(within, updates, params), state

    return optax.GradientTransformation(optimizer.init, update)


def _check(
    learning_rate: optax.ScalarOrSchedule,
    b1: float | Array,
    b2: optax.ScalarOrSchedule,
    lazy_every: int | None,
    moves: int,
) -> None:
    if _known(learning_rate) and not 0 < learning_rate < math.inf:
        raise UserError(f"a learning rate must be above 0 and finite, got {learning_rate}.")
    for name, beta in {"b1": b1, "b2": b2}.items():
        if _known(beta) and not 0 <= beta < 1:
            raise UserError(f"{name} must be at least 0 and below 1, got {beta}.")
    if lazy_every is not None and not lazy_every >= 1:
        raise UserError(f"lazy_every must be at least 1 step, got {lazy_every}.")
    if not moves >= 1:
        raise UserError(f"moves must be at least 1 in a step, got {moves}.")


def _known(value: Any) -> TypeGuard[float]:
    """Whether a number can be looked at: it is no schedule, and not traced."""
    return not callable(value) and not isinstance(value, Tracer)
