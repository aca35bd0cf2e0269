"""Rows that stand apart: those that a run does not train on, and those that are measured in place of all."""

import numpy as np
from jaxtyping import Int32

from jaxgan.data.source import Data, Table, part
from jaxgan.errors import UserError
from jaxgan.game.random import Stream


def hold_out(data: Data, count: int) -> tuple[Data, Data]:
    """Splits off `count` examples of each table: (what to train on, what is held out).

    Which rows are held out depends on the table's size and `count` only, so that a resumed run holds out the same ones.
    Of a set with rows apart (`Data.apart`) they are among these, and those of them that are left are in neither part.

    Args:
      data: the whole set.
      count: examples to hold out; 0 for none, and then the second set is the first.

    Raises:
      UserError: where a table would have nothing left to train on, or has fewer rows apart.
    """
    if not count:
        return data, data
    if data.apart:
        return _hold_out_apart(data, count)
    smallest = min(table.rows for table in data.tables)
    if not 0 < count < smallest:
        raise UserError(
            f"--hold-out takes 0 to {smallest - 1} of the {smallest:,} examples of {data.name}, got {count}."
        )
    pairs = [_split(table, count) for table in data.tables]
    kept, held = (tuple(pair[i] for pair in pairs) for i in (0, 1))
    return data._replace(tables=kept), data._replace(tables=held)


def _hold_out_apart(data: Data, count: int) -> tuple[Data, Data]:
    if not 0 < count <= data.apart:
        raise UserError(
            f"--hold-out takes 0 to {data.apart} of {data.name}, whose last {data.apart} are apart from the rest, "
            f"got {count}."
        )
    chosen = some_rows(data.apart, count)
    kept = tuple(part(table, np.arange(table.rows - data.apart, dtype=np.int32)) for table in data.tables)
    held = tuple(part(table, table.rows - data.apart + chosen) for table in data.tables)
    return data._replace(tables=kept, apart=0), data._replace(tables=held, apart=0)


def _split(table: Table, count: int) -> tuple[Table, Table]:
    words = np.random.Philox(key=np.array([table.rows, Stream.HELD], np.uint64)).random_raw(table.rows)
    chosen = np.sort(np.argsort(words, kind="stable")[:count]).astype(np.int32)
    rest = np.setdiff1d(np.arange(table.rows, dtype=np.int32), chosen)
    return part(table, rest), part(table, chosen)


def some_rows(rows: int, most: int) -> Int32[np.ndarray, " n"]:
    """Returns the numbers of at most so many rows that stand for all, in their order.

    One by chance of each of `most` equal stretches, always the same: sorted rows keep their proportions, and rows that
    repeat in a fixed turn, of which every k-th may be one class, do so too.

    Args:
      rows: how many there are, at least 1.
      most: how many are wanted, at least 1.
    """
    n = min(rows, most)
    ends = np.arange(n + 1, dtype=np.int64) * rows // n
    words = np.random.Philox(key=np.array([rows, Stream.PART], np.uint64)).random_raw(n)
    return (ends[:-1] + (words % np.diff(ends).astype(np.uint64)).astype(np.int64)).astype(np.int32)


def some(data: Data, most: int) -> Data:
    """Returns at most so many rows of each table, by `some_rows`; tables of equal length keep equal rows."""
    tables = (part(t, some_rows(t.rows, most)) if t.rows > most else t for t in data.tables)
    return data._replace(tables=tuple(tables), apart=0)
