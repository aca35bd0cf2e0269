"""A state that begins where another system's state ended: fine-tuning, growing networks, the next stage of a run."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxgan.game.state import GameState, PlayerState


class Transfer(NamedTuple):
    """What became of the arrays of two states' players, by path such as `g/params/Dense_0/kernel`.

    Attributes:
        taken: of the old state, and now in the new one.
        kept: of the new state, for the old one had none of this path, shape and dtype.
        dropped: of the old state, for the new one had no place for them.
    """

    taken: tuple[str, ...]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]

    def __str__(self) -> str:
        """One line, in numbers."""
        taken, kept, dropped = (len(paths) for paths in self)
        return f"{taken} arrays taken over, {kept} begin anew, {dropped} have no place in the new system"


def by_path(old: GameState, new: GameState) -> tuple[GameState, Transfer]:
    """`new` with all arrays of its players that `old` has too, by path, shape and dtype.

    Parameters, collections and averages are taken one by one. An average that `old` did not keep begins at the
    parameters that are taken. The state of a player's optimiser is taken whole or not at all: Adam's moments of a layer
    that is new are zero, and with the step count of the others, which corrects their bias, its first updates would be
    (1 - b1) / sqrt(1 - b2) times the learning rate, 16 times with b1 = 0.5 and b2 = 0.999. Progressive growing too
    begins every stage with fresh moments.

    Step, extras, held metrics, local and frozen are those of `new`.

    Args:
        old: the state to take from.
        new: a fresh state of the system that goes on.

    Returns:
        The state, and what was taken. Its arrays are those of the two states, wherever they lie: `parallel.place_state`
        brings them together.
    """
    had, wanted = _leaves(old.players), _leaves(new.players)
    sources = {path: path if path in had else _start_of_average(path, new) for path in wanted}
    taken = {path: had[source] for path, source in sources.items() if _fits(had.get(source), wanted[path])}
    for name in new.players:
        moments = _under(f"{name}/opt_state", wanted)
        if not moments == _under(f"{name}/opt_state", had) == _under(f"{name}/opt_state", taken):
            taken = {path: leaf for path, leaf in taken.items() if path not in moments}
    leaves = [taken.get(path, leaf) for path, leaf in wanted.items()]
    players = jax.tree.unflatten(jax.tree.structure(new.players), leaves)
    kept, dropped = (tuple(path for path in each if path not in taken) for each in (wanted, had))
    return dataclasses.replace(new, players=players), Transfer(tuple(taken), kept, dropped)


def _leaves(players: dict[str, PlayerState]) -> dict[str, Any]:
    paths = jax.tree_util.tree_leaves_with_path(players)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in paths}


def _under(prefix: str, leaves: dict[str, Any]) -> set[str]:
    return {path for path in leaves if path == prefix or path.startswith(prefix + "/")}


def _start_of_average(path: str, state: GameState) -> str:
    """The parameter of which a path's array is the average; any other path is its own."""
    for name in state.players:
        if _under(f"{name}/ema", {path: None}):
            return f"{name}/params" + path.removeprefix(f"{name}/ema")
    return path


def _fits(old: Any, new: Any) -> bool:
    return old is not None and jnp.shape(old) == jnp.shape(new) and jnp.result_type(old) == jnp.result_type(new)
