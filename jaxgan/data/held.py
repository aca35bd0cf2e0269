"""Rows that a run does not train on: what its sheets show, and what paired metrics measure."""

import numpy as np

from jaxgan.data.source import Data, Table, part
from jaxgan.errors import UserError
from jaxgan.game.random import Stream


def hold_out(data: Data, count: int) -> tuple[Data, Data]:
    """Splits off `count` examples of each table: (what to train on, what is held out).

    Which rows are held out depends on the table's size and `count` only, so that a resumed run holds out the same ones.

    Args:
      data: the whole set.
      count: examples to hold out; 0 for none, and then the second set is the first.

    Raises:
      UserError: where a table would have nothing left to train on.
    """
    if not count:
        return data, data
    smallest = min(table.rows for table in data.tables)
    if not 0 < count < smallest:
        raise UserError(
            f"--hold-out takes 0 to {smallest - 1} of the {smallest:,} examples of {data.name}, got {count}."
        )
    pairs = [_split(table, count) for table in data.tables]
    kept, held = (tuple(pair[i] for pair in pairs) for i in (0, 1))
    return data._replace(tables=kept), data._replace(tables=held)


def _split(table: Table, count: int) -> tuple[Table, Table]:
    words = np.random.Philox(key=np.array([table.rows, Stream.HELD], np.uint64)).random_raw(table.rows)
    chosen = np.sort(np.argsort(words, kind="stable")[:count]).astype(np.int32)
    rest = np.setdiff1d(np.arange(table.rows, dtype=np.int32), chosen)
    return part(table, rest), part(table, chosen)
