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

import jax
from jax import lax
from jaxtyping import Array, Float

from jaxgan.layers.conv import cpu
from jaxgan.layers.conv.geometry import CANONICAL, Geometry, Pads, Pair, each, flip, spatial, weight_pads, window

SCOPE = "jaxgan_convolution"
"""Name of every operation that `by_platform` traces."""


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
    x, kernel = varying_alike(x, kernel)
    return _outputs(Geometry(spatial(x), window(kernel), strides, pads), x, kernel)


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
    x, kernel = varying_alike(x, kernel)
    taps = window(kernel)
    size = each(lambda n, k, s, pad: (n - 1) * s + 2 + sum(pad) - k, spatial(x), taps, strides, pads)
    # It is the derivative by the inputs of a convolution from the large images to the small ones.
    forward_pads = each(lambda k, pad: (k - 1 - pad[0], k - 1 - pad[1]), taps, pads)
    return _inputs(Geometry(size, taps, strides, forward_pads), x, flip(kernel))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _outputs(g: Geometry, x: Array, k: Array) -> Array:
    return by_platform(partial(cpu.outputs, g), partial(_outputs_plain, g), x, k)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _inputs(g: Geometry, y: Array, k: Array) -> Array:
    return by_platform(partial(cpu.inputs, g), partial(_inputs_plain, g), y, k)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _weights(g: Geometry, x: Array, y: Array) -> Array:
    return by_platform(partial(cpu.weights, g), partial(_weights_plain, g), x, y)


def _outputs_pullback(g: Geometry, xk: tuple[Array, Array], y: Array) -> tuple[Array, Array]:
    return _inputs(g, y, xk[1]), _weights(g, xk[0], y)


def _inputs_pullback(g: Geometry, yk: tuple[Array, Array], x: Array) -> tuple[Array, Array]:
    return _outputs(g, x, yk[1]), _weights(g, x, yk[0])


def _weights_pullback(g: Geometry, xy: tuple[Array, Array], k: Array) -> tuple[Array, Array]:
    return _inputs(g, xy[1], k), _outputs(g, xy[0], k)


_outputs.defvjp(lambda g, x, k: (_outputs(g, x, k), (x, k)), _outputs_pullback)
_inputs.defvjp(lambda g, y, k: (_inputs(g, y, k), (y, k)), _inputs_pullback)
_weights.defvjp(lambda g, x, y: (_weights(g, x, y), (x, y)), _weights_pullback)


def by_platform(cpu: Callable[..., Array], default: Callable[..., Array], a: Array, b: Array) -> Array:
    """Lower to the form for the platform that the program is compiled for; the other one leaves no trace in it."""
    with jax.named_scope(SCOPE):  # for `plain`, which looks for convolutions that do not come from here
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


def _outputs_plain(g: Geometry, x: Array, k: Array) -> Array:
    return lax.conv_general_dilated(x, k, g.strides, g.pads, dimension_numbers=CANONICAL)


def _inputs_plain(g: Geometry, y: Array, k: Array) -> Array:
    # The rows that are added above make room for those of x that no window reached.
    pads = each(lambda n, m, k, s, pad: (k - 1 - pad[0], n + pad[0] - (m - 1) * s - 1), g.size, spatial(y), *g[1:])
    return lax.conv_general_dilated(y, flip(k), (1, 1), pads, lhs_dilation=g.strides, dimension_numbers=CANONICAL)


def _weights_plain(g: Geometry, x: Array, y: Array) -> Array:
    """What the automatic derivative of a strided convolution is: channels take the place of the batch."""
    layout = ("CHWN", "IHWO", "HWNC")
    return lax.conv_general_dilated(x, y, (1, 1), weight_pads(g), rhs_dilation=g.strides, dimension_numbers=layout)


def varying_alike(x: Array, kernel: Array) -> tuple[Array, Array]:
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
