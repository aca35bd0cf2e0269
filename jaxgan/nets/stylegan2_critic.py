"""StyleGAN2's discriminator (Karras et al. 2020, arXiv:1912.04958, section 4), and ADA's conditional form.

A convolution of one pixel, levels of two 3x3 convolutions of which the second halves the image, the standard deviation
within groups of images as one more channel, and two dense layers. For 1024 x 1024 x 3 images and the sizes of
configuration F it has 29,012,513 parameters. With classes the logit is the inner product of the features with an
embedding of the class, over the root of their number: the projection of Miyato and Koyama 2018 (arXiv:1802.05637),
with a mapping for the embedding (Karras et al. 2020b, arXiv:2006.06676, appendix D).
"""

import math
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.layers.equalized import EqualizedConv, EqualizedDense, leaky
from jaxgan.layers.fir import downsampled
from jaxgan.layers.minibatch import MinibatchStd
from jaxgan.nets.dcgan import pyramid
from jaxgan.nets.labels import one_hot
from jaxgan.nets.stylegan2 import Architecture, Mapping, level_channels

_HALF = 0.5**0.5


class StyleGAN2Discriminator(nn.Module):
    """Images to logits.

    Attributes:
        channel_base: as for `StyleGAN2Generator`.
        channel_max: likewise.
        classes: number of classes; 0 for an unconditional discriminator.
        architecture: "resnet": each level is added to its input; "skip": each level sees the image, too; "orig":
            neither.
        group_size: images whose standard deviation is one more channel.
        mapping_layers: dense layers of the embedding of a class.
        dtype: of the computation but for the last level; parameters and logits are float32.
    """

    channel_base: int = 32768
    channel_max: int = 512
    classes: int = 0
    architecture: Architecture = "resnet"
    group_size: int = 4
    mapping_layers: int = 8
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"]:
        """One logit per image: positive where it looks real.

        Args:
            x: images.
            label: class numbers, exactly when `classes` is above 0.
            train: changes nothing.

        Returns:
            float32 logits, not probabilities.

        Raises:
            UserError: if the image has no pyramid, no groups divide the batch, or labels and `classes` disagree.
        """
        del train
        one_hot(label, self.classes)  # refuses labels without classes and classes without labels
        _, halvings = pyramid(*x.shape[1:3])
        channels = level_channels(self.channel_base, self.channel_max, halvings)[::-1]
        image, x = x, self._seen(x, channels[0], 0)
        for level, features in enumerate(channels[1:]):
            x = self._level(x, channels[level], features)
            if self.architecture == "skip":
                image = downsampled(image)
                x = x + self._seen(image, features, level + 1)
        x = MinibatchStd(self.group_size)(x.astype(jnp.float32))
        x = leaky(EqualizedConv(channels[-1], name="last")(x))
        x = leaky(EqualizedDense(channels[-1], name="features")(x.reshape(len(x), -1)))
        if label is None:
            return EqualizedDense(1, name="logit")(x)[:, 0]
        wanted = Mapping(channels[-1], self.mapping_layers, self.classes, name="classes")(None, label)
        return (EqualizedDense(channels[-1], name="logit")(x) * wanted).sum(1) / math.sqrt(channels[-1])

    def _seen(self, image: Array, features: int, level: int) -> Array:
        """Features of pixels."""
        return leaky(EqualizedConv(features, 1, dtype=self.dtype, name=f"pixels_{level}")(image))

    def _level(self, x: Float[Array, "b h w c"], hidden: int, features: int) -> Float[Array, "b H W {features}"]:
        """Half the size."""
        y = leaky(EqualizedConv(hidden, dtype=self.dtype)(x))
        y = leaky(EqualizedConv(features, resample="down", dtype=self.dtype)(y))
        if self.architecture != "resnet":
            return y
        return _HALF * (y + EqualizedConv(features, 1, "down", use_bias=False, dtype=self.dtype)(x))
