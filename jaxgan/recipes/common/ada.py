"""ADA's controller: how often pictures are changed, by how far D overfits (arXiv:2006.06676, section 3.1)."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from jaxgan.game import Aux, Duel, LossFn, Move, Round

ADA = "ada"
"""Entry of `GameState.extras`: the probability `p`, and since it last moved the sum of `signs` and their `count`."""
_EVERY = 4  # moves of D between those of p


def first_extras() -> dict[str, dict[str, Array]]:
    """What the controller keeps: p starts at 0."""
    return {ADA: {"p": jnp.float32(0), "signs": jnp.float32(0), "count": jnp.int32(0)}}


def controlled(rounds: Sequence[Round], duels: Sequence[Duel], target: float, kimg: float, size: int) -> list[Round]:
    """The game, in which p follows the judges' r_t, the mean sign of D at real pictures, and is reported as `ada_p`.

    Every fourth move of the judges p rises where the mean r_t since then is above the target, and falls where it is
    below; within [0, 1], where the authors' code has no upper end.

    Args:
        rounds: the game; moves of regularisers are left alone.
        duels: who judges, and under which prefix r_t is reported.
        target: of r_t; 0.6 in the paper.
        kimg: thousands of images over which p can go from 0 to 1.
        size: images that a move of D sees.
    """
    judges = {duel.judge: [f"{each.board}r_t" for each in duels if each.judge == duel.judge] for duel in duels}
    step = _EVERY * size / (1000 * kimg)

    def follows(move: Move) -> Move:
        return move._replace(loss=_followed(move.loss, judges[move.label], target, step))

    return [
        round_._replace(moves=tuple(follows(move) if move.label in judges else move for move in round_.moves))
        for round_ in rounds
    ]


def _followed(loss: LossFn, signs: Sequence[str], target: float, step: float) -> LossFn:
    def reported(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        value, aux = loss(params, vars, outcome, batch, rng)
        old = vars["extras"][ADA]
        total = old["signs"] + jnp.stack([aux.metrics[name] for name in signs]).mean()
        count = old["count"] + 1
        due = count >= _EVERY
        moved = jnp.clip(old["p"] + step * jnp.sign(total / count - target), 0, 1)
        new = {
            "p": jnp.where(due, moved, old["p"]),
            "signs": jnp.where(due, 0, total),
            "count": jnp.where(due, 0, count),
        }
        return value, aux._replace(metrics={**aux.metrics, "ada_p": old["p"]}, extras={**aux.extras, ADA: new})

    return reported
