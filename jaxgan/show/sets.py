"""Many examples in what `--out` names: one picture, arrays, a numbered series of files, or a folder."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jaxgan.errors import UserError
from jaxgan.fields import Field, Spec
from jaxgan.show import meshes, text
from jaxgan.show.files import FILES
from jaxgan.show.layout import TILE, magnify
from jaxgan.show.replace import replaced
from jaxgan.show.sheets import columns_of, compare, grid, write_png
from jaxgan.show.tiles import examples, tile

MOST = 2**31 - 64  # numbers of examples are int32, and they are made 64 at a time
HELD_BYTES = 4 << 30  # of examples that are in memory together
LONGEST = 40  # letters of a class in a file's name
HELD = (".png", ".npz")
# An --out with one of these endings is meant as a file: it is refused where the fields cannot be written so.
FILE_ENDINGS = (
    *(".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".npy", ".zip", ".mp4", ".wav", ".mp3", ".flac"),
    *(".mid", ".glb", ".gltf", ".obj", ".stl", ".ply", ".off", ".txt", ".csv", ".json"),
)
Batches: TypeAlias = Iterable[Mapping[str, Any]]


class Labels(NamedTuple):
    """The classes of examples.

    Attributes:
        of: number of an example to its class.
        names: of the classes; () for their numbers.
    """

    of: Callable[[int], int]
    names: tuple[str, ...] = ()

    def word(self, i: int) -> str:
        """The class of an example as a file's name has it: letters and digits of its name, or its number."""
        label = self.of(i)
        return slug(self.names[label]) or str(label) if self.names else str(label)


def slug(name: str) -> str:
    """A name as a part of a file's name: what a file system may not take becomes "_", and long ones are cut."""
    return re.sub(r"[^\w.+-]+", "_", name)[:LONGEST].strip("._")


def check_out(out: Path | None, spec: Spec, n: int) -> None:
    """Raise UserError for a place that n examples of the spec cannot be written to, before any is made.

    Args:
        out: a file or a folder; None for a folder of the caller's choice.
        spec: the fields of an example; a side that is not known counts as one.
        n: how many.
    """
    if n > MOST:
        raise UserError(f"--n must be at most {MOST}, got {n}.")
    if out is None:
        return
    _check_ending(out, spec)
    if out.is_dir() and any(out.iterdir()):
        raise UserError(f"--out takes a file, or a new or empty folder, but {out} has files.")
    suffix = out.suffix.lower()
    size = n * sum(_bytes(field, suffix) for field in spec.values()) if suffix in HELD else 0
    if size > HELD_BYTES:
        raise UserError(
            f"--n {n} makes {size / 2**30:.3g} GiB of {_noun(spec)} and a {out.suffix} file takes up to "
            f"{HELD_BYTES / 2**30:.3g} GiB; give --out a folder, or make fewer."
        )


def _noun(spec: Spec) -> str:
    return "images" if {field.kind for field in spec.values()} == {"image"} else "examples"


def _bytes(field: Field, suffix: str) -> int:
    """What one example takes in memory; in a picture its tile may take more than itself."""
    example = np.ones([side or 1 for side in field.shape], field.dtype)
    return max(example.nbytes, tile(field, example).nbytes if suffix == ".png" else 0)


def _check_ending(out: Path, spec: Spec) -> None:
    suffix, series = out.suffix.lower(), _series(spec)
    if suffix in FILE_ENDINGS and suffix not in series:
        *most, last = [f"a {ending} file" for ending in (*HELD, *series)]
        raise UserError(f"--out takes {', '.join([*most, last])} or a folder, got {out}.")
    if suffix in series and suffix in meshes.ENDINGS:
        meshes.libraries()


def _series(spec: Spec) -> dict[str, str]:
    """Endings of files that hold one example, each with the one field that is written so."""
    found: dict[str, list[str]] = {}
    for name, field in spec.items():
        own = FILES[field.kind].ending
        for ending in meshes.ENDINGS if field.kind == "voxels" else (own,) if own not in (".png", ".npy") else ():
            found.setdefault(ending, []).append(name)
    return {ending: names[0] for ending, names in found.items() if len(names) == 1}


