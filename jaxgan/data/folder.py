"""A folder or a zip of images; sub-folders are labels."""

import io
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image

from jaxgan.data import encoded, source
from jaxgan.data.settings import File, Settings
from jaxgan.errors import UserError

# Formats that Pillow knows by name but cannot read alone, and documents.
NOT_PICTURES = frozenset({"BUFR", "GRIB", "HDF5", "MPEG", "WMF", "EPS", "PDF"})
# Pictures of phones and cameras that Pillow does not read: named as unreadable, not passed over in silence.
UNREADABLE = frozenset({".heic", ".heif", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"})
LARGEST_MEMBER = 1024**3
"""Bytes that a file in a zip may unpack to."""


class Listing(NamedTuple):
    """Image files by path relative to the root, sorted, and their labels."""

    paths: tuple[PurePosixPath, ...]
    labels: tuple[int, ...] | None
    class_names: tuple[str, ...]


def extensions() -> frozenset[str]:
    """Returns the lower-case file endings that are taken for pictures."""
    known = Image.registered_extensions().items()
    return frozenset(ending for ending, form in known if form not in NOT_PICTURES and form in Image.OPEN) | UNREADABLE


def _is_picture(path: PurePosixPath, endings: frozenset[str]) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return not hidden and path.suffix.lower() in endings


def _without_common_root(paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """Returns the paths below the deepest folder that holds them all: one folder is not a class."""
    parts = [path.parts for path in paths]
    while parts and all(len(one) > 1 for one in parts) and len({one[0] for one in parts}) == 1:
        parts = [one[1:] for one in parts]
    return [PurePosixPath(*one) for one in parts]


def listing(paths: Sequence[PurePosixPath]) -> Listing:
    """Returns the pictures among the paths; labelled by first folder if there are two and every picture lies in one."""
    endings = extensions()
    pictures = sorted((path for path in paths if _is_picture(path, endings)), key=str)
    below = _without_common_root(pictures)
    tops = [path.parts[0] if len(path.parts) > 1 else None for path in below]
    names = sorted({top for top in tops if top is not None})
    if len(names) < 2 or None in tops:
        return Listing(tuple(pictures), None, ())
    index = {name: label for label, name in enumerate(names)}
    return Listing(tuple(pictures), tuple(index[top] for top in tops if top is not None), tuple(names))


def _walk(root: Path) -> list[PurePosixPath]:
    """Returns every file below the root, links to folders followed, each folder once."""
    seen: set[str] = set()
    paths: list[PurePosixPath] = []

    def fail(error: OSError) -> None:
        raise UserError(f"--data {root}: cannot look into {error.filename}: {error.strerror}.") from error

    for folder, below, names in os.walk(root, onerror=fail, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        paths.extend(relative / name for name in names)
    return paths


def _load(found: Listing, open_path: Callable[[PurePosixPath], File], name: str, settings: Settings) -> source.Data:
    if not found.paths:
        raise UserError(f"--data {name} holds no images: none of its files has an ending such as .png, .jpg or .webp.")

    def read(index: int) -> tuple[File, int | None]:
        return open_path(found.paths[index]), found.labels[index] if found.labels else None

    images = encoded.EncodedImages([str(path) for path in found.paths], read, found.class_names)
    target, note = encoded.survey(images, settings)
    return encoded.load(images, name, target, note)


def load_folder(root: Path, name: str, settings: Settings) -> source.Data:
    """Returns the images in a folder and below.

    Raises:
      UserError: if there are none, or naming those that cannot be read.
    """
    return _load(listing(_walk(root)), lambda path: open(root / path, "rb"), name, settings)


def load_zip(path: Path, name: str, settings: Settings) -> source.Data:
    """Returns the images in a zip file, unpacked in memory only.

    Raises:
      UserError: if it is damaged, holds no images, or naming those that cannot be read.
    """
    try:
        archive = zipfile.ZipFile(path)
        members = {PurePosixPath(one.filename): one for one in archive.infolist() if not one.is_dir()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"--data {name} is not a zip file that can be read: {error}.") from error

    def open_member(member: PurePosixPath) -> File:
        if members[member].file_size > LARGEST_MEMBER:
            raise UserError("unpacks to more than 1 GiB")
        return io.BytesIO(archive.read(members[member]))

    return _load(listing(tuple(members)), open_member, name, settings)
