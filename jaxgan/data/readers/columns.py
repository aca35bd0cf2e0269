"""Arrays `[n, ...]` of fields: their form is checked, their numbers converted, their pictures brought to one size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxgan.data import decode, source
from jaxgan.data.encoded import dim
from jaxgan.data.readers import convert
from jaxgan.data.readers.files import first, in_order
from jaxgan.data.readers.layouts import DEEPEST, laid_out
from jaxgan.data.readers.wants import LOOKS
from jaxgan.data.settings import Fit, Header, Settings, agree_all, joined
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError
from jaxgan.fields import KINDS, Field, Kind, Needs

AXES: dict[Kind, tuple[str, ...]] = {
    "image": ("h", "w", "c"),
    "video": ("t", "h", "w", "c"),
    "mask": ("h", "w", "1"),
    "voxels": ("d", "h", "w"),
    "label_map": ("h", "w"),
    "label": (),
    "code": (),
    "number": (),
    "tokens": ("n",),
    "wave": ("n",),
    "vector": ("...",),
}
"""Of one example; a last axis of one may be left out, or be there too much."""


MOST_CLASSES = 1_000_000
"""Of codes, words and the pixels of label maps; more is a number that is no class."""


class Column(NamedTuple):
    """One field of all examples.

    Attributes:
      kind: of the field.
      array: `[n, ...]` as it is stored, but for the size of pictures.
      names: of its values.
      rate: samples or frames a second.
      note: what was guessed.
    """

    kind: Kind
    array: np.ndarray
    names: tuple[str, ...] = ()
    rate: float | None = None
    note: str = ""


def forms(arrays: Mapping[str, np.ndarray]) -> str:
    """Returns arrays in words: "image: uint8 [5, 4, 4]"."""
    return ", ".join(f"{key}: {value.dtype} {list(value.shape)}" for key, value in arrays.items()) or "none"


def no_images(arrays: Mapping[str, np.ndarray], path: Path) -> UserError:
    """Returns the sentence for a file without an array of images."""
    return UserError(
        f"{path} should hold uint8 images [N, H, W] or [N, H, W, C] under one of images, image, x_train, arr_0; "
        f"it holds {forms(arrays)}."
    )


def shaped(kind: Kind, array: np.ndarray) -> np.ndarray | None:
    """Returns the array with the axes of its kind, None if it has others."""
    rank, axes = array.ndim - 1, len(AXES[kind])
    if kind == "vector":
        return array if rank >= 1 else None
    if rank == axes + 1 and array.shape[-1] == 1 and kind not in ("image", "mask", "video", "tokens"):
        array = array[..., 0]
    if rank == axes - 1 and kind in ("image", "mask", "video"):
        array = array[..., None]
    if array.ndim - 1 != axes:
        return None
    deepest = {"image": DEEPEST, "video": 3, "mask": 1}.get(kind)
    return array if deepest is None or 1 <= array.shape[-1] <= deepest else None


def _natural(kind: str, array: np.ndarray, has_names: bool) -> bool:
    """Whether an array looks like this kind rather than like another that it could be."""
    wide = array.dtype.kind in "iu" and array.dtype != np.uint8
    match kind:
        case "label_map":
            return has_names or wide
        case "label" | "code":
            return array.dtype.kind in "iub"
        case "mask":
            return array.dtype.kind == "b"
    return False


def _kind(field: str, array: np.ndarray, needs: Needs, has_names: bool) -> Kind | None:
    kinds: tuple[Any, ...] = needs.kinds(field)
    able: list[Kind] = [kind for kind in kinds if shaped(kind, laid_out(kind, array)[0]) is not None]
    natural: list[Kind] = [kind for kind in able if _natural(kind, array, has_names)]
    return (natural + able)[0] if able else None


def column(
    field: str, key: str, arrays: Mapping[str, np.ndarray], needs: Needs, path: Path, total: int | None
) -> dict[str, Column]:
    """Returns {field: column} of the array `key`; {} for labels of one class only, which the needs can do without.

    Args:
      field: its name.
      key: the name of its array.
      arrays: of the file.
      needs: what the recipe takes.
      path: of the file.
      total: how many labels there must be; None for any number.

    Raises:
      UserError: if its form or range is another than the field's kind takes.
    """
    array, named = arrays[key], arrays.get(f"{field}_names")
    kinds = needs.kinds(field)
    if kinds == ("label",) and array.dtype.kind in "US":
        array, named = _numbered(array)
    if kinds == ("label",):
        _check_labels(array, key, array.size if total is None else total, path)
        array = array.reshape(-1)
    kind = _kind(field, array, needs, named is not None)
    laid, layout = laid_out(kind, array)
    formed = None if kind is None else shaped(kind, laid)
    if kind is None or formed is None:
        raise _misformed(field, key, array, kinds, path)
    if not array.size:
        raise UserError(f"{path} holds no {'images' if field == 'image' else key}.")
    store, note = convert.way(kind)(convert.numbers(array), f"{key} in {path}", field)
    whole = store(formed)
    if kind in ("label", "code"):
        return classes(field, whole, needs, _names(named), f"{key} in {path}", kind)
    names = _class_names(whole, _names(named), f"{key} in {path}") if KINDS[kind].dtype == np.int32 else ()
    rate = _rate(arrays.get(f"{field}_rate"))
    return {field: Column(kind, whole, names, rate, joined(f"{field}: {layout}" if layout else "", note))}


def _misformed(field: str, key: str, array: np.ndarray, kinds: tuple[str, ...], path: Path) -> UserError:
    if field == "image":
        return no_images({key: array}, path)
    axes: dict[str, tuple[str, ...]] = {**AXES}
    wanted = " or ".join(f"[N{''.join(f', {axis}' for axis in axes[kind])}] ({kind})" for kind in kinds)
    return UserError(f"{key} in {path} should be {wanted}, not {array.dtype} {list(array.shape)}.")


def _check_labels(labels: np.ndarray, key: str, total: int, path: Path) -> None:
    if labels.size != total or labels.dtype.kind not in "iub" or labels.min(initial=0) < 0:
        form = f"{labels.dtype} {list(labels.shape)}{convert.odd_label(labels)}"
        raise UserError(f"{key} in {path} should be {total} class indices, not {form}.")


def _numbered(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the class of each word, and the words that there are in order."""
    whole = words.astype(str)
    names = in_order(set(whole.ravel().tolist()))
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[word] for word in whole.ravel().tolist()], np.int32).reshape(words.shape), np.array(names)


