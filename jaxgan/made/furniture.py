"""Chairs, stools and tables as voxels, drawn from parameters.

A shape is a handful of boxes: a seat or top; legs, a pedestal or side panels under it; perhaps a shelf; and for chairs
a back and perhaps arms. Voxels [d, h, w] lie along z, y and x as in glTF: z from the back to the front, y from the
floor up, x to the right. All shapes stand on the floor, face the viewer, and are mirror-symmetric from left to right.

Sizes are drawn in sixteenths of the cube, and rounded to voxels: the same seed gives the same furniture, finer, in a
larger cube.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64, UInt8

from jaxgan.errors import UserError
from jaxgan.fields import Field, label

Name: TypeAlias = Literal["chair", "stool", "table"]
Cells: TypeAlias = Int64[np.ndarray, "m"]
"""A number of voxels for each of m shapes."""
Flags: TypeAlias = Bool[np.ndarray, "m"]
Span: TypeAlias = tuple[Cells, Cells]
"""From the first voxel to the one behind the last."""

NAMES: tuple[Name, ...] = get_args(Name)
"""What the labels 0, 1 and 2 stand for."""
_CHAIR, _STOOL, _TABLE = range(3)
_LEGS, _PEDESTAL, _PANELS = range(3)
_SOLID, _FRAME, _SLAT, _LADDER = range(4)

_STREAM = 0x6675726E6974  # the generator's second key, apart from those of data orders
_VOXELS = 2**24  # made at once
# Sizes in sixteenths of the cube, least and greatest, for chairs, stools and tables.
_HALF = ((3, 5), (2, 4), (5, 7))  # of the width
_DEPTH = ((6, 10), (5, 9), (9, 14))
_HEIGHT = ((5, 7), (5, 10), (6, 10))  # of the seat or top
_BACK = (4, 8)
_ARM = (2, 3)


class Furniture(NamedTuple):
    """n shapes.

    Attributes:
        voxels: 255 where full, else 0.
        label: an index into `NAMES`.
    """

    voxels: UInt8[np.ndarray, "n d h w"]
    label: Int32[np.ndarray, "n"]


class _Sizes(NamedTuple):
    """What is drawn of m shapes, in voxels."""

    label: Int64[np.ndarray, "m"]
    half: Cells
    front: Cells
    back: Cells
    height: Cells
    thick: Cells
    base: Int64[np.ndarray, "m"]
    leg: Cells
    inset: Cells
    shelf: Flags
    shelf_height: Cells
    rest: Int64[np.ndarray, "m"]
    rest_height: Cells
    rest_thick: Cells
    post: Cells
    arms: Int64[np.ndarray, "m"]  # 0 none, 1 rails, 2 panels
    arm_height: Cells


class _Box(NamedTuple):
    """A box of each of m shapes, or none; `w` counts from the middle to both sides, `d` from front to back."""

    there: Flags
    w: Span
    d: Span
    h: Span


def furniture(seed: int, n: int, side: int = 16) -> Furniture:
    """Returns n shapes; shape i depends on the seed, i and the side only.

    About one voxel in sixteen is full. Of 4,000 shapes at side 16 most differ from all others.

    Args:
      seed: 0 or more; seeds apart give sets apart, for training and for held-out shapes.
      n: how many.
      side: of the cube in voxels, even and at least 16.

    Raises:
      UserError: if one of the three is out of range.
    """
    if not 0 <= seed < 2**64:
        raise UserError(f"the seed of furniture takes a whole number from 0 to 2^64 - 1, got {seed}.")
    if n < 1:
        raise UserError(f"furniture takes at least 1 shape, got {n}.")
    if side < 16 or side % 2:
        raise UserError(f"furniture takes an even side of at least 16 voxels, got {side}.")
    sizes = _draw(_uniform(seed, n), side)
    voxels = np.empty((n, side, side, side), np.uint8)
    rows = max(1, _VOXELS // side**3)
    for first in range(0, n, rows):
        voxels[first : first + rows] = _fill(_Sizes(*(each[first : first + rows] for each in sizes)), side)
    return Furniture(voxels, sizes.label.astype(np.int32))


def furniture_spec(side: int = 16) -> dict[str, Field]:
    """The fields of `Furniture` by name."""
    return {"voxels": Field("voxels", (side, side, side)), "label": label(NAMES)}


def _uniform(seed: int, n: int) -> Float64[np.ndarray, "draws n"]:
    """Numbers in [0, 1), a row of draws for each shape.

    From the raw words of a counter-based generator, of which NumPy promises the stream for ever.
    """
    draws = len(_Sizes._fields)
    words = np.random.Philox(key=np.array([seed, _STREAM], np.uint64)).random_raw(n * draws)
    return (words.reshape(n, draws).T >> 11) * 2.0**-53


def _draw(u: Float64[np.ndarray, "draws n"], side: int) -> _Sizes:
    """All sizes of all shapes."""
    unit = side / 16
    draw = iter(u)

    def choice(*shares: float) -> Int64[np.ndarray, "n"]:
        return np.searchsorted(np.cumsum(shares[:-1]), next(draw), side="right").astype(np.int64)

    def size(low: int | Float64[np.ndarray, "n"], high: int | Float64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
        # At side 16 each whole number from low to high is as likely as the others.
        wide = low - 0.5 + next(draw) * (high - low + 1)
        return np.floor(np.maximum(wide, 0) * unit + 0.5).astype(np.int64)

    kind = choice(1 / 3, 1 / 3, 1 / 3)

    def of_kind(ranges: tuple[tuple[int, int], ...]) -> Int64[np.ndarray, "n"]:
        return size(*np.array(ranges, float)[kind].T)

    half = of_kind(_HALF)
    depth = of_kind(_DEPTH)
    height = of_kind(_HEIGHT)
    thick = size(1, 2)
    front = (side - depth) // 2
    return _Sizes(
        label=kind,
        half=half,
        front=front,
        back=front + depth,
        height=height,
        thick=thick,
        base=choice(0.6, 0.25, 0.15),
        leg=size(1, 2),
        inset=size(0, 1),
        shelf=choice(0.65, 0.35) == 1,
        shelf_height=size(1, 3),
        rest=choice(0.4, 0.2, 0.2, 0.2),
        rest_height=size(*_BACK),
        rest_thick=size(1, 2),
        post=size(1, 2),
        arms=choice(0.5, 0.3, 0.2),
        arm_height=size(*_ARM),
    )


def _fill(sizes: _Sizes, side: int) -> UInt8[np.ndarray, "m side side side"]:
    """The boxes of some shapes as voxels."""
    along = np.arange(side)
    from_middle = np.maximum(along - side // 2, side // 2 - 1 - along)
    full = np.zeros((len(sizes.label), side, side, side), bool)
    for box in _boxes(sizes, side):
        w = _within(from_middle, box.w) & box.there[:, None]
        d = _within(along[::-1], box.d)
        h = _within(along, box.h)
        full |= d[:, :, None, None] & (h[:, :, None] & w[:, None, :])[:, None]
    return full * np.uint8(255)


def _within(places: Int64[np.ndarray, "side"], span: Span) -> Bool[np.ndarray, "m side"]:
    return (span[0][:, None] <= places) & (places < span[1][:, None])


def _boxes(s: _Sizes, side: int) -> Iterator[_Box]:
    """The boxes of all shapes, one of each at a time."""
    zero, every = np.zeros_like(s.half), np.ones(s.half.shape, bool)
    yield _Box(every, (zero, s.half), (s.front, s.back), (s.height - s.thick, s.height))
    yield from _supports(s, side)
    yield from _rests(s, side)
    yield from _arms(s, side)


def _supports(s: _Sizes, side: int) -> Iterator[_Box]:
    """What stands under the seat or top."""
    zero, unit, middle = np.zeros_like(s.half), side // 16, side // 2
    outer, front, back = s.half - s.inset, s.front + s.inset, s.back - s.inset
    under = (zero, s.height - s.thick)
    legs = s.base == _LEGS
    yield _Box(legs, (outer - s.leg, outer), (front, front + s.leg), under)
    yield _Box(legs, (outer - s.leg, outer), (back - s.leg, back), under)
    yield _Box(s.base == _PANELS, (outer - s.leg, outer), (front, back), under)
    pedestal = s.base == _PEDESTAL
    column, foot = s.leg, np.maximum(s.half - s.inset - unit, s.leg)
    yield _Box(pedestal, (zero, column), (middle - column, middle + column), under)
    yield _Box(pedestal, (zero, foot), (middle - foot, middle + foot), (zero, zero + unit))
    yield _Box(s.shelf & ~pedestal, (zero, outer), (front, back), (s.shelf_height, s.shelf_height + unit))


def _rests(s: _Sizes, side: int) -> Iterator[_Box]:
    """The back of a chair: solid, or two posts and a rail, with a slat or a second rail between."""
    zero, unit, chair = np.zeros_like(s.half), side // 16, s.label == _CHAIR
    d, top = (s.back - s.rest_thick, s.back), s.height + s.rest_height
    yield _Box(chair & (s.rest == _SOLID), (zero, s.half), d, (s.height, top))
    yield _Box(chair, (s.half - s.post, s.half), d, (s.height, top))
    yield _Box(chair, (zero, s.half), d, (top - s.post, top))
    yield _Box(chair & (s.rest == _SLAT), (zero, zero + unit), d, (s.height, top))
    middle = s.height + (s.rest_height - s.post) // 2
    yield _Box(chair & (s.rest == _LADDER), (zero, s.half), d, (middle, middle + unit))


def _arms(s: _Sizes, side: int) -> Iterator[_Box]:
    """Arms of a chair: panels, or rails on posts."""
    unit, chair = side // 16, s.label == _CHAIR
    w, top = (s.half - unit, s.half), s.height + s.arm_height
    yield _Box(chair & (s.arms == 2), w, (s.front, s.back), (s.height, top))
    yield _Box(chair & (s.arms == 1), w, (s.front, s.back), (top - unit, top))
    yield _Box(chair & (s.arms == 1), w, (s.front, s.front + unit), (s.height, top))
