"""Deep convolutional generator and discriminator.

Radford, Metz and Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks" (arXiv:1511.06434): 4x4 kernels with stride 2, batch normalisation everywhere but at the generator's output
and the discriminator's two ends, ReLU in the generator, LeakyReLU in the discriminator, weights drawn from N(0, 0.02).
The convolutions have no biases. For 64x64x3 images, 100 latents and width 64 the generator has 3,576,704 parameters and
the discriminator 2,765,568.

An image of H x W is a base of at least 4 x 4 pixels doubled k times: 28 = 7 * 2^2, 32 = 4 * 2^3, 48 x 32 = 6 x 4 * 2^3.
With `classes` above 0 both are conditional as in Mirza and Osindero 2014 (arXiv:1411.1784): the label, one-hot, is
joined to the latent vector, and to the image as constant channels.
"""

from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.layers.minibatch import MinibatchStd
from jaxgan.nets.labels import one_hot

_WEIGHTS = nn.initializers.normal(0.02)
_MIN_SIDE = 4  # pixels of the base's shorter side
_MAX_AREA = 128  # pixels of the base: the dense layer to it has z_dim * area * channels weights
_MAX_MULTIPLE = 16  # of `width`, the channels at the base of large images


class DCGANGenerator(nn.Module):
    """Latent vectors to images.

    Attributes:
        image_shape: height, width, channels of the images.
        width: channels of the last hidden layer; each layer before has twice as many.
        classes: number of classes; 0 for an unconditional generator.
        units: of a dense layer between the latent vector and the base, with which every unit of the base is normalised
            on its own, as in InfoGAN's generator; 0 for none, as in DCGAN's.
        dtype: of the computation; parameters, batch statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    image_shape: Sequence[int]
    width: int = 64
    classes: int = 0
    units: int = 0
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b h w c"]:
        """Images in [-1, 1].

        Args:
            z: latent vectors.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).
            label: class numbers, exactly when `classes` is above 0.

        Returns:
            float32 images.

        Raises:
            UserError: if no DCGAN has this image size, or labels and `classes` disagree.
        """
        height, width, channels = self.image_shape
        (base_h, base_w), doublings = pyramid(height, width)
        features = pyramid_channels(self.width, doublings)[::-1]
        layer: dict[str, Any] = {"use_bias": False, "kernel_init": _WEIGHTS, "dtype": self.dtype}
        normalised = lambda x: batch_norm(train, self.dtype, self.axis_name)(x)  # noqa: E731
        pixels = (-1, base_h, base_w, features[0])
        y = one_hot(label, self.classes)
        x = z if y is None else jnp.concatenate([z, y.astype(z.dtype)], axis=1)
        if self.units:
            x = nn.relu(normalised(nn.Dense(self.units, **layer)(x)))
        x = nn.Dense(base_h * base_w * features[0], **layer)(x)
        # Behind a dense layer every unit has statistics of its own, behind none the base's pixels share them.
        x = normalised(x).reshape(pixels) if self.units else normalised(x.reshape(pixels))
        for following in features[1:]:
            x = normalised(ConvTranspose(following, (4, 4), (2, 2), **layer)(nn.relu(x)))
        x = ConvTranspose(channels, (4, 4), (2, 2), **layer)(nn.relu(x))
        return jnp.tanh(x.astype(jnp.float32))


class DCGANDiscriminator(nn.Module):
    """Images to logits.

    Attributes:
        width: channels of the first layer; each layer after has twice as many.
        negative_slope: of the LeakyReLU.
        classes: number of classes; 0 for an unconditional discriminator.
        norm: "batch"; "layer", over all numbers of an image, which a gradient penalty allows (Gulrajani et al. 2017,
            section 4); or "none", with biases in the convolutions instead.
        group_size: images of a group whose standard deviation is one more channel before the logit (`MinibatchStd`), so
            that D sees images that are too alike; 0 for none.
        units: of a dense layer behind the convolutions; 0 for none, as in the paper.
        biases: at D's two ends, whose layers no normalisation shifts.
        dtype: of the computation; parameters, batch statistics and logits are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    width: int = 64
    negative_slope: float = 0.2
    classes: int = 0
    norm: Literal["batch", "layer", "none"] = "batch"
    group_size: int = 0
    units: int = 0
    biases: bool = False
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"]:
        """One logit per image: positive where it looks real.

        Args:
            x: images in [-1, 1].
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).
            label: class numbers, exactly when `classes` is above 0.

        Returns:
            float32 logits, not probabilities.

        Raises:
            UserError: if no DCGAN has this image size, labels and `classes` disagree, or no groups divide the batch.
        """
        _, halvings = pyramid(*x.shape[1:3])
        x = with_planes(x, one_hot(label, self.classes))
        layer: dict[str, Any] = {"kernel_init": _WEIGHTS, "dtype": self.dtype}
        unnormalised = self.norm == "none"
        for depth, features in enumerate(pyramid_channels(self.width, halvings)):
            bias = unnormalised or (self.biases and depth == 0)
            x = Conv(features, (4, 4), (2, 2), use_bias=bias, **layer)(x)
            x = jax.nn.leaky_relu(self._normalised(x, train) if depth else x, self.negative_slope)
        x = MinibatchStd(self.group_size)(x) if self.group_size else x
        x = x.reshape(x.shape[0], -1)
        if self.units:
            x = nn.Dense(self.units, use_bias=unnormalised, **layer)(x)
            x = jax.nn.leaky_relu(self._normalised(x, train), self.negative_slope)
        x = nn.Dense(1, use_bias=self.biases, **layer)(x)
        return x[:, 0].astype(jnp.float32)

    def _normalised(self, x: Array, train: bool) -> Array:
        if self.norm == "batch":
            return batch_norm(train, self.dtype, self.axis_name)(x)
        if self.norm == "layer":
            return nn.LayerNorm(epsilon=1e-5, dtype=self.dtype, reduction_axes=tuple(range(1, x.ndim)))(x)
        return x