def _names(array: np.ndarray | None) -> tuple[str, ...]:
    return () if array is None else tuple(str(name) for name in np.atleast_1d(array).ravel().astype(str))


def _rate(array: np.ndarray | None) -> float | None:
    return None if array is None else float(array.reshape(-1)[0])


def _class_names(array: np.ndarray, names: tuple[str, ...], what: str) -> tuple[str, ...]:
    """Returns a name for each number that occurs; UserError where there are fewer."""
    highest = int(array.max(initial=0))
    if names:
        _check_named(highest, names, what)
    elif highest >= MOST_CLASSES:
        raise UserError(
            f"{what} goes up to {highest:,}, and every number up to that is a class; at most {MOST_CLASSES:,} can be."
        )
    return names or tuple(str(value) for value in range(highest + 1))


def _check_named(highest: int, names: tuple[str, ...], what: str) -> None:
    if highest >= len(names):
        raise UserError(f"{what} goes up to {highest}, but there are {len(names)} names: 0 to {len(names) - 1}.")


def classes(
    field: str,
    labels: np.ndarray,
    needs: Needs,
    names: tuple[str, ...] = (),
    what: str = "label",
    kind: Kind = "label",
) -> dict[str, Column]:
    """Returns {field: column} of class indices [n]; {} for a single class that the needs can do without.

    Of labels only those that occur are classes: 5 and 2,000,000 are two, called "5" and "2000000".

    Args:
      field: its name.
      labels: whole numbers from 0.
      needs: what the recipe takes.
      names: of the classes; () for "0", "1", ...
      what: to call them in an error.
      kind: label or code.

    Raises:
      UserError: where a class has no name.
    """
    note = ""
    if kind == "label":
        there, labels = np.unique(labels, return_inverse=True)
        if names:
            _check_named(int(there.max(initial=0)), names, what)
            present = frozenset(there.tolist())
            absent = [name for number, name in enumerate(names) if number not in present]
            note = f"no {field} is {first(absent)}" if absent else ""
        found = tuple(names[value] if names else str(value) for value in there)
    else:
        found = _class_names(labels, names, what)
    if len(found) < 2 and needs.optional(field):
        return {}
    return {field: Column(kind, labels.astype(np.int32), found, note=note)}


def assemble(
    found: Mapping[str, Column], name: str, settings: Settings, note: str = "", apart: bool = False
) -> source.Data:
    """Returns the columns, pictures brought to one size, ready for training.

    Args:
      found: the fields, of one length unless they are apart.
      name: what the user asked for.
      settings: size, resize, channels of pictures.
      note: what else to tell people.
      apart: each field is a table of its own.

    Raises:
      UserError: if there is no example.
    """
    if any(not each.array.size for each in found.values()):
        raise UserError(f"{name} holds no images.")
    pictures = {field: each for field, each in found.items() if each.kind in LOOKS}
    targets: dict[str, Fit] = {}
    sizes = ""
    if pictures:
        kinds: dict = {field: each.kind for field, each in pictures.items()}
        targets, sizes = agree_all({field: [_header(each)] for field, each in pictures.items()}, kinds, settings)
    notes = joined(sizes, *(each.note for each in found.values()), note)
    how = {"resize": settings.resize} if pictures else {}
    groups = [{field: each} for field, each in found.items()] if apart else [found]
    made = [_table(group, targets) for group in groups]
    if apart:
        return source.make_tables(made, name, notes, how)
    ((table, digests),) = made
    return source.make_data(table.source, table.spec, name, joined(notes, dim(table)), digests, how)


def _header(pictures: Column) -> Header:
    shape = pictures.array.shape
    return Header(shape[1], shape[2], len(shape) == 3 or shape[3] <= 2)


def _table(found: Mapping[str, Column], targets: Mapping[str, Fit]) -> tuple[source.Table, list[bytes]]:
    rows = len(next(iter(found.values())).array)
    spec = {field: _field(each, targets.get(field)) for field, each in found.items()}
    flat = {
        field: each.array[..., 0] if each.array.ndim == 4 and each.array.shape[3] == 1 else each.array
        for field, each in found.items()
        if field in targets
    }
    held = {
        field: np.empty((rows, *targets[field].shape), spec[field].dtype) if field in targets else each.array
        for field, each in found.items()
    }
    examples = source.ArraySource(held)

    def visit(index: int) -> bytes:
        for field, each in flat.items():
            held[field][index] = decode.to_array(Image.fromarray(each[index]), targets[field])
        return source.digest(examples[index])

    return source.Table(examples, spec), in_threads(visit, rows)


def _field(column: Column, target: Fit | None) -> Field:
    if target is not None:
        return target.field(column.names)
    return Field(column.kind, column.array.shape[1:], column.names, column.rate)
