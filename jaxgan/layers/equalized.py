"""Layers whose weights are drawn from N(0, 1) and scaled when they are used: equalised learning rate.

Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (arXiv:1710.10196),
section 4.1. Adam's steps do not depend on the size of gradients, so all weights then learn at one speed. A learning
rate multiplier m (Karras et al. 2019, arXiv:1812.04948, appendix C) stores weights and biases 1 / m as large and uses
them m as large: under Adam they learn m times as fast.

Where the root of 2 of He's initialisation sits is a matter of generation. Growing GANs and StyleGAN scale the weights
(`gain=2**0.5`); StyleGAN2 leaves them (`gain=1`) and scales behind the activation (`leaky`), the bias with the rest.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from jaxgan.layers.fir import BINOMIAL, convolved, convolved_down, convolved_up

_SLOPE = 0.2


def leaky(x: Float[Array, "*s"], gain: float = math.sqrt(2)) -> Float[Array, "*s"]:
    """Leaky ReLU of slope 0.2, times a gain: that of StyleGAN2 keeps a normal input's second moment about 1."""
    return gain * jax.nn.leaky_relu(x, _SLOPE)


def pixel_norm(x: Float[Array, "*s c"], epsilon: float = 1e-8) -> Float[Array, "*s c"]:
    """Each pixel's (or vector's) channels brought to a mean square of 1 (arXiv:1710.10196, section 4.2)."""
    exact = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return (exact * jax.lax.rsqrt(jnp.square(exact).mean(-1, keepdims=True) + epsilon)).astype(x.dtype)


class EqualizedDense(nn.Module):
    """A dense layer of equalised learning rate.

    Attributes:
        features: number of outputs.
        gain: of the weights when they are used.
        multiplier: of the learning rate of weights and bias.
        use_bias: add one learned number to each output.
        bias: what the bias is at the start, when it is used.
        dtype: of the computation; parameters are float32.
    """

    features: int
    gain: float = 1.0
    multiplier: float = 1.0
    use_bias: bool = True
    bias: float = 0.0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "*b i"]) -> Float[Array, "*b {self.features}"]:
        """The outputs in `dtype`."""
        kernel, bias = parameters(self, (x.shape[-1], self.features), self.bias)
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = x @ kernel
        return y if bias is None else y + bias


class EqualizedConv(nn.Module):
    """A convolution of equalised learning rate, which may resample by two through a filter.

    Attributes:
        features: number of output channels.
        size: pixels of the square kernel.
        resample: "up": twice as large; "down": half as large.
        taps: of the filter along one axis, in any scale.
        gain: of the weights when they are used.
        multiplier: of the learning rate of weights and bias.
        use_bias: add one learned number to each output channel.
        dtype: of the computation; parameters are float32.
    """

    features: int
    size: int = 3
    resample: Literal["none", "up", "down"] = "none"
    taps: Sequence[float] = BINOMIAL
    gain: float = 1.0
    multiplier: float = 1.0
    use_bias: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w i"]) -> Float[Array, "b H W {self.features}"]:
        """Features in `dtype`; UserError where an odd side is to be halved."""
        kernel, bias = parameters(self, (self.size, self.size, x.shape[-1], self.features))
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = resampled(x, kernel, self.resample, self.taps)
        return y if bias is None else y + bias


def resampled(
    x: Float[Array, "b h w i"],
    kernel: Float[Array, "k k i o"],
    resample: Literal["none", "up", "down"],
    taps: Sequence[float],
) -> Float[Array, "b H W o"]:
    """Features convolved, and filtered to twice or half the size where that is asked for."""
    if resample == "none":
        return convolved(x, kernel)
    return (convolved_up if resample == "up" else convolved_down)(x, kernel, taps)


def parameters(layer: Any, shape: tuple[int, ...], bias: float = 0.0) -> tuple[Array, Array | None]:
    """Kernel and bias of a layer as they are used; the last axis of `shape` are outputs."""
    m = layer.multiplier
    kernel = layer.param("kernel", nn.initializers.normal(1 / m), shape, jnp.float32)
    scaled = kernel * (m * layer.gain / math.sqrt(math.prod(shape[:-1])))
    if not layer.use_bias:
        return scaled, None
    return scaled, m * layer.param("bias", nn.initializers.constant(bias / m), shape[-1:], jnp.float32)
