"""Fields that are made of others when they are asked for: small pictures of large ones, for those who enlarge them."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxgan.data.source import Data, Example, Source, Table
from jaxgan.game import Derived


class DerivedSource(NamedTuple):
    """Examples of another source, with fields made of theirs."""

    source: Source
    derives: Mapping[str, Derived]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]
        example = self.source[index]
        return {**example, **{name: np.asarray(each.make(example[each.of])) for name, each in self.derives.items()}}


def with_derived(data: Data, derives: Mapping[str, Derived]) -> Data:
    """Returns the data with further fields; the same data where there are none.

    Args:
      data: a field that they have already stays as it is.
      derives: by name; made anew at every access.
    """
    return data._replace(tables=tuple(_table(table, derives) for table in data.tables)) if derives else data


def _table(table: Table, derives: Mapping[str, Derived]) -> Table:
    new = {name: each for name, each in derives.items() if each.of in table.spec and name not in table.spec}
    spec = {**table.spec, **{name: each.field for name, each in new.items()}}
    return Table(DerivedSource(table.source, new), spec) if new else table