def write_set(
    out: Path, spec: Spec, batches: Batches, labels: Labels | None = None, columns: int | None = None
) -> None:
    """Write examples as `out` asks.

    `.png`: one picture, a grid of one field or a sheet with a row an example. `.npz`: arrays under the fields' names;
    one image field is called `images`, and classes `labels`. `.txt`: a line an example. `.wav`, `.gif`, `.glb`, `.obj`
    or `.stl`: one file of one example, else a series `x-000000.wav`. Anything else: a folder with a file an example,
    or with such a folder for each of several fields.

    Args:
        out: a file or a folder.
        spec: the fields that are written.
        batches: {name: stored [n, ...]}, one example at least; those for a folder or a series need not be in memory
            together.
        labels: the classes, which become part of a file's name; None without classes.
        columns: of a grid; by default some for each class where there are few, else about as many as rows.

    Raises:
        UserError: a place that cannot be written to, an ending that the fields have no file for, a value that a file
            cannot hold, or too little memory.
    """
    _check_ending(out, spec)
    suffix, series = out.suffix.lower(), _series(spec)
    try:
        if suffix not in (*HELD, *series):
            _write_folder(out, spec, batches, labels)
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".png":
            _write_picture(out, spec, batches, labels, columns)
        elif suffix == ".npz":
            _write_arrays(out, spec, batches, labels)
        elif suffix == ".txt":
            _write_lines(out, series[suffix], spec, batches)
        else:
            _write_series(out, series[suffix], spec, batches, labels)
    except OSError as error:
        raise UserError(f"--out {out} cannot be written: {error.strerror or error}.") from error
    except MemoryError as error:
        raise UserError(
            f"--out {out} needs more memory than there is; make fewer {_noun(spec)}, or a folder."
        ) from error


def _write_picture(out: Path, spec: Spec, batches: Batches, labels: Labels | None, columns: int | None) -> None:
    if len(spec) > 1:
        write_png(out, compare({"": (spec, _joined(spec, batches))}))
        return
    (name,) = spec
    shown = [magnify(tile(spec[name], example[name]), TILE) for example in examples(spec, batches)]
    classes = len({labels.of(i) for i in range(len(shown))}) if labels else 0
    write_png(out, grid(shown, columns or columns_of(len(shown), classes)))


def _joined(spec: Spec, batches: Batches) -> dict[str, np.ndarray]:
    held = list(batches)
    return {name: np.concatenate([batch[name] for batch in held]) for name in spec}


def _write_arrays(out: Path, spec: Spec, batches: Batches, labels: Labels | None) -> None:
    arrays = _joined(spec, batches)
    alone = [field.kind for field in spec.values()] == ["image"]
    if alone:
        arrays = {"images": arrays.popitem()[1]}
    if labels and "label" not in arrays:
        n = len(next(iter(arrays.values())))
        arrays["labels" if alone else "label"] = np.array([labels.of(i) for i in range(n)], np.int32)
        if labels.names:
            arrays["label_names"] = np.array(labels.names)
    with (
        replaced(out) as temporary,
        temporary.open("wb") as file,
    ):  # given a name, NumPy would add a second suffix to x.NPZ
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]


def _write_lines(out: Path, name: str, spec: Spec, batches: Batches) -> None:
    with replaced(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(text.words(spec[name], example[name]) + "\n" for example in examples(spec, batches))


def _write_series(out: Path, name: str, spec: Spec, batches: Batches, labels: Labels | None) -> None:
    made = (example[name] for example in examples(spec, batches))
    first = list(itertools.islice(made, 2))
    for i, example in enumerate(itertools.chain(first, made)):
        path = out if len(first) < 2 else out.with_name(f"{out.stem}-{_number(i, labels)}{out.suffix}")
        write = meshes.write_mesh if out.suffix.lower() in meshes.ENDINGS else FILES[spec[name].kind].write
        write(path, spec[name], example)


def _write_folder(out: Path, spec: Spec, batches: Batches, labels: Labels | None) -> None:
    places = {name: out if len(spec) == 1 else out / name for name in spec}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    for i, example in enumerate(examples(spec, batches)):
        for name, field in spec.items():
            _write_one(places[name] / _number(i, labels), field, example[name])


def _write_one(path: Path, field: Field, example: np.ndarray) -> None:
    ending, write = FILES[field.kind]
    write(path.with_name(path.name + ending), field, example)


def _number(i: int, labels: Labels | None) -> str:
    return f"{i:06d}" if labels is None else f"{i:06d}-{labels.word(i)}"
