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
    reports, players = [], {}
    for name, player in new.players.items():
        before = old.players.get(name)
        players[name], report = _player(before, player) if before else (player, _report({}, {}, player))
        reports.append(_prefixed(name, report))
    for name in sorted(set(old.players) - set(players)):
        reports.append(_prefixed(name, _report(_leaves(old.players[name]), {}, None)))
    merged = Transfer(*(sum(paths, ()) for paths in zip(*reports, strict=True)))
    return dataclasses.replace(new, players=players), merged


def _player(old: PlayerState, new: PlayerState) -> tuple[PlayerState, Transfer]:
    had, wanted = _leaves(old), _leaves(new)
    taken = {path: had[path] for path, leaf in wanted.items() if path in had and _like(had[path], leaf)}
    if not _fits(old.opt_state, new.opt_state):
        taken = {path: leaf for path, leaf in taken.items() if not path.startswith("opt_state")}
    if old.ema is None:
        begun = {path: "params" + path.removeprefix("ema") for path in wanted if path.startswith("ema")}
        starts = {path: taken[source] for path, source in begun.items() if source in taken}
    else:
        starts = {}
    leaves = [{**wanted, **taken, **starts}[path] for path in wanted]
    return jax.tree.unflatten(jax.tree.structure(new), leaves), _report(had, {**taken, **starts}, new)


def _report(had: dict[str, Any], taken: dict[str, Any], new: PlayerState | None) -> Transfer:
    wanted = {} if new is None else _leaves(new)
    kept = tuple(path for path in wanted if path not in taken)
    return Transfer(tuple(taken), kept, tuple(path for path in had if path not in taken))


def _prefixed(player: str, report: Transfer) -> Transfer:
    return Transfer(*(tuple(f"{player}/{path}" for path in paths) for paths in report))


def _leaves(tree: Any) -> dict[str, Any]:
    paths = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in paths}


def _fits(old: Any, new: Any) -> bool:
    """Whether two optimiser states have the same arrays, whatever classes hold them."""
    had, wanted = _leaves(old), _leaves(new)
    return set(had) == set(wanted) and all(_like(had[path], leaf) for path, leaf in wanted.items())


def _like(a: Any, b: Any) -> bool:
    return jnp.shape(a) == jnp.shape(b) and jnp.result_type(a) == jnp.result_type(b)
