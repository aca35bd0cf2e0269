"""Picture files of one field: images, masks or label maps, whichever the needs and the files say."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8
from PIL import Image

from jaxgan.data.decode import decode, forgiving, header, indices, opened, to_array
from jaxgan.data.readers.wants import LOOKS
from jaxgan.data.settings import File, Fit, Header, Look, joined
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError

INDEXED = frozenset({"P", "I;16", ".npy"})
"""Modes of files that hold classes rather than colours."""
DEEP = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
"""Modes of more than 8 bits, whose masks have a span of their own."""
GRIDS = frozenset({".npy"})
Open = Callable[[PurePosixPath], File]
Stored = UInt8[np.ndarray, "h w c"] | Int32[np.ndarray, "h w"]


class Pictures(NamedTuple):
    """The files of one field, in the order of the examples.

    Attributes:
      open: opens one of them.
      paths: of the files.
      kind: what they hold.
      headers: of those that can be read.
      names: of a label map's classes.
      gain: 255 for masks that hold 0 and 1.
    """

    open: Open
    paths: Sequence[PurePosixPath]
    kind: Look
    headers: list[Header]
    names: tuple[str, ...] = ()
    gain: int = 1

    def read(self, index: int, target: Fit) -> Stored:
        """Returns picture i as it is stored; UserError for a label map's class that has no name."""
        path = self.paths[index]
        with self.open(path) as file:
            if path.suffix.lower() in GRIDS:
                stored = to_array(Image.fromarray(_grid(file, target.kind)), target)
            else:
                stored = decode(file, target._replace(gain=self.gain))
        if self.kind == "label_map" and stored.max(initial=0) >= len(self.names):
            limit = f"there are names for 0 to {len(self.names) - 1}"
            raise UserError(f"it holds class {stored.max()}, and {limit}")
        return stored


def _grid(file: File, kind: Look) -> Int32[np.ndarray, "h w"]:
    array = np.load(file, allow_pickle=False)
    if kind != "label_map" or array.ndim != 2 or array.dtype.kind not in "iub" or array.min(initial=0) < 0:
        raise UserError(f"an .npy file here holds a label map [h, w] of whole numbers, not {_form(array)} of a {kind}")
    return array.astype(np.int32)


def _form(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"


def _look(open_path: Open, path: PurePosixPath) -> tuple[Header, str]:
    with open_path(path) as file:
        if path.suffix.lower() in GRIDS:
            height, width = np.load(file, allow_pickle=False).shape
            return Header(height, width, grey=True), ".npy"
        seen = header(file)
        return seen._replace(name=str(path)), seen.mode


def _highest(open_path: Open, path: PurePosixPath, kind: Look) -> int:
    """Returns the largest number that the file holds."""
    with open_path(path) as file:
        if path.suffix.lower() in GRIDS:
            return int(_grid(file, kind).max(initial=0))
        return forgiving(lambda file: _peak(file, kind), file)


def _peak(file: File, kind: Look) -> int:
    with opened(file) as image:
        grey = image if image.mode in DEEP else image.convert("L")
        return int((indices(image) if kind == "label_map" else np.asarray(grey)).max(initial=0))


def _seen(function: Callable[[PurePosixPath], object], paths: Sequence[PurePosixPath]) -> list:
    """Returns the function of every path that can be read: what cannot is reported when it is decoded."""

    def attempt(index: int) -> object:
        try:
            return function(paths[index])
        except Exception:
            return None

    return [one for one in in_threads(attempt, len(paths)) if one is not None]


def _kind(kinds: Sequence[str], modes: set[str], classes: tuple[str, ...]) -> Look:
    able: list = [kind for kind in kinds if kind in LOOKS]
    plain = [kind for kind in able if kind != "label_map"]
    if not plain or ("label_map" in able and (classes or (modes and modes <= INDEXED))):
        return "label_map"
    return plain[0]


def survey(
    open_path: Open, paths: Sequence[PurePosixPath], kinds: Sequence[str], name: str, classes: tuple[str, ...] = ()
) -> tuple[Pictures, str]:
    """Looks at all files of a field: (the pictures, what was guessed of them).

    A field that may be an image or a label map is a label map where its files hold places in a palette, 16 bits or
    `.npy`, or where there are names of classes.

    Args:
      open_path: opens a file.
      paths: of the files, at least one.
      kinds: that the needs allow.
      name: of the field.
      classes: the names of a label map's classes; () for as many as the largest number asks for.
    """
    seen = _seen(lambda path: _look(open_path, path), paths)
    headers = [each for each, _ in seen]
    kind = _kind(kinds, {mode for _, mode in seen}, classes)
    guess = f"{name} read as {kind}" if len(set(kinds) & set(LOOKS)) > 1 else ""
    if kind == "image" or (kind == "label_map" and classes):
        return Pictures(open_path, paths, kind, headers, classes if kind == "label_map" else ()), guess
    highest = max(_seen(lambda path: _highest(open_path, path, kind), paths), default=0)
    if kind == "label_map":
        names = tuple(str(value) for value in range(highest + 1))
        return Pictures(open_path, paths, kind, headers, names), joined(guess, f"{name} holds classes 0 to {highest}")
    if highest > 1 or {mode for _, mode in seen} & DEEP:
        return Pictures(open_path, paths, kind, headers), guess
    note = f"{name} holds 0 and 1, taken as 0 and 255"
    return Pictures(open_path, paths, kind, headers, gain=255), joined(guess, note)
