"""Convolution in groups of channels: each group of outputs sees its own group of inputs only (Xie et al. 2017).

Aggregated Residual Transformations for Deep Neural Networks, arXiv:1611.05431. XLA's CPU backend runs the gradients of
a grouped convolution as naive loops, 25 to 120 times slower than the convolution itself. Here, on a CPU, neighbouring
groups are bundled into ordinary convolutions whose kernels are zero between groups, which `conv_forms` runs fast; other
platforms keep the grouped form. Both the convolution and its weight gradient are bilinear, and each one's gradients are
the two of them again, so the gradients of every order take the form that the platform wants.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.forms import Pads, by_platform, conv, varying_alike

_BUNDLE = 32  # channels of one dense convolution on a CPU: fewer leave Eigen idle, more multiply zeros


def grouped_conv(x: Float[Array, "b h w c"], kernel: Float[Array, "kh kw i o"], groups: int) -> Float[Array, "b h w o"]:
    """Correlation with stride 1 and zeros around the image, as `lax.conv_general_dilated` with `feature_group_count`.

    Args:
        x: channels-last images with `groups * i` channels; group g is the channels from g i to (g + 1) i.
        kernel: not flipped, of x's dtype, odd height and width; outputs are grouped as inputs are.
        groups: their number.

    Returns:
        Channels-last images of the same size.

    Raises:
        UserError: if the groups do not divide the channels, or the kernel has an even side.
    """
    _check(x.shape[-1], kernel.shape, groups)
    return _outputs(groups, *varying_alike(x, kernel))


class GroupedConv(nn.Module):
    """Convolution in groups with stride 1 and "SAME" padding; numbers of `nn.Conv(feature_group_count=groups)`.

    Attributes:
        features: number of output channels.
        kernel_size: height and width in pixels, both odd.
        groups: their number; it divides input and output channels.
        use_bias: add one learned number to each output channel.
        dtype: of the computation; None takes what inputs and parameters promote to.
        param_dtype: of the parameters.
        kernel_init: initialiser of `kernel` [kh, kw, in / groups, out].
        bias_init: initialiser of `bias` [out].
    """

    features: int
    kernel_size: tuple[int, int] = (3, 3)
    groups: int = 1
    use_bias: bool = True
    dtype: Any = None
    param_dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.linear.default_kernel_init
    bias_init: nn.initializers.Initializer = nn.initializers.zeros_init()

    @nn.compact
    def __call__(self, x: Float[Array, "b h w i"]) -> Float[Array, "b h w {self.features}"]:
        """Channels-last images of the same size.

        Raises:
            UserError: if the groups do not divide the channels, or the kernel has an even side.
        """
        shape = (*self.kernel_size, x.shape[-1] // max(self.groups, 1), self.features)
        _check(x.shape[-1], shape, self.groups)
        kernel = self.param("kernel", self.kernel_init, shape, self.param_dtype)
        bias = self.param("bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = grouped_conv(x, kernel, self.groups)
        return y if bias is None else y + bias


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _outputs(groups: int, x: Array, k: Array) -> Array:
    return by_platform(partial(_bundled, groups), partial(_plain, groups), x, k)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _weights(groups: int, window: tuple[int, int], x: Array, y: Array) -> Array:
    """Derivative of <y, outputs(x, k)> by the kernel k."""
    cpu, default = (partial(_pull_back, partial(form, groups), groups, window) for form in (_bundled, _plain))
    return by_platform(cpu, default, x, y)


def _outputs_pullback(groups: int, xk: tuple[Array, Array], y: Array) -> tuple[Array, Array]:
    x, k = xk
    return _outputs(groups, y, _transposed(k, groups)), _weights(groups, (k.shape[0], k.shape[1]), x, y)


def _weights_pullback(groups: int, _: Any, xy: tuple[Array, Array], k: Array) -> tuple[Array, Array]:
    return _outputs(groups, xy[1], _transposed(k, groups)), _outputs(groups, xy[0], k)


_outputs.defvjp(lambda groups, x, k: (_outputs(groups, x, k), (x, k)), _outputs_pullback)
_weights.defvjp(lambda groups, window, x, y: (_weights(groups, window, x, y), (x, y)), _weights_pullback)


def _plain(groups: int, x: Array, k: Array) -> Array:
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, k, (1, 1), _pads(k), dimension_numbers=layout, feature_group_count=groups)


def _bundled(groups: int, x: Array, k: Array) -> Array:
    """Dense convolutions of as many neighbouring groups as fit into a bundle."""
    kernels = bundled_kernels(k, groups)
    width = x.shape[-1] // len(kernels)
    parts = [conv(x[..., n * width : (n + 1) * width], dense, (1, 1), _pads(k)) for n, dense in enumerate(kernels)]
    return jnp.concatenate(parts, axis=-1)


def bundled_kernels(k: Float[Array, "*window i o"], groups: int) -> list[Float[Array, "*window m n"]]:
    """Kernels of dense convolutions of neighbouring groups, zero between the groups, in the order of the channels."""
    *window, i, outputs = k.shape
    size = _bundle_size(groups, max(i, outputs // groups))
    k = k.reshape(*window, i, groups // size, size, outputs // groups)
    dense = jnp.einsum("...inso,ts->...ntiso", k, jnp.eye(size, dtype=k.dtype))
    dense = dense.reshape(*window, groups // size, size * i, -1)
    return [dense[..., n, :, :] for n in range(groups // size)]


def _pull_back(form: Any, groups: int, window: tuple[int, int], x: Array, y: Array) -> Array:
    _, anywhere = varying_alike(x, jnp.zeros((*window, x.shape[-1] // groups, y.shape[-1]), x.dtype))
    return jax.vjp(lambda k: form(x, k), anywhere)[1](y)[0]


def _bundle_size(groups: int, channels: int) -> int:
    """The largest divisor of `groups` so that a bundle has at most `_BUNDLE` channels, at least one group."""
    return max(
        size for size in range(1, groups + 1) if groups % size == 0 and (size == 1 or size * channels <= _BUNDLE)
    )


def _transposed(k: Array, groups: int) -> Array:
    """The kernel of the transposed map: flipped, inputs and outputs swapped within each group."""
    kh, kw, i, outputs = k.shape
    k = jnp.flip(k, (0, 1)).reshape(kh, kw, i, groups, outputs // groups)
    return k.transpose(0, 1, 4, 3, 2).reshape(kh, kw, outputs // groups, groups * i)


def _pads(k: Array) -> Pads:
    return (k.shape[0] // 2, k.shape[0] // 2), (k.shape[1] // 2, k.shape[1] // 2)


def _check(channels: int, kernel: tuple[int, ...], groups: int) -> None:
    height, width, inputs, outputs = kernel
    if groups < 1 or channels != groups * inputs or outputs % groups:
        raise UserError(f"groups must divide {channels} input and {outputs} output channels, got {groups}.")
    if height % 2 == 0 or width % 2 == 0:
        raise UserError(f"kernel_size must be two odd numbers, got {(height, width)}.")
