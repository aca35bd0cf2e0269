"""Bicubic resampling as MATLAB's `imresize` does it, by which papers on super-resolution make their small pictures.

The cubic of Keys 1981 ("Cubic Convolution Interpolation for Digital Image Processing") with a = -1/2; for shrinking it
is as many times wider as the picture becomes smaller, and the picture is mirrored at its edges, the edge pixel
repeated. Other libraries differ: most leave out what lies outside the picture, and OpenCV does not widen the cubic.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.errors import UserError

_REACH = 2  # pixels on each side of a cubic's centre


def shrink(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b m n c"]:
    """Pictures so many times smaller, their sides rounded up; not rounded or clipped.

    Args:
        x: pictures.
        factor: a whole number, 1 or more.

    Raises:
        UserError: a factor below 1.
    """
    if factor < 1:
        raise UserError(f"pictures are shrunk by a factor of 1 or more, got {factor}.")
    margin = _REACH * factor  # becomes _REACH pixels of the small picture, which are cut off
    height, width = (-(-side // factor) for side in x.shape[1:3])
    # The last pixel of a side that does not divide reaches further out.
    made = _resized(_mirrored(x, margin, factor), 1 / factor, (height + 2 * _REACH, width + 2 * _REACH))
    return made[:, _REACH:-_REACH, _REACH:-_REACH]


def enlarge(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b H W c"]:
    """Pictures so many times larger; not rounded or clipped.

    Args:
        x: pictures.
        factor: a whole number, 1 or more.

    Raises:
        UserError: a factor below 1.
    """
    if factor < 1:
        raise UserError(f"pictures are enlarged by a factor of 1 or more, got {factor}.")
    height, width = (factor * (side + 2 * _REACH) for side in x.shape[1:3])
    margin = factor * _REACH
    return _resized(_mirrored(x, _REACH), factor, (height, width))[:, margin:-margin, margin:-margin]


def bilinear(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b H W c"]:
    """Pictures so many times larger by straight lines between the centres of pixels; edges go on as they are."""
    b, height, width, channels = x.shape
    return jax.image.resize(x, (b, factor * height, factor * width, channels), "bilinear")


def _resized(x: Array, factor: float | int, size: tuple[int, int]) -> Array:
    # An exact factor: the quotient of rounded sizes would be another one.
    at = jnp.full(2, factor, jnp.float32), jnp.zeros(2)
    shape = (x.shape[0], *size, x.shape[3])
    exact = jax.lax.Precision.HIGHEST
    return jax.image.scale_and_translate(x, shape, (1, 2), *at, "cubic", antialias=True, precision=exact)


def _mirrored(x: Array, margin: int, more: int = 0) -> Array:
    # A side shorter than the margin is mirrored again and again.
    pads = (margin, margin + more)
    return jnp.pad(x, ((0, 0), pads, pads, (0, 0)), mode="symmetric")
