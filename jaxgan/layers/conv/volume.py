"""Three-dimensional convolution as matrix products, for XLA's CPU backend; `conv_general` chooses it.

Blocks of stride x stride x stride pixels are taken as one pixel's channels; each output sees a few of them. Measured
with `experiments/benchmarks/volumes.py`: a sum of matrix products, one for each block of the kernel, is the fastest
form in value and both gradients where a block has many values, and one product with everything that an output sees,
laid out axis by axis, where it has few. No convolution is left in the program, so the automatic derivative is made of
matrix products and shifted sums, fast in any loop.
"""

import itertools
import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgan.layers.conv.padding import Sides

FEW_VALUES = 16  # values of a block below which laying out what an output sees costs less than many thin products
FEW_VALUES_BACK = 8  # likewise, of the derivative by the inputs


def outputs(
    x: Float[Array, "b d h w i"], k: Float[Array, "p q r i o"], strides: tuple[int, ...], pads: Sides, few: int
) -> Float[Array, "b l m n o"]:
    """Correlation of x with the kernel.

    Args:
        x: channels-last volumes.
        k: not flipped, of x's dtype.
        strides: pixels between neighbouring outputs of each axis.
        pads: pixels of zeros (low, high) around each axis; negative ones cut it.
        few: blocks of fewer values are laid out for each output, others multiplied one by one.
    """
    axes = list(zip(x.shape[1:-1], k.shape[:-2], strides, pads, strict=True))
    size = tuple((n + sum(pad) - w) // s + 1 for n, w, s, pad in axes)
    ends = [(pad[0], (m - 1 - (-w // s)) * s - n - pad[0], 0) for m, (n, w, s, pad) in zip(size, axes, strict=True)]
    grid = _blocks(lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *ends, (0, 0, 0)]), strides)
    kernel = _kernel_blocks(k, strides)
    exact = jnp.promote_types(x.dtype, jnp.float32)
    if kernel.shape[-2] < few:
        seen = _laid_out(grid, kernel.shape[:3], size)
        y = jnp.dot(seen, kernel.reshape(-1, kernel.shape[-1]), preferred_element_type=exact)
    else:
        y = _summed(grid, kernel, size, exact)
    return y.astype(x.dtype)


def _summed(grid: Array, kernel: Array, size: tuple[int, ...], exact: jnp.dtype) -> Array:
    """A sum of matrix products, one for each block that an output sees."""
    places = itertools.product(*map(range, kernel.shape[:3]))
    products = [
        jnp.dot(
            grid[(slice(None), *(slice(at, at + m) for at, m in zip(place, size, strict=True)))],
            kernel[place],
            preferred_element_type=exact,
        )
        for place in places
    ]
    return sum(products[1:], products[0])


def _laid_out(grid: Array, window: tuple[int, ...], size: tuple[int, ...]) -> Array:
    """For each output all the values that it sees, in the order of `_kernel_blocks`."""
    for axis in (3, 2, 1):
        taps, m = window[axis - 1], size[axis - 1]
        grid = jnp.concatenate([lax.slice_in_dim(grid, p, p + m, axis=axis) for p in range(taps)], -1)
    return grid


def _blocks(x: Array, strides: tuple[int, ...]) -> Array:
    """[b, s l, s m, s n, i] to [b, l, m, n, s s s i]."""
    (b, d, h, w, i), (sd, sh, sw) = x.shape, strides
    x = x.reshape(b, d // sd, sd, h // sh, sh, w // sw, sw, i).transpose(0, 1, 3, 5, 2, 4, 6, 7)
    return x.reshape(*x.shape[:4], math.prod(strides) * i)


def _kernel_blocks(k: Array, strides: tuple[int, ...]) -> Array:
    """[p, q, r, i, o] to [p / s, q / s, r / s, s s s i, o], zeros filling the last blocks."""
    fill = [(0, -n % s) for n, s in zip(k.shape, strides, strict=False)]
    k = jnp.pad(k, [*fill, (0, 0), (0, 0)])
    (d, h, w, i, o), (sd, sh, sw) = k.shape, strides
    k = k.reshape(d // sd, sd, h // sh, sh, w // sw, sw, i, o).transpose(0, 2, 4, 1, 3, 5, 6, 7)
    return k.reshape(*k.shape[:3], math.prod(strides) * i, o)
