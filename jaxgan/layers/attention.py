"""Self-attention of an image's features: each place looks at all others.

Zhang et al. 2019, "Self-Attention Generative Adversarial Networks" (arXiv:1805.08318), with the channels and the
pooling of the code that its authors published: queries and keys have an eighth of the channels, values a half, and
keys and values are pooled by two.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.spectral import SpectralConv


class SelfAttention(nn.Module):
    """x + gamma * attention(x), gamma starting at 0.

    Attributes:
        spectral: normalise the four kernels spectrally.
        dtype: of the computation; parameters and the softmax are float32.
    """

    spectral: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, "b h w c"]:
        """Features of the same shape, in `dtype`.

        Args:
            x: features; sides are even, channels a multiple of 8.
            train: take a step of power iteration (collection `spectral`).

        Raises:
            UserError: sides that are odd, or channels that 8 does not divide.
        """
        b, h, w, c = x.shape
        if h % 2 or w % 2 or c % 8:
            raise UserError(f"self-attention takes even sides and a multiple of 8 channels, got {h}x{w}x{c}.")
        query = self._map(c // 8, "query", x, train).reshape(b, h * w, -1)
        key, value = (_pooled(self._map(n, name, x, train)) for n, name in ((c // 8, "key"), (c // 2, "value")))
        scores = jnp.einsum("bqn,bkn->bqk", query, key, preferred_element_type=jnp.float32)
        seen = jnp.einsum("bqk,bkn->bqn", jax.nn.softmax(scores, -1).astype(self.dtype), value)
        gamma = self.param("gamma", nn.initializers.zeros, (), jnp.float32).astype(self.dtype)
        return x.astype(self.dtype) + gamma * self._map(c, "out", seen.reshape(b, h, w, c // 2), train)

    def _map(self, features: int, name: str, x: Array, train: bool) -> Array:
        options: dict[str, Any] = {"use_bias": False, "dtype": self.dtype, "name": name}
        options |= {"kernel_init": nn.initializers.orthogonal()}
        if self.spectral:
            return SpectralConv(features, (1, 1), **options)(x, train=train)
        return Conv(features, (1, 1), **options)(x)


def _pooled(x: Float[Array, "b h w c"]) -> Float[Array, "b n c"]:
    """The largest of four pixels each, in a row."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).max((2, 4)).reshape(b, h * w // 4, c)
