"""The `.binvox` format of voxel grids (P. Min, https://www.patrickmin.com/binvox/binvox.html).

A text header (`#binvox 1`, `dim`, `translate`, `scale`, `data`), then runs of two bytes: a value, 0 or 1, and how often
it comes, 1 to 255. Of the format's coordinates y runs fastest, then z, then x; y points up.
"""

import numpy as np
from jaxtyping import UInt8

from jaxgan.errors import UserError

LARGEST = 1024
"""Voxels a side that are read."""


def parse(content: bytes) -> UInt8[np.ndarray, "d h w"]:
    """Returns the grid in a `.binvox` file's bytes: 0 and 1, axes [z, y, x], so that `h` is the height from the ground.

    Raises:
      UserError: if the bytes are no such grid, or are cut short.
    """
    head, found, body = content.partition(b"data\n")
    lines = [line.split() for line in head.splitlines()]
    if not found or not lines or lines[0][:1] != [b"#binvox"]:
        raise UserError("not a .binvox file")
    sides = _sides(lines)
    runs = np.frombuffer(body[: len(body) // 2 * 2], np.uint8).reshape(-1, 2)
    total = int(runs[:, 1].sum(dtype=np.int64))
    if total != np.prod(sides):
        raise UserError(f"damaged: it should hold {np.prod(sides):,} voxels and holds {total:,}")
    by_xzy = np.repeat((runs[:, 0] > 0).astype(np.uint8), runs[:, 1]).reshape(sides)
    return np.ascontiguousarray(by_xzy.transpose(1, 2, 0))


def _sides(lines: list[list[bytes]]) -> tuple[int, int, int]:
    """Returns the header's three sides."""
    try:
        x, z, y = next(tuple(int(side) for side in line[1:]) for line in lines if line[:1] == [b"dim"])
    except (StopIteration, ValueError) as error:
        raise UserError("damaged: its header has no three sides") from error
    if not all(0 < side <= LARGEST for side in (x, z, y)):
        raise UserError(f"its sides must be 1 to {LARGEST} voxels, got {x} {z} {y}")
    return x, z, y
