"""The three maps of a convolution in the forms that XLA's CPU backend runs fastest; `conv_forms` says what they are.

Measured with `experiments/benchmarks/conv_forms.py`, in order of preference:

- Winograd's minimal filtering (`conv_minimal`) over blocks of stride x stride pixels, where there are so many channels
  that its matrix products outweigh its sums;
- few inputs of each output: one matrix product with everything that each output sees;
- few outputs or few channels: sums of matrix products, one for each block of the kernel;
- else one convolution in Eigen's canonical form, which must be written out: see `conv_forms`.
"""

import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from jaxgan.layers.conv import minimal
from jaxgan.layers.conv.geometry import (
    CANONICAL,
    Geometry,
    Pair,
    blocks_to_kernel,
    blocks_to_pixels,
    each,
    flip,
    kernel_blocks,
    pixels_to_blocks,
    spatial,
    weight_pads,
    window,
)

_FEW_POSITIONS = 16  # outputs per image at or below which a matrix product for each block beats Eigen's convolution
_FEW_VALUES = 16  # inputs per output position (stride x stride x channels), likewise
_FEW_SEEN = 64  # inputs that an output sees, at or below which laying them out for each output costs less than it gains
# What the sums of minimal filtering cost, in products for each number of an image or a kernel that is summed: it pays
# where it saves more. Fitted to two cores of an AMD EPYC (Zen 4), which share its many small products well.
_SUMS = 8


def outputs(g: Geometry, x: Array, k: Array) -> Array:
    """The convolution."""
    if _minimal(g, x, k.shape[2:]):
        y = minimal.outputs(_grid(g, x, _even(g.outputs)), kernel_blocks(g, k))
        return y[:, : g.outputs[0], : g.outputs[1]]
    if _seen(g, x.shape[3]) <= _FEW_SEEN:
        seen, blocks = _patches(g, x), kernel_blocks(g, k)
        exact = jnp.promote_types(x.dtype, jnp.float32)
        return jnp.dot(seen, blocks.reshape(-1, blocks.shape[3]), preferred_element_type=exact).astype(x.dtype)
    if g.outputs[0] * g.outputs[1] > _FEW_POSITIONS:
        return lax.conv_general_dilated(x, k, g.strides, g.pads, dimension_numbers=CANONICAL)
    return _gather(_grid(g, x, g.outputs), kernel_blocks(g, k), g.outputs)


def inputs(g: Geometry, y: Array, k: Array) -> Array:
    """The transposed convolution: every block of stride x stride inputs as one pixel's channels, then laid out."""
    blocks = kernel_blocks(g, k)
    if _minimal(g, y, k.shape[2:]):
        grid = minimal.inputs(_filled(y, _even(g.outputs)), blocks)
    elif y.shape[1] * y.shape[2] <= _FEW_POSITIONS or blocks.shape[2] <= _FEW_VALUES:
        grid = _scatter(y, blocks)
    else:
        pads = each(lambda k: (k - 1, k - 1), window(blocks))
        grid = lax.conv_general_dilated(y, flip(blocks), (1, 1), pads, dimension_numbers=CANONICAL)
    x = blocks_to_pixels(grid, g.strides)
    rows, columns = each(lambda n, have, pad: (-pad[0], n + pad[0] - have, 0), g.size, spatial(x), g.pads)
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), rows, columns, (0, 0, 0)])


def weights(g: Geometry, x: Array, y: Array) -> Array:
    """The gradient of the kernel; Eigen's form has its transpositions written out, to be canonical anywhere."""
    if _minimal(g, x, (x.shape[3], y.shape[3])):
        even = _even(g.outputs)
        return blocks_to_kernel(g, minimal.weights(_grid(g, x, even), _filled(y, even)))
    if _seen(g, x.shape[3]) <= _FEW_SEEN:
        seen, given = _patches(g, x), y.reshape(-1, y.shape[3])
        exact = jnp.promote_types(x.dtype, jnp.float32)
        k = jnp.dot(seen.reshape(-1, seen.shape[3]).T, given, preferred_element_type=exact).astype(x.dtype)
        return blocks_to_kernel(g, k.reshape(*_block_window(g), -1, y.shape[3]))
    x, y = x.transpose(3, 1, 2, 0), y.transpose(1, 2, 0, 3)
    k = lax.conv_general_dilated(x, y, (1, 1), weight_pads(g), rhs_dilation=g.strides, dimension_numbers=CANONICAL)
    return k.transpose(1, 2, 0, 3)


