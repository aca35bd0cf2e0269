"""A state that begins where another system's state ended: fine-tuning, growing networks, the next stage of a run."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxgan.errors import first_of
from jaxgan.game.state import GameState, PlayerState

NAMED = 5  # arrays, at most
PARTS = ("params", "vars", "ema", "opt_state")
"""Of a player, what people know best first."""


class Transfer(NamedTuple):
    """What became of the arrays of two states' players, by path such as `g/params/Dense_0/kernel`.

    Attributes:
        taken: of the old state, and now in the new one.
        kept: of the new state, for the old one had none of this path, shape and dtype.
        dropped: of the old state, for the new one had no place for them.
        differing: those of `kept` that the old state has in another shape or number format: both, for people.
    """

    taken: tuple[str, ...]
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    differing: Mapping[str, tuple[str, str]] = {}

    def __str__(self) -> str:
        """One line, in numbers."""
        taken, kept, dropped = (len(paths) for paths in self[:3])
        return f"{taken} arrays taken over, {kept} begin anew, {dropped} have no place in the new system"

    def lines(self) -> list[str]:
        """What became of them by player and part, and the first that begin anew by name; [] where all were taken."""
        if not self.kept:
            return []
        shapes = [f"{path} ({was}, here {now})" for path, (was, now) in self.differing.items()]
        missing = sorted(set(self.kept) - set(self.dropped))
        said = {"taken over": _shares(self), "anew, for the shape differs": first_of(_known_first(shapes), NAMED)}
        said["anew, for the old run has none"] = first_of(_known_first(missing), NAMED)
        return [f"{what}: {names}" for what, names in said.items() if names]


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
    both = {path: (had[path], wanted[path]) for path in kept if path in had and not _fits(had[path], wanted[path])}
    differing = {path: _forms(*pair) for path, pair in both.items()}
    return dataclasses.replace(new, players=players), Transfer(tuple(taken), kept, dropped, differing)


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


def _forms(old: Any, new: Any) -> tuple[str, str]:
    """The shapes of two arrays, and where these are the same, their number formats."""
    if jnp.shape(old) == jnp.shape(new):
        return str(jnp.result_type(old)), str(jnp.result_type(new))
    was, now = (" x ".join(map(str, jnp.shape(leaf))) or "one number" for leaf in (old, new))
    return was, now


def _known_first(paths: Sequence[str]) -> list[str]:
    """Parameters before averages and optimisers, which have the same shapes once more."""
    return sorted(paths, key=lambda path: PARTS.index(_part(path)[1]))


def _shares(transfer: Transfer) -> str:
    """How much of each player's parts was taken: "g params 2 of 3, opt_state 0 of 7; d params 3 of 3"."""
    taken, every = (Counter(map(_part, paths)) for paths in (transfer.taken, (*transfer.taken, *transfer.kept)))
    players = dict.fromkeys(player for player, _ in every)
    parts = {each: [part for part in PARTS if (each, part) in every] for each in players}
    shares = {each: [f"{part} {taken[each, part]} of {every[each, part]}" for part in parts[each]] for each in players}
    return "; ".join(f"{player} {', '.join(each)}" for player, each in shares.items())


def _part(path: str) -> tuple[str, str]:
    player, part = path.split("/")[:2]
    return player, part
