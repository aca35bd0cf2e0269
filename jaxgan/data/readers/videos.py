"""Videos: animated pictures, one a file, brought to one size, one rate and one length; sub-folders are labels."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageSequence

from jaxgan.data import encoded, source
from jaxgan.data.decode import header, to_array
from jaxgan.data.readers import classes, files
from jaxgan.data.settings import File, Fit, Header, Settings, agree, joined
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

ENDINGS = frozenset({".gif", ".webp", ".png", ".apng"})
LONGEST = 64
"""Frames of a file that are kept."""
USUAL = 100  # milliseconds of a frame whose file says nothing, as browsers have it


class Head(NamedTuple):
    """What a file says of itself.

    Attributes:
      header: size and colours.
      stays: milliseconds that each of its frames stays.
    """

    header: Header
    stays: tuple[float, ...]

    def frames(self, period: float) -> int:
        """How many frames it has at one every `period` milliseconds."""
        return sum(_times(stay, period) for stay in self.stays)


def head(file: File) -> Head:
    """Returns what an animated picture says of itself; UserError for one that stands still."""
    with Image.open(file) as film:
        stays = tuple(_stay(frame) for frame in ImageSequence.Iterator(film))
    if len(stays) < 2:
        raise UserError("it is a still picture")
    file.seek(0)
    return Head(header(file), stays)


def decode(file: File, target: Fit, period: float, length: int) -> UInt8[np.ndarray, "t h w c"]:
    """Returns the first frames of a video, one every `period` milliseconds: one that stays longer is repeated."""
    frames: list[np.ndarray] = []
    with Image.open(file) as film:
        for frame in ImageSequence.Iterator(film):
            frames += [to_array(frame, target)] * _times(_stay(frame), period)
            if len(frames) >= length:
                break
    if len(frames) < length:
        raise UserError("it is shorter than it says")
    return np.stack(frames[:length])


def _stay(frame: Image.Image) -> float:
    frame.load()  # WebP says how long a frame stays when it has been decoded
    return float(frame.info.get("duration") or USUAL)


def _times(stay: float, period: float) -> int:
    return max(1, round(stay / period))


def load(tree: files.Tree, field: str, needs: Needs, settings: Settings) -> source.Data:
    """Returns the animated pictures (`.gif`, `.webp`, `.png`) of a folder or zip.

    The rate is that of the shortest frame of all files; the length is that of the shortest file.

    Args:
      tree: the files.
      field: what the needs call the videos.
      needs: what the recipe takes; whether there are labels.
      settings: size, resize, channels.

    Raises:
      UserError: if there are none, or naming those that cannot be read.
    """
    found = classes.listing(tree, ENDINGS)
    if not found.paths:
        raise UserError(f"--data {tree.name} holds no videos: none of its files ends in .gif, .webp or .png.")
    heads = _heads(tree, found.paths)
    period = min(stay for one in heads for stay in one.stays)
    counts = [one.frames(period) for one in heads]
    length = min(LONGEST, *counts)
    target, note = agree([one.header for one in heads], settings)

    def read(index: int) -> source.Example:
        with tree.open(found.paths[index]) as file:
            return {field: decode(file, target, period, length)}

    shape = Field("video", (length, *target.shape), rate=1000 / period)
    spec, read_all = files.labelled(found, needs, {field: shape}, read)
    films = encoded.Encoded([str(path) for path in found.paths], read_all, spec, "videos")
    cut = sum(count > length for count in counts)
    told = f"{length} frames at {1000 / period:.3g} a second"
    notes = joined(note, told, f"{cut} cut" if cut else "", files.noted(found, needs))
    return encoded.load(films, tree.name, notes, target.settings)


def _heads(tree: files.Tree, paths: Sequence[PurePosixPath]) -> list[Head]:
    def look(index: int) -> Head:
        with tree.open(paths[index]) as file:
            return head(file)

    return encoded.look_at_all(look, list(map(str, paths)), tree.name, "videos")
