"""Linen convolutions: the parameters and numbers of Flax's, with gradients that are fast on every platform.

The mathematics is in `conv_forms`; here are only parameters, dtypes and paddings. Every network of this package uses
these layers and never `flax.linen.Conv` or `flax.linen.ConvTranspose`, whose gradients XLA's CPU backend often runs as
a naive loop.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv_forms import Pads, conv, conv_transpose

Padding = str | int | Sequence[int | tuple[int, int]]


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
    def __call__(self, x: Float[Array, "*batch h w i"]) -> Float[Array, "*batch m n {self.features}"]:
        """Convolve the last three axes of x; all axes before them are batch.

        Args:
            x: channels-last images.

        Returns:
            Channels-last images in `dtype`, or, where that is None, in the dtype that x and the parameters promote to.

        Raises:
            UserError: if kernel, strides or padding are not two-dimensional ones.
        """
        return self._forward(x, lambda kernel: kernel)

    def _forward(self, x: Array, constrain: Callable[[Array], Array]) -> Array:
        """The layer with `constrain(kernel)` in the place of its kernel; for layers that normalise theirs."""
        kernel_size = _pair("kernel_size", self.kernel_size)
        strides = _pair("strides", 1 if self.strides is None else self.strides)
        kernel = self.param("kernel", self.kernel_init, (*kernel_size, x.shape[-1], self.features), self.param_dtype)
        bias = self.param("bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, constrain(kernel), bias, dtype=self.dtype)
        batch, image = x.shape[:-3], x.shape[-3:]
        y = self._convolve(x.reshape(math.prod(batch), *image), kernel, strides)
        y = y if bias is None else y + bias
        return y.reshape(*batch, *y.shape[1:])

    def _convolve(self, x: Array, kernel: Array, strides: tuple[int, int]) -> Array:
        raise NotImplementedError


class Conv(_Convolution):
    """Two-dimensional convolution; parameters, arguments and numbers of `flax.linen.Conv` without dilation and groups.

    Attributes:
        features: number of output channels.
        kernel_size: height and width in pixels.
        strides: pixels between neighbouring outputs; one number or one for each axis.
        padding: "SAME", "VALID", a number of pixels, or (low, high) pixels for each axis.
        use_bias: add one learned number to each output channel.
        dtype: of the computation; None takes what inputs and parameters promote to.
        param_dtype: of the parameters.
        kernel_init: initialiser of `kernel` [kh, kw, in, out].
        bias_init: initialiser of `bias` [out].
    """

    def _convolve(self, x: Array, kernel: Array, strides: tuple[int, int]) -> Array:
        pads = _forward_pads(self.padding, x.shape[1:3], kernel.shape[:2], strides)
        return conv(x, kernel, strides, pads)


class ConvTranspose(_Convolution):
    """Two-dimensional transposed convolution; parameters, arguments and numbers of `flax.linen.ConvTranspose`.

    Attributes are those of `Conv`. Explicit padding is counted, as in Flax, on the input after its pixels were spread
    `strides` apart. The kernel [kh, kw, in, out] is not flipped.
    """

    def _convolve(self, x: Array, kernel: Array, strides: tuple[int, int]) -> Array:
        pads = _transpose_pads(self.padding, kernel.shape[:2], strides)
        return conv_transpose(x, kernel, strides, pads)


def _pair(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or min(pair) < 1:
        raise UserError(f"{name} must be two positive numbers, one for height and one for width, not {value!r}.")
    return pair


def _forward_pads(padding: Padding, size: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> Pads:
    if isinstance(padding, str):
        (top, bottom), (left, right) = lax.padtype_to_pads(size, kernel, strides, _named(padding))
        return (top, bottom), (left, right)
    return _explicit_pads(padding)


def _transpose_pads(padding: Padding, kernel: Sequence[int], strides: Sequence[int]) -> Pads:
    if not isinstance(padding, str):
        return _explicit_pads(padding)
    rule = _same_pads if _named(padding) == "SAME" else _valid_pads
    return rule(kernel[0], strides[0]), rule(kernel[1], strides[1])


def _same_pads(k: int, s: int) -> tuple[int, int]:
    """The output is s times as large as the input."""
    low = k - 1 if s > k - 1 else math.ceil((k + s - 2) / 2)
    return low, k + s - 2 - low


def _valid_pads(k: int, s: int) -> tuple[int, int]:
    """Every output that any input reaches."""
    return k - 1, s - 1 + max(k - s, 0)


def _named(padding: str) -> str:
    if padding not in ("SAME", "VALID"):
        raise UserError(f"padding must be 'SAME', 'VALID' or pixels, not {padding!r}.")
    return padding


def _explicit_pads(padding: int | Sequence[int | tuple[int, int]]) -> Pads:
    sides = (padding, padding) if isinstance(padding, int) else tuple(padding)
    pads = [(side, side) if isinstance(side, int) else tuple(side) for side in sides]
    if [len(pair) for pair in pads] != [2, 2]:
        raise UserError(f"padding must be 'SAME', 'VALID' or (low, high) pixels for two axes, not {padding!r}.")
    (top, bottom), (left, right) = pads
    return (top, bottom), (left, right)
