"""The small networks of the laboratory: points to points, and discriminators that see one point or several."""

from typing import Literal

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.layers.minibatch import MinibatchDiscrimination, MinibatchStd
from jaxgan.layers.spectral import SpectralDense

Statistics = Literal["none", "std", "discrimination"]
_SCALE_FREE = nn.initializers.he_normal()
# Points lie within 6 units of the origin: units that begin with their edges spread over that area see all of it.
_SPREAD = nn.initializers.normal(1.0)


class PointGenerator(nn.Module):
    """Latents to points, two hidden layers with ReLU.

    Attributes:
        width: units of a hidden layer.
    """

    width: int

    @nn.compact
    def __call__(self, z: Float[Array, "b z"]) -> Float[Array, "b 1 1 2"]:
        """Points as images of one pixel."""
        for _ in range(2):
            z = nn.relu(nn.Dense(self.width, kernel_init=_SCALE_FREE)(z))
        return nn.Dense(2)(z)[:, None, None]


class PointCritic(nn.Module):
    """Points, or packs of them, to logits: two hidden layers with LeakyReLU.

    Attributes:
        width: units of a hidden layer.
        statistics: what the second layer sees of the other points of the batch.
        spectral: spectrally normalised layers.
    """

    width: int
    statistics: Statistics = "none"
    spectral: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "b 1 1 c"], *, train: bool = True) -> Float[Array, " b"]:
        """One logit a point or pack."""
        x = jax.nn.leaky_relu(self._dense(self.width, x, train), 0.2)
        if self.statistics == "std":
            x = MinibatchStd()(x)
        x = x[:, 0, 0]
        if self.statistics == "discrimination":
            x = MinibatchDiscrimination(4, 2)(x)
        x = jax.nn.leaky_relu(self._dense(self.width, x, train), 0.2)
        return self._dense(1, x, train)[:, 0]

    def _dense(self, units: int, x: Array, train: bool) -> Array:
        if self.spectral:
            return SpectralDense(units, kernel_init=_SCALE_FREE, bias_init=_SPREAD)(x, train=train)
        return nn.Dense(units, kernel_init=_SCALE_FREE, bias_init=_SPREAD)(x)


class ImageGenerator(nn.Module):
    """Latents to images of 28 x 28 pixels: the DCGAN's layers, few channels, weights drawn for that many.

    Attributes:
        width: channels of the last hidden layer.
        channels: of the images.
    """

    width: int
    channels: int = 3

    @nn.compact
    def __call__(self, z: Float[Array, "b z"], label: None = None, *, train: bool) -> Float[Array, "b 28 28 c"]:
        """Images in [-1, 1]."""
        del label
        x = nn.Dense(49 * 2 * self.width)(z).reshape(-1, 7, 7, 2 * self.width)
        for features in (self.width, self.channels):
            x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9)(x))
            x = ConvTranspose(features, (4, 4), (2, 2))(x)
        return jnp.tanh(x)


class ImageCritic(nn.Module):
    """Images to logits: the DCGAN's layers, few channels, no normalisation.

    Attributes:
        width: channels of the first layer.
        statistics: "std" appends the standard deviation within groups of four images.
    """

    width: int
    statistics: Statistics = "none"

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], label: None = None, *, train: bool) -> Float[Array, " b"]:
        """One logit per image."""
        del label, train
        for features in (self.width, 2 * self.width):
            x = jax.nn.leaky_relu(Conv(features, (4, 4), (2, 2), kernel_init=_SCALE_FREE)(x), 0.2)
        if self.statistics == "std":
            x = MinibatchStd()(x)
        return nn.Dense(1)(x.reshape(len(x), -1))[:, 0]
