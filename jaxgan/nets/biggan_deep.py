"""BigGAN-deep: BigGAN's players of bottleneck blocks, two at each size, whose shortcuts have no parameters in G.

Brock, Donahue and Simonyan 2019 (arXiv:1809.11096), appendix B, figure 16 and table 7. Every normalisation and the
first layer see the whole latent vector, joined to the class's. Layouts are `nets.biggan`'s: a block of G that makes
fewer channels drops the others of its input, one of D that makes more gets the others by a 1x1 convolution. For
128x128x3 images, width 128, 128 latents and 1000 classes the generator has 50,244,484 parameters, the
discriminator 34,590,210.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.layers.resample import repeated
from jaxgan.nets.big_layers import Init, Layers, painted
from jaxgan.nets.biggan import Layout, embedded, halvings, multiples
from jaxgan.nets.dcgan import pyramid
from jaxgan.nets.labels import one_hot
from jaxgan.nets.resnet import halve

_BOTTLENECK = 4  # times fewer channels inside a block


class DeepGenerator(nn.Module):
    """Latent vectors to images.

    Attributes:
        image_shape: height, width, channels of the images.
        width: channels, of which blocks have multiples.
        layout: which multiples.
        classes: number of classes; 0 for an unconditional generator.
        embedding: length of a class's vector.
        depth: blocks of each size; the last one doubles it.
        attention: shorter sides of the features behind which self-attention stands.
        begin: how kernels begin.
        epsilon: singular values are at least this.
        momentum: share of the running statistics that a training step keeps.
        dtype: of the computation; parameters, statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    image_shape: Sequence[int]
    width: int = 128
    layout: Layout = "published"
    classes: int = 0
    embedding: int = 128
    depth: int = 2
    attention: Sequence[int] = (64,)
    begin: Init = "orthogonal"
    epsilon: float = 1e-6
    momentum: float = 0.9
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b h w c"]:
        """Images in [-1, 1].

        Args:
            z: latent vectors.
            label: class numbers, exactly when `classes` is above 0.
            train: as for `BigGANGenerator`.

        Returns:
            float32 images.

        Raises:
            UserError: if there is no such network for this image size, or labels and `classes` disagree.
        """
        one_hot(label, self.classes)  # refuses labels without classes and classes without labels
        (base_h, base_w), doublings = pyramid(*self.image_shape[:2])
        base, *stages = (self.width * multiple for multiple in multiples(self.layout, doublings)[0])
        layers = Layers(self.begin, self.epsilon, self.dtype, train, momentum=self.momentum, axis_name=self.axis_name)
        (given,) = embedded([z], label, self.classes, self.embedding)
        x = layers.dense(given, base_h * base_w * base, "first").reshape(-1, base_h, base_w, base)
        for stage, features in enumerate(stages):
            for index in range(self.depth):
                last = index == self.depth - 1
                block = DeepUpBlock(features if last else x.shape[-1], last, layers, name=f"block{stage}_{index}")
                x = block(x, given)
            if min(x.shape[1:3]) in self.attention:
                x = layers.attention(x, f"attention{stage}")
        return painted(layers, x, self.image_shape[2])


class DeepUpBlock(nn.Module):
    """Four times norm, ReLU and a convolution: 1x1 to fewer channels, twice 3x3, 1x1; doubling before the first 3x3."""

    features: int
    doubled: bool
    layers: Layers

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], given: Float[Array, "b n"]
    ) -> Float[Array, "b h2 w2 {self.features}"]:
        """Features of twice the height and width where `doubled`, else of the same."""
        layers, inside = self.layers, max(1, x.shape[-1] // _BOTTLENECK)

        def active(y: Array, name: str) -> Array:
            return nn.relu(layers.norm(y, given, None, name))

        y = active(layers.conv(active(x, "norm0"), inside, 1, "conv0"), "norm1")
        x = x[..., : self.features]
        if self.doubled:
            x, y = repeated(x, 2), repeated(y, 2)
        y = layers.conv(y, inside, 3, "conv1")
        y = layers.conv(active(y, "norm2"), inside, 3, "conv2")
        return x + layers.conv(active(y, "norm3"), self.features, 1, "conv3")


class DeepDiscriminator(nn.Module):
    """Images to logits.

    Attributes:
        width: channels, of which blocks have multiples.
        layout: which multiples.
        classes: number of classes, by an inner product of their vectors with the features; 0 for none.
        depth: blocks of each size; the first one halves it.
        attention: shorter sides of the features behind which self-attention stands.
        begin: how kernels begin.
        epsilon: singular values are at least this.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 128
    layout: Layout = "published"
    classes: int = 0
    depth: int = 2
    attention: Sequence[int] = (64,)
    begin: Init = "orthogonal"
    epsilon: float = 1e-6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"]:
        """One logit per image: positive where it looks real; arguments and errors as for `BigGANDiscriminator`."""
        one_hot(label, self.classes)
        doublings = pyramid(*x.shape[1:3])[1]
        layers = Layers(self.begin, self.epsilon, self.dtype, train)
        first, *stages = (self.width * multiple for multiple in multiples(self.layout, doublings)[1])
        x = layers.conv(x, first, 3, "first")
        for stage, features in enumerate(stages):
            for index in range(self.depth):
                halved = index == 0 and stage < halvings(self.layout, doublings)
                x = DeepDownBlock(features, halved, layers, name=f"block{stage}_{index}")(x)
            if min(x.shape[1:3]) in self.attention:
                x = layers.attention(x, f"attention{stage}")
        return layers.logit(nn.relu(x).sum((1, 2), dtype=jnp.float32), label, self.classes)


class DeepDownBlock(nn.Module):
    """ReLU and 1x1 to fewer channels, twice ReLU and 3x3, ReLU, halving by means, 1x1."""

    features: int
    halved: bool
    layers: Layers

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Features of half the height and width where `halved`, else of the same."""
        layers, inside = self.layers, max(1, self.features // _BOTTLENECK)
        y = layers.conv(nn.relu(x), inside, 1, "conv0")
        y = layers.conv(nn.relu(y), inside, 3, "conv1")
        y = nn.relu(layers.conv(nn.relu(y), inside, 3, "conv2"))
        x, y = (halve(x), halve(y)) if self.halved else (x, y)
        if x.shape[-1] < self.features:
            more = layers.conv(x, self.features - x.shape[-1], 1, "shortcut")
            x = jnp.concatenate([x, more], axis=-1)
        return x + layers.conv(y, self.features, 1, "conv3")
