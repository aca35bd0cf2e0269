"""Pictures whose size is a number and not a shape: each of a batch is resized by a factor of its own in one program.

A canvas has room for the largest size; its picture stands in the top left corner, and whatever is beyond it means
nothing. Without widening of the filters when pictures shrink, as PyTorch's `interpolate` resizes for Real-ESRGAN
(Wang et al. 2021, arXiv:2107.10833).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError

MODES = ("area", "bilinear", "bicubic")
_SHARP = -0.75  # the slope of the cubic that PyTorch takes


class Canvas(NamedTuple):
    """A picture on a larger sheet.

    Attributes:
        pixels: of the sheet.
        size: height and width of the picture, at most those of the sheet.
    """

    pixels: Float[Array, "H W c"]
    size: Int[Array, "2"]


def canvas(x: Float[Array, "h w c"], height: int, width: int) -> Canvas:
    """A picture on a sheet of this size.

    Raises:
        UserError: a sheet that is smaller than the picture.
    """
    if height < x.shape[0] or width < x.shape[1]:
        raise UserError(f"a canvas of {height}x{width} is smaller than its picture of {x.shape[0]}x{x.shape[1]}.")
    pads = ((0, height - x.shape[0]), (0, width - x.shape[1]), (0, 0))
    return Canvas(jnp.pad(x, pads), jnp.array(x.shape[:2], jnp.int32))


def mirrored(made: Canvas, margin: int) -> Float[Array, "m n c"]:
    """The sheet and a margin around it, filled with mirror images of the picture (the edge is not repeated)."""
    x = made.pixels
    for axis in (0, 1):
        turn = jnp.maximum(2 * (made.size[axis] - 1), 1)
        place = jnp.arange(-margin, made.pixels.shape[axis] + margin) % turn
        x = jnp.take(x, jnp.minimum(place, turn - place), axis)
    return x


def clamped(made: Canvas) -> Float[Array, "H W c"]:
    """The sheet, filled with the edge of the picture."""
    x = made.pixels
    for axis in (0, 1):
        x = jnp.take(x, jnp.minimum(jnp.arange(x.shape[axis]), made.size[axis] - 1), axis)
    return x


def resized(made: Canvas, size: Int[Array, "2"], mode: Int[Array, ""] | int) -> Canvas:
    """The picture in another size, at most that of the sheet.

    Args:
        made: a picture.
        size: height and width to be.
        mode: a place in `MODES`.
    """
    exact = jax.lax.Precision.HIGHEST
    x = clamped(made)  # for what is beyond counts 0 times, and must be finite
    down, across = (weights(x.shape[i], made.size[i], size[i], mode) for i in (0, 1))
    return Canvas(jnp.einsum("iy,yxc,jx->ijc", down, x, across, precision=exact), size)


def weights(
    room: int, old: Int[Array, ""], new: Int[Array, ""], mode: Int[Array, ""] | int
) -> Float[Array, "room room"]:
    """How much each of the `old` pixels of a line counts for each of the `new` ones."""
    choices = [make(room, old, new) for make in (_area, _bilinear, _bicubic)]
    return jax.lax.select_n(jnp.asarray(mode), *choices)


def _area(room: int, old: Array, new: Array) -> Array:
    """Means of all pixels that a new one touches."""
    i, j = jnp.arange(room)[:, None], jnp.arange(room)
    first, last = i * old // new, -(-(i + 1) * old // new)
    held = (j >= first) & (j < last) & (j < old)
    return held / jnp.maximum(held.sum(1, keepdims=True), 1)


def _bilinear(room: int, old: Array, new: Array) -> Array:
    at = _places(room, old, new, below_zero=False)
    start = jnp.floor(at)
    return _taps(room, old, start, [(0, 1 - (at - start)), (1, at - start)])


def _bicubic(room: int, old: Array, new: Array) -> Array:
    at = _places(room, old, new, below_zero=True)
    start = jnp.floor(at)
    return _taps(room, old, start, [(k, _cubic(jnp.abs(at - start - k))) for k in (-1, 0, 1, 2)])


def _places(room: int, old: Array, new: Array, below_zero: bool) -> Array:
    """Where the middle of each new pixel lies among the middles of the old ones."""
    at = (jnp.arange(room) + 0.5) * old / new - 0.5
    return at if below_zero else jnp.maximum(at, 0)


def _taps(room: int, old: Array, start: Array, taps: list[tuple[int, Array]]) -> Array:
    """A matrix of weights at places from `start` on, those outside being the edge's."""
    places = [(jnp.clip(start + step, 0, old - 1), weight) for step, weight in taps]
    return sum(
        (jnp.where(jnp.arange(room) == place[:, None], weight[:, None], 0.0) for place, weight in places), jnp.zeros(())
    )


def _cubic(away: Array) -> Array:
    """Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", equation 4."""
    a = _SHARP
    near = ((a + 2) * away - (a + 3)) * away**2 + 1
    far = a * (((away - 5) * away + 8) * away - 4)
    return jnp.where(away <= 1, near, jnp.where(away < 2, far, 0.0))
