"""A large picture through a translator tile by tile, so that memory does not grow with the picture."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from jaxtyping import Float

from jaxgan.errors import UserError

Translate: TypeAlias = Callable[[Any], np.ndarray]
"""A picture `[h, w, c]`, a map `[h, w]` or a tree of them, to one `[s h, s w, k]` of a whole s, float32."""
LARGE = 1024 * 1024
"""Pixels from which on a picture is cut into tiles where nobody says."""
TILE = 512


def tile_of(option: int | None, shape: tuple[int, ...]) -> int:
    """The side of the tiles for a picture of this shape, 0 for none: what is asked for, or by the picture's size."""
    if option is not None:
        return option
    return TILE if shape[0] * shape[1] > LARGE else 0


def check(tile: int, overlap: int) -> None:
    """Raise UserError for tiles that leave no middle between their margins."""
    if tile and tile <= 2 * overlap:
        raise UserError(f"--tile must be above twice --overlap, {2 * overlap}, got {tile}; 0 takes pictures whole.")


def count(shape: tuple[int, ...], tile: int, overlap: int) -> int:
    """How many tiles a picture of this shape has."""
    return int(np.prod([len(_starts(side, tile, overlap)) for side in shape[:2]]))


def translated(
    picture: Any, translate: Translate, tile: int, overlap: int, done: Callable[[int], None] = lambda _: None
) -> Float[np.ndarray, "h w c"]:
    """The whole picture's translation, from tiles of one size.

    A tile has `overlap` pixels of its neighbours, or of the mirrored edge, on each side. The outer half of that margin
    is dropped and the inner half mixed linearly with the neighbour's: there is no seam where half the margin is as wide
    as what the network sees around a pixel, and its layers normalise by stored statistics.

    Args:
        picture: `[h, w, ...]`, or a tree of such arrays of one size.
        translate: of one tile `[tile, tile, ...]` of each, to one larger by a whole number or as large.
        tile: side of a tile, margins counted.
        overlap: width of a margin.
        done: is told how many tiles are made.

    Returns:
        float32, `[s h, s w, c]`.
    """
    check(tile, overlap)
    sides = jax.tree.leaves(picture)[0].shape[:2]
    starts = [_starts(side, tile, overlap) for side in sides]
    pads = [(overlap, places[-1] + tile - side) for places, side in zip(starts, sides, strict=True)]
    padded = jax.tree.map(lambda x: np.pad(x, [*pads, *[(0, 0)] * (x.ndim - 2)], mode="reflect"), picture)
    made = (
        (translate(jax.tree.map(lambda x, at=place: x[at], padded)), place) for place in _places(starts, tile, overlap)
    )
    first, corner = next(made)
    scale = first.shape[0] // tile
    height, width = (scale * (side + sum(pad)) for side, pad in zip(sides, pads, strict=True))
    total = np.zeros((height, width, first.shape[-1]), np.float32)
    weight = np.zeros((*total.shape[:2], 1), np.float32)
    ramp = _ramp(tile, overlap, scale)
    share = (ramp[:, None] * ramp)[..., None]
    for number, (part, place) in enumerate(itertools.chain([(first, corner)], made), 1):
        scaled = tuple(slice(scale * each.start, scale * each.stop) for each in place)
        total[scaled] += share * part
        weight[scaled] += share
        done(number)
    inside = tuple(slice(overlap * scale, (overlap + side) * scale) for side in sides)
    return total[inside] / weight[inside]


def _places(starts: Sequence[Sequence[int]], tile: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """Where each tile lies in the picture with its margins."""
    for y, x in itertools.product(*starts):
        yield slice(y + overlap, y + overlap + tile), slice(x + overlap, x + overlap + tile)


def _starts(side: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along a side, the first before it by its margin."""
    middle = tile - 2 * overlap
    return [start - overlap for start in range(0, side, middle)]


def _ramp(tile: int, overlap: int, scale: int) -> Float[np.ndarray, " side"]:
    """What a tile weighs along a side: 0 in the outer half of its margin, 1 from as far inside as that on."""
    if not overlap:
        return np.ones(tile * scale, np.float32)
    places = (np.arange(tile * scale) + 0.5) / scale
    distance = np.minimum(places, tile - places)
    return np.clip((distance - overlap / 2) / overlap, 0, 1).astype(np.float32)
