"""Separable filters between spread and picked pixels, alone and with a convolution: how StyleGANs resample.

`filtered` spreads the pixels `up` apart, pads, convolves each axis with the taps and keeps every `down`-th pixel: a sum
of shifted images for each phase of the output (polyphase form), which never touches the zeros between the pixels and
has no convolution in it, so that gradients of every order are fast. `layers.resample` is the case [1, 3, 3, 1].

A convolution that resamples is spread and convolved, then filtered; or filtered, then convolved and picked (Karras et
al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", arXiv:1912.04958, appendix B). The pads below keep
pictures where they are, so that both are exactly twice or half as large.
"""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.forms import conv, conv_transpose

BINOMIAL = (1.0, 3.0, 3.0, 1.0)
"""StyleGAN2's filter; [1, 2, 1] is StyleGAN's, [1, 1] means and nearest neighbours."""


def filtered(
    x: Float[Array, "b h w c"], taps: Sequence[float], up: int = 1, down: int = 1, pads: tuple[int, int] = (0, 0)
) -> Float[Array, "b m n c"]:
    """Both axes spread `up` apart, padded, convolved with the taps, every `down`-th pixel kept.

    Args:
        x: channels-last images.
        taps: of one axis, as they are: not normalised.
        up: distance between neighbouring pixels of x after they were spread.
        down: pixels between those kept.
        pads: zeros before and after each axis of spread pixels, of which each has `up` - 1 zeros after it.

    Raises:
        UserError: no taps, or more of them than padded pixels.
    """
    return _along(_along(x, taps, up, down, pads, 1), taps, up, down, pads, 2)


def upsampled(x: Float[Array, "b h w c"], taps: Sequence[float] = BINOMIAL) -> Float[Array, "b H W c"]:
    """Twice the height and width; the taps are normalised so that a constant stays."""
    p = len(taps) - 1
    return filtered(x, _normal(taps, 2.0), up=2, pads=((p + 1) // 2, p // 2))


def downsampled(x: Float[Array, "b h w c"], taps: Sequence[float] = BINOMIAL) -> Float[Array, "b H W c"]:
    """Half the height and width, which must be even; the taps are normalised so that a constant stays.

    Raises:
        UserError: an odd side.
    """
    _check_even(x)
    p = len(taps) - 2
    return filtered(x, _normal(taps, 1.0), down=2, pads=((p + 1) // 2, p // 2))


def convolved(x: Float[Array, "b h w i"], kernel: Float[Array, "k l i o"]) -> Float[Array, "b h w o"]:
    """Correlation with zeros outside, the size kept."""
    rows, columns = kernel.shape[:2]
    return conv(x, kernel, (1, 1), (_around(rows - 1), _around(columns - 1)))


def convolved_up(
    x: Float[Array, "b h w i"], kernel: Float[Array, "k k i o"], taps: Sequence[float] = BINOMIAL
) -> Float[Array, "b H W o"]:
    """Twice the height and width: pixels spread, correlated with the kernel, filtered."""
    k = kernel.shape[0]
    if k == 1:  # commutes with the filter, and costs a quarter before it
        return upsampled(convolved(x, kernel), taps)
    spread = conv_transpose(x, kernel, (2, 2), ((k - 1, k - 1), (k - 1, k - 1)))
    return filtered(spread, _normal(taps, 2.0), pads=_around(len(taps) - k + 1))


def convolved_down(
    x: Float[Array, "b h w i"], kernel: Float[Array, "k k i o"], taps: Sequence[float] = BINOMIAL
) -> Float[Array, "b H W o"]:
    """Half the height and width: filtered, then correlated with the kernel at every second pixel.

    Raises:
        UserError: an odd side.
    """
    k = kernel.shape[0]
    if k == 1:
        return convolved(downsampled(x, taps), kernel)
    _check_even(x)
    smooth = filtered(x, _normal(taps, 1.0), pads=_around(len(taps) + k - 3))
    return conv(smooth, kernel, (2, 2), ((0, 0), (0, 0)))


def _along(x: Array, taps: Sequence[float], up: int, down: int, pads: tuple[int, int], axis: int) -> Array:
    """One axis. Output P q + r has the inputs S q + (r down - low + k) / up, for the k that make these whole."""
    low, n = pads[0], x.shape[axis]
    length = n * up + sum(pads) - len(taps)
    if not taps or length < 0:
        raise UserError(f"a filter takes 1 to {n * up + sum(pads)} taps for {n} pixels, got {len(taps)}.")
    size, common = length // down + 1, math.gcd(up, down)
    period, stride = up // common, down // common
    each = [_phase(x, taps, up, r * down - low, stride, -(-(size - r) // period), axis) for r in range(period)]
    if period == 1:
        return each[0]
    longest = max(phase.shape[axis] for phase in each)
    # The last phases of a size that does not divide are a pixel shorter.
    filled = [_moved(phase, axis, 0, longest - phase.shape[axis]) for phase in each]
    woven = jnp.stack(filled, axis + 1).reshape(*x.shape[:axis], period * longest, *x.shape[axis + 1 :])
    return lax.slice_in_dim(woven, 0, size, axis=axis)


def _phase(x: Array, taps: Sequence[float], up: int, start: int, stride: int, size: int, axis: int) -> Array:
    """Sum over the taps that meet pixels, of the image shifted by each."""
    turned = list(reversed(taps))  # a convolution is a correlation with the taps turned round
    whole = [(k, (start + k) // up) for k in range(len(taps)) if (start + k) % up == 0 and turned[k]]
    parts = [turned[k] * _picked(x, axis, first, stride, size) for k, first in whole]
    shape = [size if i == axis else side for i, side in enumerate(x.shape)]
    return sum(parts[1:], parts[0]) if parts else jnp.zeros(shape, x.dtype)


def _picked(x: Array, axis: int, first: int, stride: int, size: int) -> Array:
    """Pixels first, first + stride, ..., zeros outside the image."""
    block = _moved(x, axis, -first, first + stride * size - x.shape[axis])
    if stride == 1:
        return block
    pairs = block.reshape(*x.shape[:axis], size, stride, *x.shape[axis + 1 :])
    return lax.index_in_dim(pairs, 0, axis + 1, keepdims=False)


def _moved(x: Array, axis: int, before: int, after: int) -> Array:
    """The image with so many more pixels of zeros at each end of an axis, or so many fewer pixels."""
    pads = [(before, after, 0) if i == axis else (0, 0, 0) for i in range(x.ndim)]
    return lax.pad(x, jnp.zeros((), x.dtype), pads)


def _normal(taps: Sequence[float], total: float) -> tuple[float, ...]:
    return tuple(float(tap) for tap in total * np.asarray(taps, np.float64) / np.sum(taps))


def _around(total: int) -> tuple[int, int]:
    return (total + 1) // 2, total // 2


def _check_even(x: Array) -> None:
    if x.shape[1] % 2 or x.shape[2] % 2:
        raise UserError(f"images to halve must have even sides, got {x.shape[1]}x{x.shape[2]}.")
