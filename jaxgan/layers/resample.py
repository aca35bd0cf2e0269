"""Bilinear resampling by two: twice as large, half as large.

Spread the pixels two apart, or keep every second one, and filter with [1, 2, 1] * [1, 1] = [1, 3, 3, 1] along each
axis: that is bilinear interpolation between pixel centres, and the filter with which StyleGAN2 (Karras et al. 2020,
arXiv:1912.04958) and R3GAN (Huang et al. 2024, arXiv:2501.05441) resample. Outside the image are zeros, as there.

Written in polyphase form: sums of shifted images, no convolution, hence fast for gradients of every order.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgan.errors import UserError


def upsample(x: Float[Array, "b h w c"]) -> Float[Array, "b up_h up_w c"]:
    """Twice the height and width: y[2i] = (x[i-1] + 3 x[i]) / 4 and y[2i+1] = (3 x[i] + x[i+1]) / 4 along each axis."""
    return _upsample(_upsample(x, 1), 2)


def downsample(x: Float[Array, "b h w c"]) -> Float[Array, "b down_h down_w c"]:
    """Half the height and width: y[i] = (x[2i-1] + 3 x[2i] + 3 x[2i+1] + x[2i+2]) / 8 along each axis.

    Raises:
        UserError: if the height or the width is odd.
    """
    if x.shape[1] % 2 or x.shape[2] % 2:
        raise UserError(f"images to halve must have even sides, got {x.shape[1]}x{x.shape[2]}.")
    return _downsample(_downsample(x, 1), 2)


def _upsample(x: Array, axis: int) -> Array:
    before, after = _shifted(x, axis, 1), _shifted(x, axis, -1)
    pairs = jnp.stack([(before + 3 * x) / 4, (3 * x + after) / 4], axis=axis + 1)
    return pairs.reshape(*x.shape[:axis], 2 * x.shape[axis], *x.shape[axis + 1 :])


def _downsample(x: Array, axis: int) -> Array:
    pairs = x.reshape(*x.shape[:axis], x.shape[axis] // 2, 2, *x.shape[axis + 1 :])
    even, odd = (lax.index_in_dim(pairs, phase, axis + 1, keepdims=False) for phase in (0, 1))
    return (_shifted(odd, axis, 1) + 3 * (even + odd) + _shifted(even, axis, -1)) / 8


def _shifted(x: Array, axis: int, by: int) -> Array:
    """The image moved along the axis by so many pixels, zeros moving in at one end and pixels out at the other."""
    pads = [(0, 0, 0)] * x.ndim
    pads[axis] = (by, -by, 0)
    return lax.pad(x, jnp.zeros((), x.dtype), pads)


def repeated(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b H W c"]:
    """Every pixel `factor` times down and across: enlarging by nearest neighbours."""
    return x.repeat(factor, axis=1).repeat(factor, axis=2)
