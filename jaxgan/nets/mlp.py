"""Fully connected generator and discriminator, as in the first adversarial nets.

Goodfellow et al. 2014, "Generative Adversarial Networks" (arXiv:1406.2661), with the layer widths that courses use;
with `classes` above 0 the conditional form of Mirza and Osindero 2014 (arXiv:1411.1784): the label, one-hot, is joined
to the input of either network, so the first hidden layer is a sum of a linear map of the input and a learned vector per
class.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.nets.labels import one_hot


class MLPGenerator(nn.Module):
    """Latent vectors to images: hidden layers with ReLU, then tanh.

    Attributes:
        image_shape: height, width, channels of the images.
        widths: units of the hidden layers.
        classes: number of classes; 0 for an unconditional generator.
        dtype: of the computation; parameters and images are float32.
    """

    image_shape: Sequence[int]
    widths: Sequence[int] = (256, 512)
    classes: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool = True
    ) -> Float[Array, "b h w c"]:
        """Images in [-1, 1].

        Args:
            z: latent vectors.
            label: class numbers, exactly when `classes` is above 0.
            train: changes nothing here; taken because networks with batch normalisation need it.

        Returns:
            float32 images.

        Raises:
            UserError: if labels are given to an unconditional generator or missing from a conditional one.
        """
        del train
        x = _join(z, one_hot(label, self.classes))
        for width in self.widths:
            x = nn.relu(nn.Dense(width, dtype=self.dtype)(x))
        x = nn.Dense(math.prod(self.image_shape), dtype=self.dtype)(x)
        return jnp.tanh(x.astype(jnp.float32)).reshape(-1, *self.image_shape)


class MLPDiscriminator(nn.Module):
    """Images to logits: hidden layers with LeakyReLU.

    Attributes:
        widths: units of the hidden layers.
        negative_slope: of the LeakyReLU.
        classes: number of classes; 0 for an unconditional discriminator.
        dtype: of the computation; parameters and logits are float32.
    """

    widths: Sequence[int] = (512, 256)
    negative_slope: float = 0.2
    classes: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool = True
    ) -> Float[Array, "b"]:
        """One logit per image: positive where it looks real.

        Args:
            x: images in [-1, 1].
            label: class numbers, exactly when `classes` is above 0.
            train: changes nothing here; taken because networks with batch normalisation need it.

        Returns:
            float32 logits, not probabilities.

        Raises:
            UserError: if labels are given to an unconditional discriminator or missing from a conditional one.
        """
        del train
        x = _join(x.reshape(x.shape[0], -1), one_hot(label, self.classes))
        for width in self.widths:
            x = jax.nn.leaky_relu(nn.Dense(width, dtype=self.dtype)(x), self.negative_slope)
        return nn.Dense(1, dtype=self.dtype)(x)[:, 0].astype(jnp.float32)


def _join(x: Float[Array, "b n"], y: Float[Array, "b classes"] | None) -> Float[Array, "b joined"]:
    return x if y is None else jnp.concatenate([x, y.astype(x.dtype)], axis=1)
