"""Two-dimensional convolution as functions of arrays, in forms that compilers run fast, for every order of gradient.

A convolution is one form that is linear in each of three arrays, inputs x, kernel k and outputs y:

    T(x, k, y) = sum over b, i, j, p, q, c, o of  x[b, i s + p - low, j s + q - low, c]  k[p, q, c, o]  y[b, i, j, o]

with stride s, `low` pixels of zeros before each axis of x. Its derivative by y is the convolution, its derivative by x
the transposed convolution, its derivative by k the weight gradient. Each of the three is bilinear, and the gradients of
each are the other two, so three functions written well make the gradients of every order fast. They need writing
because

- XLA's CPU backend hands a convolution to Eigen only in its canonical form: layouts NHWC, HWIO, NHWC and a window that
  is not reversed. It brings others into that form in the entry computation alone, so that what the automatic derivative
  emits within `lax.scan`, `lax.cond` or `while` runs as a naive loop, 10 to 60 times slower; and the weight gradient of
  a transposed convolution has a reversed window and does so everywhere (jax issues 12868, 23783 and 31662).
- On a GPU, to go by XLA's source (not measured), that last one misses cuDNN's backward-filter kernels; the weight
  gradient written here is the one that a strided convolution has, which they are meant for.

The price is forward mode: `jax.jvp` and `jax.hessian` do not go through these functions; gradients of gradients do.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]
_CANONICAL = ("NHWC", "HWIO", "NHWC")
_FEW_POSITIONS = (
    16  # outputs per image at or below which one matrix product is faster than Eigen's convolution on a CPU
)
_FEW_VALUES = 16  # inputs per output position (stride x stride x channels), likewise


class _Geometry(NamedTuple):
    """Everything about a convolution that is no array; each field is (vertical, horizontal)."""

    size: Pair  # of x in pixels
    window: Pair  # of the kernel in pixels
    strides: Pair
    pads: Pads  # pixels of zeros (low, high) around x; negative ones cut x


def conv(
    x: Float[Array, "b h w i"], kernel: Float[Array, "kh kw i o"], strides: Pair, pads: Pads
) -> Float[Array, "b m n o"]:
    """Correlation of x with the kernel, as `lax.conv_general_dilated` computes it.

    Args:
        x: channels-last images.
        kernel: not flipped, of x's dtype.
        strides: pixels between neighbouring outputs (vertical, horizontal).
        pads: pixels of zeros (low, high) around each axis.

    Returns:
        Channels-last images of (h + low + high - kh) // stride + 1 rows, columns likewise.
    """
    x, kernel = _varying_alike(x, kernel)
    return _outputs(_Geometry(_spatial(x), _window(kernel), strides, pads), x, kernel)


def conv_transpose(
    x: Float[Array, "b m n i"], kernel: Float[Array, "kh kw i o"], strides: Pair, pads: Pads
) -> Float[Array, "b h w o"]:
    """Correlation of the kernel with x whose pixels are spread apart, as `lax.conv_transpose` computes it.

    Args:
        x: channels-last images.
        kernel: not flipped, of x's dtype.
        strides: distance in the output between neighbouring pixels of x (vertical, horizontal).
        pads: pixels of zeros (low, high) around each axis of x after it was spread.

    Returns:
        Channels-last images of (m - 1) * stride + 2 + low + high - kh rows, columns likewise.
    """
    x, kernel = _varying_alike(x, kernel)
    window = _window(kernel)
    size = _each(lambda n, k, s, pad: (n - 1) * s + 2 + sum(pad) - k, _spatial(x), window, strides, pads)
    # It is the derivative by the inputs of a convolution from the large images to the small ones.
    forward_pads = _each(lambda k, pad: (k - 1 - pad[0], k - 1 - pad[1]), window, pads)
    return _inputs(_Geometry(size, window, strides, forward_pads), x, _flip(kernel))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _outputs(g: _Geometry, x: Array, k: Array) -> Array:
    return _by_platform(partial(_outputs_cpu, g), partial(_outputs_plain, g), x, k)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _inputs(g: _Geometry, y: Array, k: Array) -> Array:
    return _by_platform(partial(_inputs_cpu, g), partial(_inputs_plain, g), y, k)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _weights(g: _Geometry, x: Array, y: Array) -> Array:
    return _by_platform(partial(_weights_cpu, g), partial(_weights_plain, g), x, y)


def _outputs_pullback(g: _Geometry, xk: tuple[Array, Array], y: Array) -> tuple[Array, Array]:
    return _inputs(g, y, xk[1]), _weights(g, xk[0], y)


def _inputs_pullback(g: _Geometry, yk: tuple[Array, Array], x: Array) -> tuple[Array, Array]:
    return _outputs(g, x, yk[1]), _weights(g, x, yk[0])


def _weights_pullback(g: _Geometry, xy: tuple[Array, Array], k: Array) -> tuple[Array, Array]:
    return _inputs(g, xy[1], k), _outputs(g, xy[0], k)


_outputs.defvjp(lambda g, x, k: (_outputs(g, x, k), (x, k)), _outputs_pullback)
_inputs.defvjp(lambda g, y, k: (_inputs(g, y, k), (y, k)), _inputs_pullback)
_weights.defvjp(lambda g, x, y: (_weights(g, x, y), (x, y)), _weights_pullback)


def _by_platform(cpu: Callable[..., Array], default: Callable[..., Array], a: Array, b: Array) -> Array:
    """Lower to the form for the platform that the program is compiled for; the other one leaves no trace in it."""
    return lax.platform_dependent(a, b, cpu=_one_at_a_time(cpu), default=default)


def _one_at_a_time(form: Callable[..., Array]) -> Callable[..., Array]:
    """Under `vmap` over both arrays (seeds, say) loop over the pairs: a grouped convolution is several times slower."""
    mapped = jax.custom_batching.custom_vmap(form)

    @mapped.def_vmap
    def rule(_: int, batched: list[bool], a: Array, b: Array) -> tuple[Array, bool]:
        if all(batched):
            return lax.map(lambda pair: mapped(*pair), (a, b)), True
        return jax.vmap(form, in_axes=[0 if axis else None for axis in batched])(a, b), True

    return mapped


def _outputs_plain(g: _Geometry, x: Array, k: Array) -> Array:
    return lax.conv_general_dilated(x, k, g.strides, g.pads, dimension_numbers=_CANONICAL)


def _outputs_cpu(g: _Geometry, x: Array, k: Array) -> Array:
    """For few outputs a sum of matrix products, one for each block of stride x stride inputs that an output sees."""
    rows, columns = outputs = _each(lambda n, k, s, pad: (n + sum(pad) - k) // s + 1, *g)
    if rows * columns > _FEW_POSITIONS:
        return _outputs_plain(g, x, k)
    blocks = _kernel_blocks(g, k)
    ends = _each(
        lambda m, k, s, n, pad: (pad[0], (m + k - 1) * s - n - pad[0], 0),
        outputs,
        _window(blocks),
        g.strides,
        g.size,
        g.pads,
    )
    grid = _pixels_to_blocks(lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *ends, (0, 0, 0)]), g.strides)
    exact = jnp.promote_types(x.dtype, jnp.float32)
    products = [
        jnp.dot(grid[:, p : p + rows, q : q + columns], blocks[p, q], preferred_element_type=exact)
        for p in range(blocks.shape[0])
        for q in range(blocks.shape[1])
    ]
    return sum(products[1:], products[0]).astype(x.dtype)


def _inputs_plain(g: _Geometry, y: Array, k: Array) -> Array:
    # The rows that are added above make room for those of x that no window reached.
    pads = _each(lambda n, m, k, s, pad: (k - 1 - pad[0], n + pad[0] - (m - 1) * s - 1), g.size, _spatial(y), *g[1:])
    return lax.conv_general_dilated(y, _flip(k), (1, 1), pads, lhs_dilation=g.strides, dimension_numbers=_CANONICAL)


def _inputs_cpu(g: _Geometry, y: Array, k: Array) -> Array:
    """Every block of stride x stride inputs as the channels of one pixel, then the blocks laid out."""
    blocks = _kernel_blocks(g, k)
    few = y.shape[1] * y.shape[2] <= _FEW_POSITIONS or blocks.shape[2] <= _FEW_VALUES
    grid = _scatter(y, blocks) if few else _sweep(y, blocks)
    x = _blocks_to_pixels(grid, g.strides)
    rows, columns = _each(lambda n, have, pad: (-pad[0], n + pad[0] - have, 0), g.size, _spatial(x), g.pads)
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), rows, columns, (0, 0, 0)])


def _sweep(y: Array, blocks: Array) -> Array:
    """A convolution with stride 1 to all the inputs of a block at once."""
    pads = _each(lambda k: (k - 1, k - 1), _window(blocks))
    return lax.conv_general_dilated(y, _flip(blocks), (1, 1), pads, dimension_numbers=_CANONICAL)


def _scatter(y: Array, blocks: Array) -> Array:
    """One matrix product to what each output gives to all the blocks it reaches, then a sum of shifted images."""
    rows, columns = _window(blocks)
    exact = jnp.promote_types(y.dtype, jnp.float32)
    given = jnp.einsum("bmno,pqvo->bmnpqv", y, blocks, preferred_element_type=exact)
    shifted = [
        jnp.pad(given[:, :, :, p, q], ((0, 0), (p, rows - 1 - p), (q, columns - 1 - q), (0, 0)))
        for p in range(rows)
        for q in range(columns)
    ]
    return sum(shifted[1:], shifted[0]).astype(y.dtype)


def _kernel_blocks(g: _Geometry, k: Array) -> Array:
    """[kh, kw, i, o] to [kh / s, kw / s, s s i, o], zeros filling the last blocks."""
    (sh, sw), (_, _, i, o) = g.strides, k.shape
    k = jnp.pad(k, ((0, -k.shape[0] % sh), (0, -k.shape[1] % sw), (0, 0), (0, 0)))
    rows, columns = k.shape[0] // sh, k.shape[1] // sw
    return k.reshape(rows, sh, columns, sw, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(rows, columns, sh * sw * i, o)


def _blocks_to_pixels(grid: Array, strides: Pair) -> Array:
    """[b, m, n, s s i] to [b, s m, s n, i]."""
    (sh, sw), (b, m, n, values) = strides, grid.shape
    pixels = grid.reshape(b, m, n, sh, sw, values // (sh * sw)).transpose(0, 1, 3, 2, 4, 5)
    return pixels.reshape(b, sh * m, sw * n, -1)


def _pixels_to_blocks(x: Array, strides: Pair) -> Array:
    """[b, s m, s n, i] to [b, m, n, s s i]."""
    (sh, sw), (b, h, w, i) = strides, x.shape
    blocks = x.reshape(b, h // sh, sh, w // sw, sw, i).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(b, h // sh, w // sw, sh * sw * i)


def _weights_plain(g: _Geometry, x: Array, y: Array) -> Array:
    """What the automatic derivative of a strided convolution is: channels take the place of the batch."""
    pads = _weight_pads(g, _spatial(y))
    layout = ("CHWN", "IHWO", "HWNC")
    return lax.conv_general_dilated(x, y, (1, 1), pads, rhs_dilation=g.strides, dimension_numbers=layout)


def _weights_cpu(g: _Geometry, x: Array, y: Array) -> Array:
    """The same with its transpositions written out, so that the convolution is canonical wherever it stands."""
    pads = _weight_pads(g, _spatial(y))
    x, y = x.transpose(3, 1, 2, 0), y.transpose(1, 2, 0, 3)
    k = lax.conv_general_dilated(x, y, (1, 1), pads, rhs_dilation=g.strides, dimension_numbers=_CANONICAL)
    return k.transpose(1, 2, 0, 3)


def _weight_pads(g: _Geometry, outputs: Pair) -> Pads:
    """Pads of x such that y, its pixels spread apart, fits into it once for each weight."""
    return _each(lambda n, m, k, s, pad: (pad[0], (m - 1) * s + k - n - pad[0]), g.size, outputs, *g[1:])


def _varying_alike(x: Array, kernel: Array) -> tuple[Array, Array]:
    """Both arrays varying over the same axes of a `shard_map`.

    A custom gradient must vary as its array does: cast here, the kernel's gradient is summed over the devices by the
    cast's own transposition, and inside all arrays vary alike.
    """
    axes = _varying(x) | _varying(kernel)
    return _vary(x, axes), _vary(kernel, axes)


def _vary(array: Array, axes: frozenset[str]) -> Array:
    missing = tuple(axes - _varying(array))
    return lax.pcast(array, missing, to="varying") if missing else array


def _varying(array: Array) -> frozenset[str]:
    return jax.typeof(array).manual_axis_type.varying


def _flip(k: Array) -> Array:
    """The kernel of the transposed map."""
    return jnp.flip(k, (0, 1)).swapaxes(2, 3)


def _spatial(x: Array) -> Pair:
    return x.shape[1], x.shape[2]


def _window(k: Array) -> Pair:
    return k.shape[0], k.shape[1]


def _each(rule: Callable, *pairs: tuple) -> tuple:
    """The rule for the vertical and for the horizontal axis."""
    return rule(*(pair[0] for pair in pairs)), rule(*(pair[1] for pair in pairs))
