"""Inception v3 as a Flax module: the network of the Fréchet inception distance, and torchvision's.

The former is TensorFlow's frozen graph of 5 December 2015. It differs from the paper and from torchvision's in four
places: 1008 classes; average pools count no padding; the last block pools by maximum; other weights.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Float32

from jaxgan.metrics.inception.blocks import NECK, STEM, Mixed, Pool, blocks, follow

_SPATIAL_CHANNELS = 7


class Variant(NamedTuple):
    """What differs between the networks of that name.

    Attributes:
        classes: number of classes.
        pool: pooling inside the blocks that keep the size.
        last_pool: that of the last block.
        unit: pixels on the scale 0..255 enter as x / unit - 1.
        epsilon: of the batch normalisations.
    """

    classes: int
    pool: Pool
    last_pool: Pool
    unit: float
    epsilon: float = 1e-3


NET_2015 = Variant(classes=1008, pool=Pool("average"), last_pool=Pool("max"), unit=128.0)
"""TensorFlow's graph of 5 December 2015, which FID is defined by."""
NET_TORCHVISION = Variant(classes=1000, pool=Pool("padded"), last_pool=Pool("padded"), unit=127.5)
"""Torchvision's; a distance of its features is no FID."""


class InceptionV3(nn.Module):
    """Images of 299x299 to the features of all depths.

    Attributes:
        variant: which network.
        dtype: of the computation; parameters, the pooled features and the logits are float32.
    """

    variant: Variant
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b 299 299 3"]) -> dict[str, Float32[Array, "b _"]]:
        """Features by name.

        Args:
            x: images in [-1, 1].

        Returns:
            "64", "192" and "768": means over the positions after the first and the second pooling and before
            `Mixed_7a`; "features" [b, 2048]: the last means, which the Fréchet distance is computed of; "logits": their
            product with the classifier's weights without its bias, which the inception score is computed of;
            "logits_biased": with it; "spatial" [b, 17 * 17 * 7]: the first 7 channels of `Mixed_6d` at each position,
            row by row, which the spatial Fréchet distance is computed of (Nash, Menick, Dieleman and Battaglia 2021,
            arXiv:2103.03841; the layer is the one that ADM's evaluation takes, `mixed_6/conv` in TensorFlow's graph).
        """
        v, taps = self.variant, {}
        x = follow(STEM, x.astype(self.dtype), v.epsilon, self.dtype)
        taps["64"] = _mean(x)
        x = follow(NECK, x, v.epsilon, self.dtype)
        taps["192"] = _mean(x)
        for name, block in blocks(v.pool, v.last_pool).items():
            x = Mixed(block, v.epsilon, self.dtype, name=name)(x)
            if name == "Mixed_6d":
                taps["spatial"] = x[..., :_SPATIAL_CHANNELS].reshape(x.shape[0], -1).astype(jnp.float32)
            if name == "Mixed_6e":
                taps["768"] = _mean(x)
        taps["features"] = _mean(x)
        taps["logits"], taps["logits_biased"] = Classifier(v.classes, name="fc")(taps["features"])
        return taps


class Classifier(nn.Module):
    """A linear map, without and with its bias.

    Attributes:
        classes: number of outputs.
    """

    classes: int

    @nn.compact
    def __call__(self, x: Float32[Array, "b d"]) -> tuple[Float32[Array, "b k"], Float32[Array, "b k"]]:
        """The product with the weights, and that plus the bias.

        Args:
            x: features.

        Returns:
            Logits without and with the bias.
        """
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (x.shape[1], self.classes), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.classes,), jnp.float32)
        unbiased = jnp.dot(x, kernel, precision=lax.Precision.HIGHEST)
        return unbiased, unbiased + bias


def _mean(x: Float[Array, "b h w c"]) -> Float32[Array, "b c"]:
    return x.mean((1, 2), dtype=jnp.float32)
