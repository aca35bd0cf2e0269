"""What a verb is given where nobody says: classes and codes in turn or as the data has them, all else from the data."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from jaxtyping import Int32

from jaxgan.data import Data, gather
from jaxgan.errors import UserError
from jaxgan.fields import Spec
from jaxgan.game import Verb
from jaxgan.game.random import Stream

CHOSEN = ("label", "code")  # kinds of fields that can be gone through in turn

Given: TypeAlias = Callable[[int, int], dict[str, np.ndarray]]
"""`(start, n) -> {name: stored [n, ...]}`: what the examples from number `start` on are given; always the same."""


def nothing(start: int, n: int) -> dict[str, np.ndarray]:
    """Nothing at all, as verbs that make things from noise alone take it."""
    del start, n
    return {}


def in_turn(spec: Spec) -> Given:
    """Classes and codes in turn: 0, 1, 2, ..., 0, 1, ..."""
    values = {name: len(field.names) for name, field in spec.items()}

    def given(start: int, n: int) -> dict[str, np.ndarray]:
        numbers = np.arange(start, start + n, dtype=np.int32)
        return {name: numbers % count for name, count in values.items()}

    return given


def the_same(stored: Mapping[str, np.ndarray]) -> Given:
    """The same for all examples: what a user has given, as it is stored."""

    def given(start: int, n: int) -> dict[str, np.ndarray]:
        del start
        return {name: np.repeat(np.asarray(value)[None], n, axis=0) for name, value in stored.items()}

    return given


def rows_of(stored: Mapping[str, np.ndarray]) -> Given:
    """Rows of arrays [n, ...] in their order, again from the first when all are taken."""

    def given(start: int, n: int) -> dict[str, np.ndarray]:
        return {name: value[np.arange(start, start + n) % len(value)] for name, value in stored.items()}

    return given


def together(*parts: Given) -> Given:
    """What several give, later ones first where both name a field."""
    return lambda start, n: {name: value for part in parts for name, value in part(start, n).items()}


def from_rows(spec: Spec, data: Data, shuffled: bool = False) -> Given:
    """Fields from rows of the data, again from the first when all are taken.

    Args:
        spec: the fields.
        data: what has them.
        shuffled: in an order by chance, always the same: every part of it then has the data's proportions.
    """
    orders = {name: row_order(data.table(name).rows, shuffled) for name in spec}

    def given(start: int, n: int) -> dict[str, np.ndarray]:
        numbers = np.arange(start, start + n)
        return {
            name: gather(data.table(name).source, order[numbers % len(order)], [name])[name]
            for name, order in orders.items()
        }

    return given


def row_order(rows: int, shuffled: bool) -> Int32[np.ndarray, " rows"]:
    """The order in which rows of the data are taken."""
    if not shuffled:
        return np.arange(rows, dtype=np.int32)
    words = np.random.Philox(key=np.array([rows, Stream.GIVEN], np.uint64)).random_raw(rows)
    return np.argsort(words, kind="stable").astype(np.int32)


def all_in_turn(verb: Verb) -> bool:
    """Whether all that a verb is given can be gone through in turn, and no right answer says what belongs to a row."""
    return all(field.kind in CHOSEN for field in verb.given.values()) and not verb.truth


def for_pictures(verb: Verb, data: Data) -> Given:
    """For a preview: classes and codes in turn; where other fields or truth count, the first rows of the data."""
    if all_in_turn(verb):
        return in_turn(verb.given)
    return _of_data(verb, data, shuffled=False)


def for_measuring(verb: Verb, data: Data) -> Given:
    """For measurements: every field that the data has from its rows, so that generated sets are drawn like the data."""
    return _of_data(verb, data, shuffled=True)


def _of_data(verb: Verb, data: Data, shuffled: bool) -> Given:
    codes = {name: field for name, field in verb.given.items() if field.kind == "code"}
    others = {name: field for name, field in verb.given.items() if name not in codes}
    if missing := [name for name in others if name not in data.spec]:
        raise UserError(f"this verb is given {', '.join(missing)}, which {data.name} does not have.")
    return together(in_turn(codes), from_rows(others, data, shuffled))


def choices(verb: Verb) -> int:
    """How many classes or codes a preview goes through in turn; 0 where it does not, or goes through several fields."""
    counts = [len(field.names) for field in verb.given.values() if field.kind in CHOSEN]
    return counts[0] if len(counts) == len(verb.given) == 1 else 0
