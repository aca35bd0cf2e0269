"""StyleGAN2's convolution, whose kernel each image has scaled by its style, and its noise.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN" (arXiv:1912.04958), section 2.2. With styles
s of the input channels the kernel of an image is w'[k, l, i, o] = s[i] w[k, l, i, o], and divided by its norm over k,
l, i it is w'' (demodulation). A kernel for each image would be a grouped convolution; here the input is scaled,
convolved with the one kernel, and scaled again, which is the same.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.game.random import normal
from jaxgan.layers.equalized import EqualizedDense, parameters, resampled
from jaxgan.layers.fir import BINOMIAL

_TINY = 1e-8
NoiseMode: TypeAlias = Literal["random", "constant", "none"]


def modulated(
    x: Float[Array, "b h w i"],
    kernel: Float[Array, "k k i o"],
    style: Float[Array, "b i"],
    *,
    demodulate: bool = True,
    resample: Literal["none", "up", "down"] = "none",
    taps: Sequence[float] = BINOMIAL,
) -> Float[Array, "b H W o"]:
    """Features convolved with `style` times the kernel, each image with its own.

    Args:
        x: channels-last images, in whose dtype the convolution runs.
        kernel: not flipped.
        style: a scale for each input channel.
        demodulate: divide each image's kernel by its norm for each output channel; the norm is of float32 or better.
        resample: twice as large, or half as large, through the filter.
        taps: of the filter along one axis.
    """
    y = resampled(x * style[:, None, None].astype(x.dtype), kernel.astype(x.dtype), resample, taps)
    if not demodulate:
        return y
    exact = jnp.promote_types(style.dtype, jnp.float32)
    norms = lax.rsqrt(jnp.square(style.astype(exact)) @ jnp.square(kernel.astype(exact)).sum((0, 1)) + _TINY)
    return y * norms[:, None, None].astype(x.dtype)


class ModulatedConv(nn.Module):
    """A modulated convolution of equalised learning rate; styles are an affine map of a vector and start about 1.

    Attributes:
        features: number of output channels.
        size: pixels of the square kernel.
        demodulate: as for `modulated`; StyleGAN2's layers to pixels do not.
        resample: "up": twice as large; "down": half as large.
        taps: of the filter along one axis.
        use_bias: add one learned number to each output channel; StyleGAN2 adds noise first.
        dtype: of the computation; parameters are float32.
    """

    features: int
    size: int = 3
    demodulate: bool = True
    resample: Literal["none", "up", "down"] = "none"
    taps: Sequence[float] = BINOMIAL
    use_bias: bool = False
    dtype: Any = jnp.float32
    gain: float = 1.0
    multiplier: float = 1.0

    @nn.compact
    def __call__(self, x: Float[Array, "b h w i"], w: Float[Array, "b n"]) -> Float[Array, "b H W {self.features}"]:
        """Features in `dtype`.

        Args:
            x: channels-last features.
            w: the vector from which each image's styles are computed.
        """
        style = EqualizedDense(x.shape[-1], bias=1.0, name="style")(w)
        kernel, bias = parameters(self, (self.size, self.size, x.shape[-1], self.features))
        options: dict[str, Any] = {"demodulate": self.demodulate, "resample": self.resample, "taps": self.taps}
        y = modulated(x.astype(self.dtype), kernel, style, **options)
        return y if bias is None else y + bias.astype(self.dtype)


class Noise(nn.Module):
    """Adds noise of one value a pixel, the same for all channels, with one learned strength that starts at 0.

    Karras et al. 2019 (arXiv:1812.04948), section 3.2; one strength a layer as in StyleGAN2. The constant noise is a
    picture of the collection `noise`.
    """

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], mode: NoiseMode, rng: Key[Array, "b"] | None = None
    ) -> Float[Array, "b h w c"]:
        """Features with noise, in their dtype.

        Args:
            x: features.
            mode: "random": of each image's key; "constant": the same picture always; "none".
            rng: one key an image, exactly for "random".

        Raises:
            UserError: random noise without keys.
        """
        strength = self.param("strength", nn.initializers.zeros, (), jnp.float32)
        size = x.shape[1:3]
        # Without a key of its own: it has to be there wherever the parameters are made.
        first = lambda: normal(self.make_rng("params")[None], size)[0]  # noqa: E731
        constant = self.variable("noise", "constant", first)
        if mode == "none":
            return x
        if mode == "constant":
            picture = jnp.broadcast_to(constant.value, (len(x), *size))
        elif rng is None:
            raise UserError("random noise takes a key for each image; modes without keys are constant and none.")
        else:
            picture = normal(rng, size)
        return x + (strength * picture)[..., None].astype(x.dtype)