def _minimal(g: Geometry, image: Array, channels: tuple[int, ...]) -> bool:
    """Whether minimal filtering is possible, exact enough, and saves more products than its sums cost.

    In bfloat16 its sums would lose digits that the products need.
    """
    taps = set(_block_window(g))
    whole = all(k % s == 0 for k, s in zip(g.window, g.strides, strict=True))
    if len(taps) != 1 or not taps <= set(minimal.ALGORITHMS) or not whole or jnp.finfo(image.dtype).bits < 32:
        return False
    values, features = g.strides[0] * g.strides[1] * channels[0], channels[1]
    positions = image.shape[0] * math.prod(g.outputs)
    padded = math.prod(_even(g.outputs)) / math.prod(g.outputs)
    saved = 1 - padded * minimal.share_of_products(*taps)
    # The sums of kernels, about two for each weight of a block, do not become more with the images.
    return saved * positions * values * features >= _SUMS * (positions * (values + features) + 2 * values * features)


def _even(size: Pair) -> Pair:
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _filled(y: Array, size: Pair) -> Array:
    """Outputs with zeros below and to the right, `size` in all."""
    return jnp.pad(y, ((0, 0), (0, size[0] - y.shape[1]), (0, size[1] - y.shape[2]), (0, 0)))


def _grid(g: Geometry, x: Array, size: Pair) -> Array:
    """The blocks of stride x stride inputs that `size` outputs see, as channels."""

    def ends(n: int, m: int, k: int, s: int, pad: Pair) -> tuple[int, int, int]:
        return pad[0], (m - 1 - (-k // s)) * s - n - pad[0], 0

    rows, columns = each(ends, g.size, size, *g[1:])
    return pixels_to_blocks(lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), rows, columns, (0, 0, 0)]), g.strides)


def _block_window(g: Geometry) -> Pair:
    return each(lambda k, s: -(-k // s), g.window, g.strides)


def _seen(g: Geometry, channels: int) -> int:
    """The inputs of each output, those included that fill the last blocks."""
    return math.prod(_block_window(g)) * math.prod(g.strides) * channels


def _patches(g: Geometry, x: Array) -> Array:
    """For each output all the inputs that it sees, [b, m, n, values], in the order of `kernel_blocks`."""
    grid, (rows, columns), window = _grid(g, x, g.outputs), g.outputs, _block_window(g)
    return jnp.concatenate(
        [grid[:, p : p + rows, q : q + columns] for p in range(window[0]) for q in range(window[1])], axis=-1
    )


def _gather(grid: Array, blocks: Array, size: Pair) -> Array:
    """A sum of matrix products, one for each block that an output sees."""
    (rows, columns), exact = size, jnp.promote_types(grid.dtype, jnp.float32)
    products = [
        jnp.dot(grid[:, p : p + rows, q : q + columns], blocks[p, q], preferred_element_type=exact)
        for p in range(blocks.shape[0])
        for q in range(blocks.shape[1])
    ]
    return sum(products[1:], products[0]).astype(grid.dtype)


def _scatter(y: Array, blocks: Array) -> Array:
    """One matrix product to what each output gives to all the blocks it reaches, then a sum of shifted images."""
    rows, columns = window(blocks)
    exact = jnp.promote_types(y.dtype, jnp.float32)
    given = jnp.einsum("bmno,pqvo->bmnpqv", y, blocks, preferred_element_type=exact)
    shifted = [
        jnp.pad(given[:, :, :, p, q], ((0, 0), (p, rows - 1 - p), (q, columns - 1 - q), (0, 0)))
        for p in range(rows)
        for q in range(columns)
    ]
    return sum(shifted[1:], shifted[0]).astype(y.dtype)
