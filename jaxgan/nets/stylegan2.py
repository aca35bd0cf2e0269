"""StyleGAN2's generator: a mapping of latents to styles, and a synthesis in which each layer has a style of its own.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN" (arXiv:1912.04958), sections 2 and 4, with
the layers' sizes of Karras et al. 2020b, "Training Generative Adversarial Networks with Limited Data" (ADA,
arXiv:2006.06676), appendix D. For 1024 x 1024 x 3 images and the sizes of configuration F it has 30,370,060 parameters.

An image is a base doubled k times (`nets.dcgan.pyramid`): 32 = 4 * 2^3, 28 = 7 * 2^2, 48 x 32 = 6 x 4 * 2^3. There are
2 (k + 1) styles: of every 3x3 convolution, and of the last layer to pixels; the others to pixels share the style of the
next convolution. The level of 4 * 2^i pixels, or what stands in its place, has min(channel_base / (4 * 2^i),
channel_max) channels.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

from jaxgan.layers.equalized import EqualizedConv, EqualizedDense, leaky, pixel_norm
from jaxgan.layers.fir import upsampled
from jaxgan.layers.modulated import ModulatedConv, Noise, NoiseMode
from jaxgan.nets.dcgan import pyramid
from jaxgan.nets.labels import one_hot

Architecture: TypeAlias = Literal["orig", "skip", "resnet"]
AVERAGE = "w_avg"
"""Collection of the moving mean of w."""
_SLOWLY = 0.01  # multiplier of the mapping's learning rate
_DECAY = 0.995  # of the mean of w, a step
_HALF = 0.5**0.5  # of each of two branches that are added, so that variances stay


class Mapping(nn.Module):
    """Latent vectors, class labels, or both, to styles w.

    Attributes:
        features: length of w, and of the hidden layers.
        layers: dense layers, all of them with the activation.
        classes: number of classes; 0 for none.
    """

    features: int
    layers: int = 8
    classes: int = 0

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"] | None, label: Int[Array, "b"] | None = None
    ) -> Float[Array, "b {self.features}"]:
        """The styles, float32; UserError where labels and `classes` disagree."""
        y = one_hot(label, self.classes)
        parts = [] if z is None else [pixel_norm(z.astype(jnp.float32))]
        if y is not None:
            parts.append(pixel_norm(EqualizedDense(self.features, name="embed")(y)))
        x = jnp.concatenate(parts, axis=1)
        for _ in range(self.layers):
            x = leaky(EqualizedDense(self.features, multiplier=_SLOWLY)(x))
        return x


class StyleLayer(nn.Module):
    """A modulated 3x3 convolution, noise, bias and activation."""

    features: int
    up: bool
    gain: float
    dtype: Any

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], w: Float[Array, "b n"], mode: NoiseMode, rng: Key[Array, "b"] | None
    ) -> Float[Array, "b H W {self.features}"]:
        """Features, of twice the size where `up`."""
        resample = "up" if self.up else "none"
        x = ModulatedConv(self.features, 3, resample=resample, dtype=self.dtype, name="conv")(x, w)
        x = Noise(name="noise")(x, mode, rng)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        return leaky(x + bias.astype(self.dtype)) * self.gain


class Synthesis(nn.Module):
    """Styles to images; attributes as the generator's."""

    image_shape: Sequence[int]
    channel_base: int
    channel_max: int
    architecture: Architecture
    dtype: Any

    @nn.compact
    def __call__(
        self, ws: Float[Array, "b n d"], mode: NoiseMode, rng: Key[Array, "b"] | None = None
    ) -> Float[Array, "b H W c"]:
        """Images in float32, not clipped.

        Args:
            ws: a style for each layer, `styles_of` the image.
            mode: of the noise.
            rng: one key an image, for random noise.
        """
        (height, width), doublings = pyramid(*self.image_shape[:2])
        channels = level_channels(self.channel_base, self.channel_max, doublings)
        shape = (height, width, channels[0])
        constant = self.param("constant", nn.initializers.normal(1.0), shape, jnp.float32)
        x = jnp.broadcast_to(constant.astype(self.dtype), (len(ws), *shape))
        picture = None
        for level, features in enumerate(channels):
            x = self._block(x, ws, level, features, mode, rng)
            if self.architecture == "skip" or level == doublings:
                layer = ModulatedConv(
                    self.image_shape[2], 1, demodulate=False, use_bias=True, dtype=self.dtype, name=f"rgb_{level}"
                )
                own = layer(x, ws[:, 2 * level + 1]).astype(jnp.float32)
                picture = own if picture is None else upsampled(picture) + own
        assert picture is not None
        return picture

    def _block(
        self, x: Array, ws: Array, level: int, features: int, mode: NoiseMode, rng: Array | None
    ) -> Float[Array, "b H W c"]:
        """The two convolutions of a level, the first of which doubles; of the base only the second."""

        def layer(x: Array, number: int, up: bool, gain: float = 1.0) -> Array:
            own = None if rng is None else jax.vmap(jax.random.fold_in, (0, None))(rng, number)
            return StyleLayer(features, up, gain, self.dtype, name=f"layer_{number}")(x, ws[:, number], mode, own)

        if level == 0:
            return layer(x, 0, up=False)
        beside = self.architecture == "resnet"
        options: dict[str, Any] = {"use_bias": False, "dtype": self.dtype, "name": f"beside_{level}"}
        shortcut = _HALF * EqualizedConv(features, 1, "up", **options)(x) if beside else 0
        x = layer(x, 2 * level - 1, up=True)
        return shortcut + layer(x, 2 * level, up=False, gain=_HALF if beside else 1.0)


