"""What a loaded data set is, whatever it was loaded from: tables of examples, and the fields that they have."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int32

from jaxgan import fields
from jaxgan.errors import UserError, first_of
from jaxgan.fields import Field, Spec

NAMES_SHOWN = 10
"""Names of classes in a line."""
Example = dict[str, Any]
"""{field name: array as it is stored}."""


@runtime_checkable
class Source(Protocol):
    """Random access to decoded examples; safe to call from several threads."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Example: ...


class Table(NamedTuple):
    """Examples that share their fields.

    Attributes:
      source: `source[i]` is {name: array as it is stored}.
      spec: the fields; every example has all of them.
    """

    source: Source
    spec: Spec

    @property
    def rows(self) -> int:
        """How many examples."""
        return len(self.source)


class Data(NamedTuple):
    """A set of examples, ready for training.

    Attributes:
      tables: one; or several whose examples are drawn independently of each other, with fields of their own.
      name: what the user asked for.
      fingerprint: sha256 hex digest of the content and the preprocessing; no path or time enters it.
      description: one line for people.
      apart: so many rows at the end of each table are of pictures that no other row is cut from; `hold_out` takes its
        rows from these alone, and trains on none of them.
    """

    tables: tuple[Table, ...]
    name: str
    fingerprint: str
    description: str
    apart: int = 0

    @property
    def spec(self) -> dict[str, Field]:
        """All fields, in the order of the tables."""
        return {name: field for table in self.tables for name, field in table.spec.items()}

    @property
    def size(self) -> int:
        """Examples of the largest table."""
        return max(table.rows for table in self.tables)

    def table(self, name: str) -> Table:
        """The table that has the field `name`; UserError where none has."""
        for table in self.tables:
            if name in table.spec:
                return table
        raise UserError(f"{self.name} has no {name}; it has {', '.join(self.spec)}.")

    def __repr__(self) -> str:
        """One line."""
        return f"Data({self.description})"


class ArraySource(NamedTuple):
    """Examples that lie decoded in memory: {name: array [n, ...]}."""

    arrays: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __getitem__(self, index: int | np.ndarray) -> Example:  # type: ignore[override]
        return {name: array[index] for name, array in self.arrays.items()}


class PartSource(NamedTuple):
    """Some of the examples of another source, by number."""

    source: Source
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Example:  # type: ignore[override]
        return self.source[int(self.rows[index])]


