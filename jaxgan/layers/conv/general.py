"""Convolution of one, two or three axes, with dilation and groups, as functions of arrays.

The plain two-dimensional convolution is that of `conv_forms`, and so is the one-dimensional: that of images of one row.
Everything else is written here in the same way, as three bilinear maps that are each other's gradients: one convolution
for each platform, and its two derivatives. Other platforms than a CPU take `lax.conv_general_dilated`. On a CPU, whose
backend runs the gradients of all these as naive loops (seconds a layer),

- three dimensions are sums of matrix products (`conv_volume`);
- a dilated convolution is one without dilation of images that are each every d-th pixel of an image, as many as there
  are such choices ("space to batch": Yu and Koltun 2016, arXiv:1511.07122, dilate; Holschneider et al. 1989 split);
- groups are bundled into dense convolutions (`grouped`).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv import volume
from jaxgan.layers.conv.forms import by_platform, conv, conv_transpose, varying_alike
from jaxgan.layers.conv.grouped import bundled_kernels, grouped_conv
from jaxgan.layers.conv.padding import Sides

_LAYOUTS = {2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}


class Form(NamedTuple):
    """Everything about a convolution that is no array and no array's shape; a number for each spatial axis."""

    strides: tuple[int, ...]  # pixels between neighbouring outputs
    pads: Sides  # pixels of zeros (low, high) around x; negative ones cut x
    dilation: tuple[int, ...]  # pixels between neighbouring weights
    groups: int = 1


def convolve(x: Float[Array, "b *size c"], kernel: Float[Array, "*window i o"], form: Form) -> Float[Array, "b *out o"]:
    """Correlation of x with the kernel, as `lax.conv_general_dilated` computes it.

    Args:
        x: channels-last signals, images or volumes with `groups * i` channels.
        kernel: not flipped, of x's dtype; outputs are grouped as inputs are.
        form: strides, pads, dilation and groups.

    Returns:
        (size + low + high - (window - 1) * dilation - 1) // stride + 1 pixels along each axis.

    Raises:
        UserError: if the groups do not divide the channels.
    """
    if kernel.ndim == 3:
        return convolve(x[:, None], kernel[None], _with_row(form))[:, 0]
    check_groups(x.shape[-1], kernel.shape[-1], form.groups)
    if kernel.ndim == 4 and form.groups == 1 and _is_dense(form):
        return conv(x, kernel, *_pairs(form))
    if kernel.ndim == 4 and _keeps_size(form, kernel.shape[:2]):
        return grouped_conv(x, kernel, form.groups)
    x, kernel = varying_alike(x, kernel)
    return _outputs(_Sized(form, x.shape[1:-1], kernel.shape[:-2]), x, kernel)


def convolve_transpose(
    x: Float[Array, "b *size i"], kernel: Float[Array, "*window i o"], strides: tuple[int, ...], pads: Sides
) -> Float[Array, "b *out o"]:
    """Correlation of the kernel with x whose pixels are spread apart, as `lax.conv_transpose` computes it.

    Args:
        x: channels-last signals, images or volumes.
        kernel: not flipped, of x's dtype.
        strides: distance in the output between neighbouring pixels of x.
        pads: pixels of zeros (low, high) around each axis of x after it was spread.

    Returns:
        (size - 1) * stride + 2 + low + high - window pixels along each axis.
    """
    form = Form(strides, pads, (1,) * len(strides))
    if kernel.ndim == 3:
        form = _with_row(form)
        return convolve_transpose(x[:, None], kernel[None], form.strides, form.pads)[:, 0]
    if kernel.ndim == 4:
        return conv_transpose(x, kernel, *_pairs(form))
    x, kernel = varying_alike(x, kernel)
    window = kernel.shape[:-2]
    axes = list(zip(x.shape[1:-1], window, strides, pads, strict=True))
    size = tuple((n - 1) * s + 2 + sum(pad) - k for n, k, s, pad in axes)
    # It is the derivative by the inputs of a convolution from the large volumes to the small ones.
    forward = form._replace(pads=tuple((k - 1 - low, k - 1 - high) for _, k, _, (low, high) in axes))
    return _inputs(_Sized(forward, size, window), x, jnp.flip(kernel, range(len(window))).swapaxes(-1, -2))


def check_groups(inputs: int, outputs: int, groups: int) -> None:
    """Refuse groups that are not a divisor of both numbers of channels.

    Raises:
        UserError: if they are not.
    """
    if groups < 1 or inputs % groups or outputs % groups:
        raise UserError(f"groups must divide {inputs} input and {outputs} output channels, got {groups}.")


def _with_row(form: Form) -> Form:
    return Form((1, *form.strides), ((0, 0), *form.pads), (1, *form.dilation), form.groups)


def _pairs(form: Form) -> tuple[tuple[int, int], tuple[tuple[int, int], tuple[int, int]]]:
    (down, right), (rows, columns) = form.strides, form.pads
    return (down, right), (rows, columns)


def _is_dense(form: Form) -> bool:
    return set(form.dilation) == {1}


