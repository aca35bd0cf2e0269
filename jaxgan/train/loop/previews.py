"""What a run shows of itself: pictures of what its system makes, and of the data."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from jaxgan.data import Data, gather
from jaxgan.data.source import spread
from jaxgan.fields import Spec, only
from jaxgan.game import GameState, Show, System, Verb
from jaxgan.show import given as givens
from jaxgan.show.sampling import make_sampler
from jaxgan.show.sheets import columns_of, compare, grid
from jaxgan.show.tiles import tiles

SHEET_ROWS = 12  # of a sheet; the monitor looks at more examples than that


class Preview(NamedTuple):
    """A picture that a run draws now and then.

    Attributes:
        verb: the verb's name.
        suffix: of the picture's file name, which no other preview has; "" for the first one.
        draw: `state -> {name: stored [n, ...]}`, always of the same noise and the same given fields.
        picture: what was drawn, as a picture.
    """

    verb: str
    suffix: str
    draw: Callable[[GameState], dict[str, np.ndarray]]
    picture: Callable[[dict[str, np.ndarray]], UInt8[np.ndarray, "h w c"]]


def make_previews(system: System, held: Data, n: int, seed: int) -> tuple[Preview, ...]:
    """The previews of a system.

    Args:
        system: what is shown.
        held: examples that the system does not train on, where there are such; given fields and right answers.
        n: examples in a grid; filled up to whole rows.
        seed: of the noise.
    """
    suffixes = _suffixes([show.verb for show in system.shows])
    return tuple(_preview(system, show, held, n, seed, suffix) for show, suffix in zip(system.shows, suffixes))


def _suffixes(verbs: Sequence[str]) -> list[str]:
    """Nothing for the first, "-verb" for another verb, "-verb-2" where a verb has that name already, and so on."""
    taken: list[str] = [""][: len(verbs)]
    for verb in verbs[1:]:
        names = (f"-{verb}" if i == 1 else f"-{verb}-{i}" for i in itertools.count(1))
        taken.append(next(name for name in names if name not in taken))
    return taken


def _preview(system: System, show: Show, held: Data, n: int, seed: int, suffix: str) -> Preview:
    verb = system.verb(show.verb)
    columns = columns_of(n, givens.choices(verb))
    whole = -(-n // columns) * columns
    given = givens.for_pictures(verb, held)
    picture = _grid_of(verb, columns) if show.layout == "grid" else _sheet_of(verb, given, held)
    return Preview(show.verb, suffix, make_sampler(verb, whole, seed, given), picture)


def _grid_of(verb: Verb, columns: int) -> Callable[[dict[str, np.ndarray]], UInt8[np.ndarray, "h w c"]]:
    def picture(made: dict[str, np.ndarray]) -> UInt8[np.ndarray, "h w c"]:
        if len(verb.makes) > 1:
            return compare({"": (verb.makes, {name: values[:SHEET_ROWS] for name, values in made.items()})})
        ((name, field),) = verb.makes.items()
        return grid(tiles(field, made[name]), columns)

    return picture


def _sheet_of(
    verb: Verb, given: givens.Given, held: Data
) -> Callable[[dict[str, np.ndarray]], UInt8[np.ndarray, "h w c"]]:
    known = only(held.spec, *verb.truth)
    taken = known if givens.all_in_turn(verb) else {**only(held.spec, *verb.given), **known}
    rows = [held.table(name).rows for name in taken]  # after the last one they would come again

    def picture(made: dict[str, np.ndarray]) -> UInt8[np.ndarray, "h w c"]:
        n = min(SHEET_ROWS, len(next(iter(made.values()))), *rows)
        parts = {
            "given": (verb.given, given(0, n)),
            "made": (verb.makes, {name: values[:n] for name, values in made.items()}),
            "truth": (known, givens.from_rows(known, held)(0, n)),
        }
        return compare({part: (spec, batch) for part, (spec, batch) in parts.items() if spec})

    return picture


def reals(data: Data, spec: Spec, n: int) -> UInt8[np.ndarray, "h w c"]:
    """A contact sheet of the data: n examples from all over it, or a row an example where it has several fields."""
    shown = {name: field for name, field in spec.items() if field.kind != "label"} or dict(spec)
    n = n if len(shown) == 1 else min(n, SHEET_ROWS)
    batch = {name: _rows_of(data, name, n) for name in shown}
    if len(shown) > 1:
        least = min(len(values) for values in batch.values())
        return compare({"": (shown, {name: values[:least] for name, values in batch.items()})})
    ((name, field),) = shown.items()
    return grid(tiles(field, batch[name]), columns_of(len(batch[name]), 0))


def _rows_of(data: Data, name: str, n: int) -> np.ndarray:
    table = data.table(name)
    return gather(table.source, spread(table.rows, n), [name])[name]