class StyleGAN2Generator(nn.Module):
    """Latent vectors to images.

    Attributes:
        image_shape: height, width, channels of the images.
        w_dim: length of a style w.
        mapping_layers: dense layers from z to w.
        channel_base: channels times pixels of a side, but for the largest levels.
        channel_max: most channels.
        classes: number of classes; 0 for an unconditional generator.
        architecture: "skip": pixels are the sum of what every level makes; "resnet": each level is added to its input;
            "orig": neither.
        psi: how far styles of samples are from their mean, against how far they are in training.
        dtype: of the convolutions; parameters, styles and images are float32.
    """

    image_shape: Sequence[int]
    w_dim: int = 512
    mapping_layers: int = 8
    channel_base: int = 32768
    channel_max: int = 512
    classes: int = 0
    architecture: Architecture = "skip"
    psi: float = 1.0
    dtype: Any = jnp.float32

    def setup(self) -> None:
        """The two networks, and the mean of w."""
        self.mapping = Mapping(self.w_dim, self.mapping_layers, self.classes)
        shape, sizes = tuple(self.image_shape), (self.channel_base, self.channel_max)
        self.synthesis = Synthesis(shape, *sizes, self.architecture, self.dtype)
        self.average = self.variable(AVERAGE, "mean", jnp.zeros, (self.w_dim,))

    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b h w c"]:
        """Images with constant noise and one style for all layers.

        Args:
            z: latent vectors.
            label: class numbers, exactly when `classes` is above 0.
            train: leave styles and pixels as they are; else w is brought nearer to its mean, and pixels to [-1, 1].

        Returns:
            float32 images.

        Raises:
            UserError: if there is no such network for this image size, or labels and `classes` disagree.
        """
        w = self.mapping(z, label)
        return self.make(self.everywhere(w if train else self.nearer(w, self.psi)), clip=not train)

    def styles(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool = False
    ) -> Float[Array, "b d"]:
        """Styles of latent vectors; in training the mean of w moves with them (collection `w_avg`)."""
        w = self.mapping(z, label)
        if train:
            now = jax.lax.stop_gradient(w).mean(0)
            self.average.value = _DECAY * self.average.value + (1 - _DECAY) * now
        return w

    def nearer(self, w: Float[Array, "b d"], psi: float | Array) -> Float[Array, "b d"]:
        """Truncation: styles `psi` times as far from their mean (Karras et al. 2019, arXiv:1812.04948, appendix B)."""
        return self.average.value + psi * (w - self.average.value)

    def everywhere(self, w: Float[Array, "b d"]) -> Float[Array, "b n d"]:
        """The same style for every layer."""
        return jnp.repeat(w[:, None], styles_of(self.image_shape), axis=1)

    def make(
        self,
        ws: Float[Array, "b n d"],
        mode: NoiseMode = "constant",
        rng: Key[Array, "b"] | None = None,
        clip: bool = False,
    ) -> Float[Array, "b h w c"]:
        """Images of styles."""
        x = self.synthesis(ws, mode, rng)
        return jnp.clip(x, -1, 1) if clip else x


def styles_of(image_shape: Sequence[int]) -> int:
    """How many styles a generator of such images takes."""
    return 2 * (pyramid(*image_shape[:2])[1] + 1)


def level_channels(base: int, most: int, doublings: int) -> list[int]:
    """Channels from the base up to the full size."""
    return [max(1, min(base // (4 * 2**level), most)) for level in range(doublings + 1)]
