"""Files of a folder or a zip, by path: which there are, how to open one, and what its sub-folder says."""

import functools
import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from jaxgan import fields
from jaxgan.data.readers.wants import named
from jaxgan.data.settings import File
from jaxgan.data.source import Example
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs, Spec

T = TypeVar("T")
# Formats that Pillow knows by name but cannot read alone, and documents.
NOT_PICTURES = frozenset({"BUFR", "GRIB", "HDF5", "MPEG", "WMF", "EPS", "PDF"})
# Pictures of phones and cameras that Pillow does not read: named as unreadable, not passed over in silence.
UNREADABLE = frozenset({".heic", ".heif", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"})
LARGEST_MEMBER = 1024**3
"""Bytes that a file in a zip may unpack to."""
FIRST = 5
"""Names shown in a sentence."""


class Tree(NamedTuple):
    """A folder or a zip.

    Attributes:
      name: what the user asked for.
      paths: of all files, relative to the root.
      open: opens one of them; safe to call from several threads.
    """

    name: str
    paths: tuple[PurePosixPath, ...]
    open: Callable[[PurePosixPath], File]


class Listing(NamedTuple):
    """Files by path relative to the root, sorted, their labels, and what is to be said of these."""

    paths: tuple[PurePosixPath, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...]
    note: str = ""


@functools.cache
def extensions() -> frozenset[str]:
    """Returns the lower-case file endings that are taken for pictures."""
    known = Image.registered_extensions().items()
    return frozenset(ending for ending, form in known if form not in NOT_PICTURES and form in Image.OPEN) | UNREADABLE


def chosen(paths: Sequence[PurePosixPath], endings: Collection[str]) -> list[PurePosixPath]:
    """Returns those of the paths that have one of these endings and are not hidden, sorted."""

    def fits(path: PurePosixPath) -> bool:
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
        return not hidden and path.suffix.lower() in endings

    return sorted(filter(fits, paths), key=str)


def below(paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """Returns the paths below the deepest folder that holds them all: one folder is not a class."""
    parts = [path.parts for path in paths]
    while parts and all(len(one) > 1 for one in parts) and len({one[0] for one in parts}) == 1:
        parts = [one[1:] for one in parts]
    return [PurePosixPath(*one) for one in parts]


def in_order(names: Iterable[str]) -> list[str]:
    """Returns names as people count: numbers by value (-1, 0, 2, 10), others with their numbers so (c_2, c_10)."""
    listed = list(names)
    if all(re.fullmatch(r"[+-]?\d+(\.\d+)?", name) for name in listed):
        return sorted(listed, key=lambda name: (float(name), name))
    # Between two numbers there always is a text, so numbers are compared with numbers.
    return sorted(listed, key=lambda name: ([_counted(part) for part in re.split(r"(\d+)", name)], name))


def _counted(part: str) -> tuple[int, int, str]:
    return (1, int(part), "") if part.isdecimal() else (0, 0, part)


def listing(paths: Sequence[PurePosixPath], endings: Collection[str]) -> Listing:
    """Returns the files with these endings; labelled by first folder if there are two and every file lies in one."""
    found = chosen(paths, endings)
    tops = [path.parts[0] if len(path.parts) > 1 else None for path in below(found)]
    names = in_order({top for top in tops if top is not None})
    if len(names) < 2 or None in tops:
        return Listing(tuple(found), None, ())
    index = {name: label for label, name in enumerate(names)}
    return Listing(tuple(found), tuple(index[top] for top in tops if top is not None), tuple(names))


def sub_folders(tree: Tree, endings: Collection[str]) -> dict[str, list[tuple[PurePosixPath, PurePosixPath]]]:
    """Returns the files of each first folder with these endings, each as (path, path within that folder)."""
    found = chosen(tree.paths, endings)
    folders: dict[str, list[tuple[PurePosixPath, PurePosixPath]]] = {}
    for path, inner in zip(found, below(found), strict=True):
        if len(inner.parts) > 1:
            folders.setdefault(inner.parts[0], []).append((path, PurePosixPath(*inner.parts[1:])))
    return folders


def labelled(
    found: Listing, needs: Needs, spec: Spec, read: Callable[[int], Example]
) -> tuple[dict[str, Field], Callable[[int], Example]]:
    """Returns the fields and their reader with the files' labels, where they have any and the needs ask for them."""
    name, labels = named(needs, "label"), found.labels
    if name is None or labels is None:
        return dict(spec), read
    return {**spec, name: fields.label(found.class_names)}, lambda index: read(index) | {name: np.int32(labels[index])}


def noted(found: Listing, needs: Needs) -> str:
    """Returns what is to be said of the files' labels, where the needs ask for labels."""
    return "" if named(needs, "label") is None else found.note


def first(names: Sequence[str]) -> str:
    """Returns the first names in a sentence, and how many more there are."""
    more = f" and {len(names) - FIRST} more" if len(names) > FIRST else ""
    return ", ".join(names[:FIRST]) + more


def _walk(root: Path) -> list[PurePosixPath]:
    """Returns every file below the root, links to folders followed, each folder once."""
    seen: set[str] = set()
    paths: list[PurePosixPath] = []

    def fail(error: OSError) -> None:
        raise UserError(f"--data {root}: cannot look into {error.filename}: {error.strerror}.") from error

    for folder, inner, names in os.walk(root, onerror=fail, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        paths.extend(relative / name for name in names)
    return paths


def of_folder(root: Path, name: str) -> Tree:
    """Returns the files in a folder and below; UserError where a folder cannot be looked into."""
    places = _places([(str(path), path) for path in _walk(root)], name)
    return Tree(name, tuple(places), lambda path: open(root / places[path], "rb"))


def _places(named: Iterable[tuple[str, T]], name: str) -> dict[PurePosixPath, T]:
    """Returns what each path stands for; tools of Windows put a backslash between folders."""
    listed = [(PurePosixPath(path.replace("\\", "/")), place) for path, place in named]
    twice = [str(path) for path, count in Counter(path for path, _ in listed).items() if count > 1]
    if twice:
        raise UserError(
            f"--data {name} holds {len(twice)} names more than once: {first(in_order(twice))}; pack it anew."
        )
    return dict(listed)


def of_zip(path: Path, name: str) -> Tree:
    """Returns the files in a zip, which are unpacked in memory only; UserError if it is damaged."""
    try:
        archive = zipfile.ZipFile(path)
        files = [one for one in archive.infolist() if not one.filename.endswith(("/", "\\"))]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"--data {name} is not a zip file that can be read: {error}.") from error

    members = _places([(one.filename, one) for one in files], name)

    def open_member(member: PurePosixPath) -> File:
        if members[member].file_size > LARGEST_MEMBER:
            raise UserError("unpacks to more than 1 GiB")
        return io.BytesIO(archive.read(members[member]))

    return Tree(name, tuple(members), open_member)
