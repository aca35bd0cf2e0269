"""InfoGAN's networks: a generator, and a discriminator whose body also reads the code off an image.

Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel 2016 (arXiv:1606.03657), appendix C.1, the table for MNIST: in G
two dense layers and transposed convolutions, in D convolutions and a dense layer, shared with Q, which adds a dense
layer of its own. There width is 64 and units 1024. Any image of `nets.dcgan.pyramid` has such networks; G ends with
tanh for images in [-1, 1]. Layers in front of a normalisation have no bias, which it would remove.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.nets.dcgan import pyramid

_WEIGHTS = nn.initializers.normal(0.02)
_SLOPE = 0.1  # of LeakyReLU
_Q_UNITS = 128
_MAX_MULTIPLE = 16  # of `width`, the channels at the base of large images


class CodeGuess(NamedTuple):
    """What Q says of the codes of b images.

    Attributes:
        logits: [b, k], of the categorical code.
        mean: [b, n], of the continuous codes.
        log_variance: the same, or None for unit variances.
    """

    logits: Float[Array, "b k"]
    mean: Float[Array, "b n"]
    log_variance: Float[Array, "b n"] | None


class InfoGANGenerator(nn.Module):
    """Latent vectors, of which the code is a part, to images.

    Attributes:
        image_shape: height, width, channels of the images.
        width: channels of the last hidden layer; each layer before has twice as many.
        units: of the first dense layer.
        dtype: of the computation; parameters, batch statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    image_shape: Sequence[int]
    width: int = 64
    units: int = 1024
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, z: Float[Array, "b z"], *, train: bool) -> Float[Array, "b h w c"]:
        """Images in [-1, 1].

        Args:
            z: noise and codes, joined.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 images.

        Raises:
            UserError: if there is no such network for this image size.
        """
        height, width, channels = self.image_shape
        (base_h, base_w), doublings = pyramid(height, width)
        features = _features(self.width, doublings)[::-1]
        x = z
        for units in (self.units, base_h * base_w * features[0]):
            x = nn.Dense(units, use_bias=False, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
            x = nn.relu(_batch_norm(self, train)(x))
        x = x.reshape(-1, base_h, base_w, features[0])
        for following in features[1:]:
            x = ConvTranspose(following, (4, 4), (2, 2), use_bias=False, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
            x = nn.relu(_batch_norm(self, train)(x))
        x = ConvTranspose(channels, (4, 4), (2, 2), kernel_init=_WEIGHTS, dtype=self.dtype)(x)
        return jnp.tanh(x.astype(jnp.float32))


class InfoGANDiscriminator(nn.Module):
    """Images to logits, and to a guess of the code.

    Attributes:
        categories: values of the categorical code.
        continuous: number of continuous codes.
        learned_variance: guess also how certain the continuous codes are.
        width: channels of the first layer; each layer after has twice as many.
        units: of the dense layer.
        dtype: of the computation; parameters, batch statistics and outputs are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    categories: int
    continuous: int
    learned_variance: bool = False
    width: int = 64
    units: int = 1024
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> tuple[Float[Array, "b"], CodeGuess]:
        """One logit per image, positive where it looks real; and Q's guess.

        Args:
            x: images in [-1, 1].
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 logits and guesses.

        Raises:
            UserError: if there is no such network for this image size.
        """
        first, *others = _features(self.width, pyramid(*x.shape[1:3])[1])
        layer: dict[str, Any] = {"kernel_init": _WEIGHTS, "dtype": self.dtype}
        x = _leaky(Conv(first, (4, 4), (2, 2), **layer)(x))
        for features in others:
            x = Conv(features, (4, 4), (2, 2), use_bias=False, **layer)(x)
            x = _leaky(_batch_norm(self, train)(x))
        x = nn.Dense(self.units, use_bias=False, **layer)(x.reshape(x.shape[0], -1))
        x = _leaky(_batch_norm(self, train)(x))
        logits = nn.Dense(1, **layer)(x)[:, 0].astype(jnp.float32)
        return logits, self._guess(x, train, layer)

    def _guess(self, x: Float[Array, "b n"], train: bool, layer: dict[str, Any]) -> CodeGuess:
        x = nn.Dense(_Q_UNITS, use_bias=False, name="q_hidden", **layer)(x)
        x = _leaky(_batch_norm(self, train)(x))
        sizes = [self.categories, self.continuous, self.continuous if self.learned_variance else 0]
        guess = nn.Dense(sum(sizes), name="q", **layer)(x).astype(jnp.float32)
        logits, mean, log_variance = jnp.split(guess, [sizes[0], sizes[0] + sizes[1]], axis=1)
        return CodeGuess(logits, mean, log_variance if self.learned_variance else None)


def _features(width: int, layers: int) -> list[int]:
    """Channels of the layers from the image to the base."""
    return [width * min(2**layer, _MAX_MULTIPLE) for layer in range(layers)]


def _batch_norm(net: InfoGANGenerator | InfoGANDiscriminator, train: bool) -> nn.BatchNorm:
    return nn.BatchNorm(
        use_running_average=not train, momentum=0.9, epsilon=1e-5, dtype=net.dtype, axis_name=net.axis_name
    )


def _leaky(x: Float[Array, "*s"]) -> Float[Array, "*s"]:
    return jax.nn.leaky_relu(x, _SLOPE)