def gather(source: Source, rows: Int32[np.ndarray, "b"], names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Returns the examples of these rows as one batch {name: array [b, ...]}; only the fields `names` if given."""
    if isinstance(source, ArraySource):
        whole = source.arrays if names is None else {name: source.arrays[name] for name in names}
        return ArraySource(whole)[rows]
    examples = [source[int(row)] for row in rows]
    return {key: np.stack([example[key] for example in examples]) for key in names or examples[0]}


def spread(rows: int, most: int) -> Int32[np.ndarray, "n"]:
    """Returns the numbers of at most so many of the rows, spread over all, always the same."""
    return np.linspace(0, rows - 1, min(rows, most)).astype(np.int32)


def part(table: Table, rows: Int32[np.ndarray, "b"]) -> Table:
    """Returns the table of these rows alone."""
    if isinstance(table.source, ArraySource):
        return Table(ArraySource(gather(table.source, rows)), table.spec)
    return Table(PartSource(table.source, rows), table.spec)


def nbytes(data: Data, names: Iterable[str] | None = None) -> int:
    """Returns the size of all examples as they are stored, in bytes; only of the fields `names` if given."""
    wanted = set(data.spec if names is None else names)
    return sum(
        table.rows * field.size * field.dtype.itemsize
        for table in data.tables
        for name, field in table.spec.items()
        if name in wanted
    )


def digest(example: Example) -> bytes:
    """Returns the sha256 of one example's numbers, fields by name."""
    total = hashlib.sha256()
    for name in sorted(example):
        value = np.asarray(example[name])
        total.update(np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<"), copy=False)).tobytes())
    return total.digest()


def fingerprint(spec: Spec, settings: dict[str, Any], digests: Iterable[bytes]) -> str:
    """Returns the sha256 hex digest of the fields, the preprocessing and the examples' digests, in order."""
    content = {"fields": fields.to_json(spec), **settings}
    total = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for one in digests:
        total.update(one)
    return total.hexdigest()


def describe(name: str, size: int, spec: Spec, note: str) -> str:
    """Returns the line that tells a person what was loaded."""
    return f"{name}: {_examples(size, spec)}" + (f"; {note}" if note else "")


def _examples(size: int, spec: Spec) -> str:
    if set(spec) - {"label"} == {"image"}:
        classes = (
            f"{len(spec['label'].names)} classes{_listed(spec['label'].names)}" if "label" in spec else "no labels"
        )
        images = "1 image" if size == 1 else f"{size:,} images"
        return f"{images} {side(spec['image'])}, {classes}"
    examples = "1 example" if size == 1 else f"{size:,} examples"
    return f"{examples} of {', '.join(told(name, field) for name, field in spec.items())}"


def told(name: str, field: Field) -> str:
    """Returns a field in a few words: "target (image 28x28x1)"."""
    size = f" {side(field)}" if field.shape else ""
    names = f", {len(field.names)} names" if field.names else ""
    if field.kind == "label" and _listed(field.names):
        names += _listed(field.names)
    return f"{name} ({field.kind}{size}{names})"


def _listed(names: Sequence[str]) -> str:
    """Returns the first names behind a colon, and how many more there are; "" where they are 0, 1, 2, ..."""
    if tuple(names) == tuple(str(i) for i in range(len(names))):
        return ""
    return f": {first_of(names, NAMES_SHOWN)}"


def side(field: Field) -> str:
    """Returns a shape in words: 28x28x1; any size where a side is not known."""
    return "x".join("any" if each is None else str(each) for each in field.shape)


def noted(data: Data, note: str) -> Data:
    """Returns the data with one more note at the end of the description."""
    return data._replace(description=f"{data.description}; {note}") if note else data


def make_data(
    examples: Source, spec: Spec, name: str, note: str, digests: Iterable[bytes], settings: dict[str, Any] | None = None
) -> Data:
    """Returns the `Data` of one table.

    Args:
      examples: at least one.
      spec: their fields.
      name: what the user asked for.
      note: ends the description.
      digests: of the examples, in order.
      settings: how they were prepared, as JSON values.
    """
    return Data(
        tables=(Table(examples, spec),),
        name=name,
        fingerprint=fingerprint(spec, settings or {}, digests),
        description=describe(name, len(examples), spec, note),
    )


def make_tables(
    made: Sequence[tuple[Table, Sequence[bytes]]], name: str, note: str, settings: dict[str, Any] | None = None
) -> Data:
    """Returns the `Data` of several tables whose examples are drawn independently of each other.

    Args:
      made: each table, and the digests of its examples in order.
      name: what the user asked for.
      note: ends the description.
      settings: how they were prepared, as JSON values.
    """
    tables = tuple(table for table, _ in made)
    data = Data(tables, name, "", "")
    rows = {"rows": [table.rows for table in tables]}
    told_tables = " apart from ".join(_examples(table.rows, table.spec) for table in tables)
    return data._replace(
        fingerprint=fingerprint(data.spec, (settings or {}) | rows, (one for _, digests in made for one in digests)),
        description=f"{name}: {told_tables}" + (f"; {note}" if note else ""),
    )


def _check_classes(maps: np.ndarray, field: Field, what: str) -> None:
    """Raise UserError, naming one, where label maps hold what is no class of theirs."""
    for found in (int(maps.min()), int(maps.max())):
        if not 0 <= found < len(field.names):
            raise UserError(f"{what} holds class {found}, but there are names for 0 to {len(field.names) - 1}.")


def of_arrays(arrays: dict[str, np.ndarray], spec: Spec, name: str = "arrays", note: str = "") -> Data:
    """Returns the `Data` of arrays `[n, ...]` that are stored as the spec says; what a script hands to `fit`.

    Raises:
      UserError: fields and arrays that do not fit together, or arrays of different length.
    """
    for key, field in spec.items():
        if key not in arrays:
            raise UserError(f"{name} lacks the field {key!r}; it has {', '.join(arrays) or 'none'}.")
        array = arrays[key]
        fits = array.dtype == field.dtype and len(array.shape) == len(field.shape) + 1
        if not fits or any(want not in (None, got) for want, got in zip(field.shape, array.shape[1:], strict=True)):
            wanted = f"{field.dtype} [n{''.join(f', {s}' for s in field.shape)}]"
            raise UserError(f"{key} of {name} must be {wanted}, got {array.dtype} {list(array.shape)}.")
        if field.kind == "label_map" and array.size:
            _check_classes(array, field, f"{key} of {name}")
    lengths = {key: len(arrays[key]) for key in spec}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        told_lengths = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise UserError(f"the fields of {name} must have one length, at least 1, got {told_lengths or 'no field'}.")
    held = ArraySource({key: arrays[key] for key in spec})
    return make_data(held, spec, name, note, (digest(held[i]) for i in range(len(held))))