def _keeps_size(form: Form, window: tuple[int, ...]) -> bool:
    """Whether it is what `grouped_conv` computes."""
    centred = all(k % 2 and pad == (k // 2, k // 2) for k, pad in zip(window, form.pads, strict=True))
    return centred and _is_dense(form) and set(form.strides) == {1}


class _Sized(NamedTuple):
    """A form with the spatial shapes of x and of the kernel, which the derivatives by them must know."""

    form: Form
    size: tuple[int, ...]
    window: tuple[int, ...]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _outputs(g: _Sized, x: Array, k: Array) -> Array:
    return by_platform(partial(_cpu, g.form, volume.FEW_VALUES), partial(_plain, g.form), x, k)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _inputs(g: _Sized, y: Array, k: Array) -> Array:
    cpu, default = partial(_cpu, g.form, volume.FEW_VALUES_BACK), partial(_plain, g.form)
    shape = (y.shape[0], *g.size, k.shape[-2] * g.form.groups)
    return by_platform(partial(_by_inputs, cpu, shape), partial(_by_inputs, default, shape), y, k)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _weights(g: _Sized, x: Array, y: Array) -> Array:
    cpu, default = partial(_cpu, g.form, volume.FEW_VALUES), partial(_plain, g.form)
    shape = (*g.window, x.shape[-1] // g.form.groups, y.shape[-1])
    return by_platform(partial(_by_weights, cpu, shape), partial(_by_weights, default, shape), x, y)


def _outputs_pullback(g: _Sized, xk: tuple[Array, Array], y: Array) -> tuple[Array, Array]:
    return _inputs(g, y, xk[1]), _weights(g, xk[0], y)


def _inputs_pullback(g: _Sized, yk: tuple[Array, Array], x: Array) -> tuple[Array, Array]:
    return _outputs(g, x, yk[1]), _weights(g, x, yk[0])


def _weights_pullback(g: _Sized, xy: tuple[Array, Array], k: Array) -> tuple[Array, Array]:
    return _inputs(g, xy[1], k), _outputs(g, xy[0], k)


_outputs.defvjp(lambda g, x, k: (_outputs(g, x, k), (x, k)), _outputs_pullback)
_inputs.defvjp(lambda g, y, k: (_inputs(g, y, k), (y, k)), _inputs_pullback)
_weights.defvjp(lambda g, x, y: (_weights(g, x, y), (x, y)), _weights_pullback)


def _by_inputs(map_: Callable[[Array, Array], Array], shape: tuple[int, ...], y: Array, k: Array) -> Array:
    """Derivative of <y, map(x, k)> by x."""
    anywhere, _ = varying_alike(jnp.zeros(shape, y.dtype), y)
    return jax.vjp(lambda x: map_(x, k), anywhere)[1](y)[0]


def _by_weights(map_: Callable[[Array, Array], Array], shape: tuple[int, ...], x: Array, y: Array) -> Array:
    """Derivative of <y, map(x, k)> by k."""
    anywhere, _ = varying_alike(jnp.zeros(shape, x.dtype), x)
    return jax.vjp(lambda k: map_(x, k), anywhere)[1](y)[0]


def _plain(form: Form, x: Array, k: Array) -> Array:
    return lax.conv_general_dilated(
        x,
        k,
        form.strides,
        form.pads,
        rhs_dilation=form.dilation,
        dimension_numbers=_LAYOUTS[len(form.strides)],
        feature_group_count=form.groups,
    )


def _cpu(form: Form, few: int, x: Array, k: Array) -> Array:
    """Matrix products and plain convolutions alone, so that the derivatives are some too."""
    if form.groups > 1:
        parts = bundled_kernels(k, form.groups)
        slices = jnp.split(x, len(parts), axis=-1)
        dense = form._replace(groups=1)
        return jnp.concatenate([convolve(*pair, dense) for pair in zip(slices, parts, strict=True)], axis=-1)
    if not _is_dense(form):
        return _undilated(form, x, k)
    return volume.outputs(x, k, form.strides, form.pads, few)


def _undilated(form: Form, x: Array, k: Array) -> Array:
    """Along each axis, output d a + r sees the pixels r s, r s + d, r s + 2 d ... only: one phase r of d."""
    sizes = list(zip(x.shape[1:-1], k.shape[:-2], *form[:3], strict=True))
    rows = tuple((n + sum(pad) - (w - 1) * d - 1) // s + 1 for n, w, s, pad, d in sizes)
    phases = tuple(-(-m // d) for m, d in zip(rows, form.dilation, strict=True))
    b = x.shape[0]
    for axis, (n, w, s, (low, _), d) in enumerate(sizes, 1):
        x = _split(x, axis, n, low, (phases[axis - 1] - 1) * s + w, s, d)
    y = convolve(x, k, Form(form.strides, ((0, 0),) * len(rows), (1,) * len(rows)))
    return _joined(y.reshape(b, *form.dilation, *phases, y.shape[-1]), rows)


def _split(x: Array, axis: int, n: int, low: int, length: int, s: int, d: int) -> Array:
    """The d phases of an axis, `length` pixels each, as neighbours in the batch."""
    total = (d - 1) * s + d * (length - 1) + 1
    ends = [(low, total - n - low, 0) if a == axis else (0, 0, 0) for a in range(x.ndim)]
    x = lax.pad(x, jnp.zeros((), x.dtype), ends)
    if s == 1:
        x = jnp.moveaxis(x.reshape(*x.shape[:axis], length, d, *x.shape[axis + 1 :]), axis + 1, 1)
    else:
        x = jnp.stack([lax.slice_in_dim(x, r * s, r * s + d * (length - 1) + 1, d, axis) for r in range(d)], 1)
    return x.reshape(-1, *x.shape[2:])


def _joined(y: Array, size: tuple[int, ...]) -> Array:
    """[b, d d.., m m.., o] to [b, size.., o], phases side by side."""
    rank = len(size)
    order = [axis for pair in zip(range(1 + rank, 1 + 2 * rank), range(1, 1 + rank), strict=True) for axis in pair]
    shape = [math.prod(y.shape[1 + a :: rank][:2]) for a in range(rank)]
    y = y.transpose(0, *order, 2 * rank + 1).reshape(y.shape[0], *shape, y.shape[-1])
    return y[(slice(None), *(slice(n) for n in size))]
