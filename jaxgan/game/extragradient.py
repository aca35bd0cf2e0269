"""Extragradient: look one step ahead, and move by the gradient found there (Korpelevich 1976)."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from jaxtyping import Array, Key

from jaxgan.game.ema import Ema, check_ema
from jaxgan.game.state import Batch, GameState, Metrics, Round, StepFn
from jaxgan.game.step import Optimizers, averaged, make_train_step, microbatches


def make_extragradient_step(
    rounds: Sequence[Round],
    optimizers: Optimizers,
    *,
    ema: Mapping[str, Ema] | None = None,
    axis_name: str | None = None,
    accumulate: int = 1,
) -> StepFn:
    """A training step that extrapolates all players, then moves them from where they were.

        ahead = w + step(w),    w' = w + step(ahead)                  (Gidel et al. 2019, arXiv:1802.10551, section 3.2)

    Both steps see the same images, noise and `GameState.local`, which therefore changes once, as the second step leaves
    it. Adam's moments take part in both, as in the paper's algorithm (ExtraAdam); collections such as batch statistics
    are those of the second step. On games whose moves are simultaneous this is the
    method of the theory, which converges where gradient descent circles.

    Args:
        rounds: the game; best of `simultaneous` rounds.
        optimizers: as for `make_train_step`.
        ema: as for `make_train_step`.
        axis_name: as for `make_train_step`.
        accumulate: as for `make_train_step`.
    """
    # Averages follow the true steps only, not the excursions.
    averages = {name: check_ema(rule) for name, rule in (ema or {}).items()}
    excursion = make_train_step(rounds, optimizers, axis_name=axis_name, accumulate=accumulate)

    def step(state: GameState, batch: Batch, rng: Key[Array, ""]) -> tuple[GameState, Metrics]:
        ahead, _ = excursion(state, batch, rng)
        beyond, metrics = excursion(dataclasses.replace(ahead, step=state.step, local=state.local), batch, rng)
        players = {
            name: dataclasses.replace(player, params=_moved(state, ahead, beyond, name))
            for name, player in beyond.players.items()
        }
        moved = dataclasses.replace(beyond, players=players)
        size = jax.tree.leaves(batch)[0].shape[0] // microbatches(rounds)
        return averaged(moved, averages, size, axis_name), metrics

    return step


def _moved(state: GameState, ahead: GameState, beyond: GameState, name: str) -> Any:
    """A player's parameters, moved by the second step alone."""
    start, first, second = (each.players[name].params for each in (state, ahead, beyond))
    return jax.tree.map(lambda w, a, b: w + (b - a), start, first, second)
