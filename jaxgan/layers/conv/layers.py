"""Linen convolutions: the parameters and numbers of Flax's, with gradients that are fast on every platform.

The mathematics is in `conv_forms` (two dimensions) and `conv_general` (the others, dilation, groups); here are only
parameters and dtypes. Every network of this package uses these layers and never `flax.linen.Conv` or
`flax.linen.ConvTranspose`, whose gradients XLA's CPU backend often runs as a naive loop.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.general import Form, check_groups, convolve, convolve_transpose
from jaxgan.layers.conv.padding import Padding, forward_pads, transpose_pads


class _Convolution(nn.Module):
    """What the two layers share: fields, parameters, dtype promotion, leading axes."""

    features: int
    kernel_size: Sequence[int]
    strides: int | Sequence[int] | None = 1
    padding: Padding = "SAME"
    use_bias: bool = True
    dtype: Any = None
    param_dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.linear.default_kernel_init
    bias_init: nn.initializers.Initializer = nn.initializers.zeros_init()

    @nn.compact
    def __call__(self, x: Float[Array, "*axes i"]) -> Float[Array, "*out {self.features}"]:
        """Convolve as many of the last spatial axes of x as the kernel has; all axes before them are batch.

        Args:
            x: channels-last signals, images or volumes.

        Returns:
            The same kind in `dtype`, or, where that is None, in the dtype that x and the parameters promote to.

        Raises:
            UserError: if an option or x has not the axes of the kernel, or groups do not divide the channels.
        """
        return self._forward(x, lambda kernel: kernel)

    def _forward(self, x: Array, constrain: Callable[[Array], Array]) -> Array:
        """The layer with `constrain(kernel)` in the place of its kernel; for layers that normalise theirs."""
        window = _window(self.kernel_size)
        rank = len(window)
        strides = _each("strides", 1 if self.strides is None else self.strides, rank)
        if x.ndim <= rank:
            raise UserError(f"kernel_size has {rank} axes, so the input needs {rank} and channels, not {x.shape}.")
        shape = (*window, self._inputs_seen(x.shape[-1]), self.features)
        kernel = self.param("kernel", self.kernel_init, shape, self.param_dtype)
        bias = self.param("bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, constrain(kernel), bias, dtype=self.dtype)
        batch, image = x.shape[: -rank - 1], x.shape[-rank - 1 :]
        y = self._convolve(x.reshape(math.prod(batch), *image), kernel, strides)
        y = y if bias is None else y + bias
        return y.reshape(*batch, *y.shape[1:])

    def _inputs_seen(self, channels: int) -> int:
        """Input channels that each output channel sees."""
        return channels

    def _convolve(self, x: Array, kernel: Array, strides: tuple[int, ...]) -> Array:
        raise NotImplementedError


class Conv(_Convolution):
    """Convolution of one, two or three axes; parameters, defaults and numbers of `flax.linen.Conv`.

    Attributes:
        features: number of output channels.
        kernel_size: pixels of each axis; as many numbers as the convolution has dimensions.
        strides: pixels between neighbouring outputs; one number or one for each axis.
        padding: "SAME", "VALID", a number of pixels, or (low, high) pixels for each axis.
        use_bias: add one learned number to each output channel.
        dtype: of the computation; None takes what inputs and parameters promote to.
        param_dtype: of the parameters.
        kernel_init: initialiser of `kernel` [*kernel_size, in / groups, out].
        bias_init: initialiser of `bias` [out].
        dilation: pixels between neighbouring weights; one number or one for each axis.
        groups: of channels, each group of outputs seeing its group of inputs alone; divides inputs and outputs.
    """

    dilation: int | Sequence[int] = 1
    groups: int = 1

    def _inputs_seen(self, channels: int) -> int:
        check_groups(channels, self.features, self.groups)
        return channels // self.groups

    def _convolve(self, x: Array, kernel: Array, strides: tuple[int, ...]) -> Array:
        dilation = _each("dilation", self.dilation, len(strides))
        pads = forward_pads(self.padding, x.shape[1:-1], kernel.shape[:-2], strides, dilation)
        return convolve(x, kernel, Form(strides, pads, dilation, self.groups))


class ConvTranspose(_Convolution):
    """Transposed convolution of one, two or three axes; parameters and numbers of `flax.linen.ConvTranspose`.

    Attributes are those of `Conv`, without dilation and groups. Explicit padding is counted, as in Flax, on the input
    after its pixels were spread `strides` apart. The kernel [*kernel_size, in, out] is not flipped.
    """

    def _convolve(self, x: Array, kernel: Array, strides: tuple[int, ...]) -> Array:
        pads = transpose_pads(self.padding, kernel.shape[:-2], strides)
        return convolve_transpose(x, kernel, strides, pads)


def _each(name: str, value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    numbers = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(numbers) != rank or min(numbers) < 1:
        raise UserError(
            f"{name} must be one positive number or {rank}, one for each axis of the kernel, not {value!r}."
        )
    return numbers


def _window(value: int | Sequence[int]) -> tuple[int, ...]:
    window = () if isinstance(value, int) else tuple(value)
    if not 1 <= len(window) <= 3 or min(window) < 1:
        raise UserError(f"kernel_size must be one, two or three positive numbers, one for each axis, not {value!r}.")
    return window