def pyramid(height: int, width: int) -> tuple[tuple[int, int], int]:
    """The base (height, width) in pixels and how often it is doubled to reach an image size.

    Args:
        height: image height in pixels.
        width: image width in pixels.

    Returns:
        The base with the smallest sides of at least 4 pixels, and the number of doublings, at least 1.

    Raises:
        UserError: if the size is no small base times a power of two; the sentence names sizes nearby that are.
    """
    found = _split(height, width)
    if found is None:
        raise UserError(
            f"image size {height}x{width} does not suit this network, which doubles a base of {_MIN_SIDE}x{_MIN_SIDE} "
            f"or more but at most {_MAX_AREA} pixels once or more; sizes nearby that work: {_nearby(height, width)}."
        )
    return found


def _split(height: int, width: int) -> tuple[tuple[int, int], int] | None:
    doublings = 0
    while height % 2 == width % 2 == 0 and min(height, width) >= 2 * _MIN_SIDE:
        height, width, doublings = height // 2, width // 2, doublings + 1
    fits = doublings > 0 and height * width <= _MAX_AREA
    return ((height, width), doublings) if fits else None


def _nearby(height: int, width: int) -> str:
    """The nearest size that fits inside height x width, and the nearest that holds it."""
    low = 2 * _MIN_SIDE
    high = 2 * max(height, width, low)
    inside = _nearest(height, width, range(low, height + 1), range(low, width + 1))
    around = _nearest(height, width, range(height, high), range(width, high))
    return " and ".join(dict.fromkeys(f"{h}x{w}" for h, w in (*inside, *around)))


def _nearest(height: int, width: int, heights: range, widths: range) -> list[tuple[int, int]]:
    # Every possible side is even, which quarters the search.
    sizes = [(h, w) for h in heights if h % 2 == 0 for w in widths if w % 2 == 0 and _split(h, w)]
    return sorted(sizes, key=lambda size: abs(size[0] - height) + abs(size[1] - width))[:1]


def pyramid_channels(width: int, layers: int) -> list[int]:
    """Channels of the layers from the image down to the base."""
    return [width * min(2**layer, _MAX_MULTIPLE) for layer in range(layers)]


def batch_norm(
    train: bool, dtype: Any, axis_name: str | None, name: str | None = None, momentum: float = 0.9
) -> nn.BatchNorm:
    """Batch normalisation with a gain from N(1, 0.02).

    Args:
        train: normalise with this batch's statistics and update the running ones.
        dtype: of the computation.
        axis_name: mapped axis over which statistics are averaged, or None.
        name: of the layer inside its network; None counts.
        momentum: what a step leaves of the running statistics; 0 makes them those of the last batch.
    """
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=momentum,
        epsilon=1e-5,
        dtype=dtype,
        scale_init=_around_one,
        axis_name=axis_name,
        name=name,
    )


def _around_one(key: Array, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    return 1 + _WEIGHTS(key, shape, dtype)


def with_planes(x: Float[Array, "b h w c"], y: Float[Array, "b classes"] | None) -> Float[Array, "b h w joined"]:
    """Images with a constant channel for each number of their rows of `y`; as they are where that is None."""
    if y is None:
        return x
    planes = jnp.broadcast_to(y[:, None, None, :].astype(x.dtype), (*x.shape[:3], y.shape[1]))
    return jnp.concatenate([x, planes], axis=-1)
