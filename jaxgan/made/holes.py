"""Holes for pictures to be filled: boxes and brush strokes, each a pure function of a key and a size.

The law of Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution" (arXiv:1806.03589), with its lengths,
which are pixels of pictures of 256, as shares of the picture: a box of half the sides, each edge drawn in by up to a
sixteenth; and 1 to 3 strokes of 4 to 11 straight pieces, whose directions turn to and fro, as of one who rubs out.
Each stroke is mirrored by chance both ways, so that all directions are alike.
"""

import math
from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

Holes: TypeAlias = Literal["both", "boxes", "strokes", "centre"]
_STROKES, _PIECES = (1, 3), (4, 11)  # fewest and most
_WIDTHS = (12 / 256, 40 / 256)  # of a stroke, in the picture's shorter side
_TURN, _SPREAD = 2 * math.pi / 5, 2 * math.pi / 15  # the mean angle of a piece, and the most that it differs by


def holes(
    keys: Key[Array, " b"], height: int, width: int, kind: Holes = "both"
) -> Float[Array, "b {height} {width} 1"]:
    """Masks, 1 in the hole and 0 elsewhere; mask i depends on key i and the size only.

    Args:
        keys: one for each mask.
        height: of the pictures, pixels.
        width: of the pictures, pixels.
        kind: "boxes", "strokes" or both together; "centre" is the same middle half of the sides for all.
    """
    draw = {
        "both": lambda key: box(key, height, width) | strokes(key, height, width),
        "boxes": lambda key: box(key, height, width),
        "strokes": lambda key: strokes(key, height, width),
        "centre": lambda _: centre(height, width),
    }[kind]
    return jax.vmap(draw)(keys)[..., None].astype(jnp.float32)


def centre(height: int, width: int) -> Bool[Array, "{height} {width}"]:
    """The middle half of each side."""
    return _within(height, height // 4, height // 4 + height // 2)[:, None] & _within(
        width, width // 4, width // 4 + width // 2
    )


def box(key: Key[Array, ""], height: int, width: int) -> Bool[Array, "{height} {width}"]:
    """A box of half the sides somewhere in the picture, each of its edges drawn in by up to a sixteenth."""
    spans = []
    for axis, side in enumerate((height, width)):
        place, low, high = jax.random.split(jax.random.fold_in(key, axis), 3)
        first = jax.random.randint(place, (), 0, side - side // 2 + 1)
        begin = first + jax.random.randint(low, (), 0, side // 16 + 1)
        end = first + side // 2 - jax.random.randint(high, (), 0, side // 16 + 1)
        spans.append(_within(side, begin, end))
    return spans[0][:, None] & spans[1]


def strokes(key: Key[Array, ""], height: int, width: int) -> Bool[Array, "{height} {width}"]:
    """1 to 3 strokes with round ends and corners."""
    number, *each = jax.random.split(jax.random.fold_in(key, 2), 1 + _STROKES[1])
    count = jax.random.randint(number, (), _STROKES[0], _STROKES[1] + 1)
    drawn = jax.vmap(lambda key: _stroke(key, height, width))(jnp.stack(each))
    return (drawn & (jnp.arange(_STROKES[1]) < count)[:, None, None]).any(0)


def _stroke(key: Key[Array, ""], height: int, width: int) -> Bool[Array, "{height} {width}"]:
    start, pieces, breadth, way, rest = jax.random.split(key, 5)
    low, high = (share * min(height, width) for share in _WIDTHS)
    radius = jax.random.uniform(breadth, (), minval=low, maxval=high) / 2
    count = jax.random.randint(pieces, (), _PIECES[0], _PIECES[1] + 1)
    size = jnp.array([height, width], jnp.float32)
    first = jax.random.uniform(start, (2,)) * size

    def go(at: Array, move: Array) -> tuple[Array, Array]:
        there = jnp.clip(at + move, 0, size)
        return there, there

    mirrored = jax.random.rademacher(way, (2,), jnp.float32)
    _, others = jax.lax.scan(go, first, _moves(rest, math.hypot(height, width)) * mirrored)
    corners = jnp.concatenate([first[None], others])
    near = _distances(corners[:-1], corners[1:], height, width) <= radius
    return (near & (jnp.arange(_PIECES[1]) < count)[:, None, None]).any(0)


def _moves(key: Key[Array, ""], diagonal: float) -> Float[Array, "pieces 2"]:
    """From each corner of a stroke to the next one, pixels down and across."""
    spread, turn, length = jax.random.split(key, 3)
    most = jax.random.uniform(spread, (), maxval=_SPREAD)
    angles = _TURN + most * jax.random.uniform(turn, (_PIECES[1],), minval=-1)
    angles = jnp.where(jnp.arange(_PIECES[1]) % 2 == 0, 2 * math.pi - angles, angles)
    lengths = diagonal / 8 + diagonal / 16 * jax.random.normal(length, (_PIECES[1],))
    lengths = jnp.clip(lengths, 0, diagonal / 4)
    return lengths[:, None] * jnp.stack([jnp.cos(angles), jnp.sin(angles)], 1)


def _distances(
    a: Float[Array, "n 2"], b: Float[Array, "n 2"], height: int, width: int
) -> Float[Array, "n {height} {width}"]:
    """How far the middles of all pixels are from the straight pieces between `a` and `b`."""
    rows, columns = jnp.meshgrid(jnp.arange(height) + 0.5, jnp.arange(width) + 0.5, indexing="ij")
    from_a = jnp.stack([rows, columns], -1) - a[:, None, None]
    along = (b - a)[:, None, None]
    share = (from_a * along).sum(-1) / jnp.maximum((along**2).sum(-1), 1e-6)
    return jnp.linalg.norm(from_a - jnp.clip(share, 0, 1)[..., None] * along, axis=-1)


def _within(side: int, begin: int | Array, end: int | Array) -> Bool[Array, " {side}"]:
    places = jnp.arange(side)
    return (begin <= places) & (places < end)
