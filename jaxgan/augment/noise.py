"""Noise of cameras, one picture at a time: Gaussian and Poisson, in each colour or in all alike.

As in Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3.1). Pictures have black 0 and white 1; what is made is
not clipped.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

Number = Float[Array, ""] | float | int
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
_LEVELS = 255  # quanta of light that white stands for


def gaussian(
    key: Key[Array, ""], x: Float[Array, "h w c"], deviation: Number, grey: Bool[Array, ""] | bool = False
) -> Float[Array, "h w c"]:
    """The picture with noise of one standard deviation everywhere.

    Args:
        key: of the noise.
        x: the picture.
        deviation: 1 being the way from black to white.
        grey: the same noise in all channels.
    """
    noise = jax.random.normal(key, x.shape)
    return x + deviation * jnp.where(grey, noise[..., :1], noise)


def poisson(
    key: Key[Array, ""], x: Float[Array, "h w c"], scale: Number, grey: Bool[Array, ""] | bool = False
) -> Float[Array, "h w c"]:
    """The picture with the noise of counted light, of variance scale^2 x / 255.

    Args:
        key: of the noise.
        x: the picture.
        scale: what the noise is multiplied by; 1 for 255 quanta of light in white.
        grey: the noise of the luminance in all channels.
    """
    light = jnp.clip(x, 0, 1)
    light = jnp.where(grey, luminance(light), light) * _LEVELS
    noise = (jax.random.poisson(key, light) - light) / _LEVELS
    return x + scale * jnp.where(grey, noise[..., :1], noise)


def luminance(x: Float[Array, "... c"]) -> Float[Array, "... 1"]:
    """Grey of red, green and blue; the mean of any other number of channels."""
    if x.shape[-1] == len(_GREY):
        return jnp.sum(x * jnp.asarray(_GREY, x.dtype), -1, keepdims=True)
    return x.mean(-1, keepdims=True)
