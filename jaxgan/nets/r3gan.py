"""Residual generator and discriminator without normalisation: R3GAN.

Huang, Gokaslan, Kuleshov and Tompkin 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline"
(arXiv:2501.05441), config E. Both networks are stages of residual blocks at one resolution each, mirror images of each
other; between stages pictures are resampled bilinearly, and a 1x1 convolution changes their width. A block widens by a
1x1 convolution, mixes neighbours by a grouped 3x3 one and projects back by a 1x1 one, with a bias and a leaky ReLU
between them. Instead of normalising, each block begins as the identity (Zhang et al. 2019, Fixup, arXiv:1901.09321).

The generator starts from a learned picture, the basis, whose channels the latent vector scales; the discriminator ends
by weighing each channel with a picture of its own. Here they are as large as `nets.dcgan.pyramid` says (the paper's
4x4 for sizes that are powers of two, 7x7 for 28x28).

With `classes` above 0 the label's embedding is joined to the latent vector, and D's logit is the product of the image's
features with the label's (projection discriminator: Miyato and Koyama 2018, arXiv:1802.05637).
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.layers.conv.grouped import GroupedConv
from jaxgan.layers.resample import downsample, upsample
from jaxgan.nets.dcgan import pyramid
from jaxgan.nets.labels import one_hot

_SLOPE = 0.2  # of the leaky ReLU
_EXPANSION = 2  # how much wider a block is inside
_GAIN = 2 / (1 + _SLOPE**2)  # in variance, which the leaky ReLU takes away (He et al. 2015, equation 15)
_LAYERS = 3  # of a block


def _normal(scale: float = 1.0) -> nn.initializers.Initializer:
    return nn.initializers.variance_scaling(scale, "fan_in", "normal")


class R3GANBlock(nn.Module):
    """x plus a bottleneck turned inside out.

    Attributes:
        group_size: channels of a group of the 3x3 convolution; less where it does not divide twice the width.
        depth: blocks of the whole network; each begins with variance depth^(-1 / (layers - 1)) (Fixup, section 3).
        dtype: of the computation.
    """

    group_size: int
    depth: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """The same shape."""
        channels = x.shape[-1]
        wide, init = _EXPANSION * channels, _normal(_GAIN * self.depth ** (-1 / (_LAYERS - 1)))
        groups = wide // math.gcd(wide, self.group_size)
        y = nn.Dense(wide, kernel_init=init, dtype=self.dtype)(x)
        y = jax.nn.leaky_relu(y, _SLOPE)
        y = GroupedConv(wide, (3, 3), groups, kernel_init=init, dtype=self.dtype)(y)
        y = jax.nn.leaky_relu(y, _SLOPE)
        zeros = nn.initializers.zeros_init()
        return x + nn.Dense(channels, use_bias=False, kernel_init=zeros, dtype=self.dtype)(y)


class R3GANGenerator(nn.Module):
    """Latent vectors to images.

    Attributes:
        image_shape: height, width, channels of the images.
        width: channels at the full resolution.
        growth: how many times as many a stage of half the resolution has.
        max_width: but not more than this.
        blocks: residual blocks of each stage.
        group_size: as for `R3GANBlock`.
        classes: number of classes; 0 for an unconditional generator.
        dtype: of the computation; parameters and images are float32.
    """

    image_shape: Sequence[int]
    width: int = 32
    growth: int = 2
    max_width: int = 128
    blocks: int = 1
    group_size: int = 16
    classes: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b h w c"]:
        """Images, in training as the last layer makes them, else clipped to [-1, 1].

        Args:
            z: latent vectors; a label's embedding has their size.
            label: class numbers, exactly when `classes` is above 0.
            train: leave pixels that are too bright or dark for D to mend.

        Returns:
            float32 images.

        Raises:
            UserError: if the image has no pyramid, or labels and `classes` disagree.
        """
        height, width, channels = self.image_shape
        base, doublings = pyramid(height, width)
        widths = stage_widths(self.width, self.growth, self.max_width, doublings)[::-1]
        y = one_hot(label, self.classes)
        if y is not None:
            z = jnp.concatenate([z, _dense(z.shape[1], self.dtype, "embedding")(y).astype(z.dtype)], axis=1)
        basis = self.param("basis", nn.initializers.normal(1.0), (*base, widths[0]))
        x = _dense(widths[0], self.dtype, "scales")(z)[:, None, None, :] * basis.astype(self.dtype)
        for stage, features in enumerate(widths):
            x = upsample(_widen(x, features, self.dtype)) if stage else x
            for _ in range(self.blocks):
                x = R3GANBlock(self.group_size, self.blocks * len(widths), self.dtype)(x)
        x = _dense(channels, self.dtype)(x).astype(jnp.float32)
        return x if train else jnp.clip(x, -1, 1)


class R3GANDiscriminator(nn.Module):
    """Images to logits; attributes as the generator's.

    Attributes:
        width: channels at the full resolution.
        growth: how many times as many a stage of half the resolution has.
        max_width: but not more than this.
        blocks: residual blocks of each stage.
        group_size: as for `R3GANBlock`.
        classes: number of classes; 0 for an unconditional discriminator.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 32
    growth: int = 2
    max_width: int = 128
    blocks: int = 1
    group_size: int = 16
    classes: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"]:
        """One logit per image: positive where it looks real.

        Args:
            x: images in [-1, 1].
            label: class numbers, exactly when `classes` is above 0.
            train: changes nothing.

        Returns:
            float32 logits, not probabilities.

        Raises:
            UserError: if the image has no pyramid, or labels and `classes` disagree.
        """
        del train
        _, halvings = pyramid(*x.shape[1:3])
        widths = stage_widths(self.width, self.growth, self.max_width, halvings)
        y = one_hot(label, self.classes)
        x = _dense(widths[0], self.dtype)(x)
        for stage, features in enumerate(widths):
            x = _widen(downsample(x), features, self.dtype) if stage else x
            for _ in range(self.blocks):
                x = R3GANBlock(self.group_size, self.blocks * len(widths), self.dtype)(x)
        area = x.shape[1] * x.shape[2]
        basis = self.param("basis", nn.initializers.normal(area**-0.5), x.shape[1:])
        x = jnp.sum(x * basis.astype(self.dtype), axis=(1, 2))
        x = _dense(1 if y is None else widths[-1], self.dtype, "features")(x).astype(jnp.float32)
        if y is None:
            return x[:, 0]
        # A class's vector then has length about one over the root of the classes, however many features there are.
        embed = _dense(widths[-1], jnp.float32, "embedding", 1 / widths[-1])
        return jnp.sum(x * embed(y), axis=1)


def stage_widths(width: int, growth: int, max_width: int, halvings: int) -> list[int]:
    """Channels of the stages, from the full resolution down to the base."""
    return [min(width * growth**stage, max_width) for stage in range(halvings + 1)]


def _widen(x: Array, features: int, dtype: Any) -> Array:
    return x if x.shape[-1] == features else _dense(features, dtype)(x)


def _dense(features: int, dtype: Any, name: str | None = None, scale: float = 1.0) -> nn.Dense:
    """A matrix product over channels: on images it is a 1x1 convolution."""
    return nn.Dense(features, use_bias=False, kernel_init=_normal(scale), dtype=dtype, name=name)
