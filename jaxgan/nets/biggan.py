"""Generator and discriminator of BigGAN and of SAGAN: residual networks with self-attention, spectrally normalised.

Brock, Donahue and Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis"
(arXiv:1809.11096), appendix B; Zhang, Goodfellow, Metaxas and Odena 2019, "Self-Attention Generative Adversarial
Networks" (arXiv:1805.08318). Both are one pair of networks: BigGAN's generator tells every normalisation an embedding
of the class, which all share, and a part of the latent vector; SAGAN's has a table of classes in each.

`layout` "published" is the papers' tables for images of 32, 64, 128 and 256 pixels, and of other images that are a base
(`nets.dcgan.pyramid`) doubled as often; "doubling" doubles channels with each step away from the image, at most
16 times, for any number of doublings, and is the table of 128 pixels too. For 128x128x3 images, width 96, 120 latents
and 1000 classes the generator has 70,433,988 parameters, the discriminator 87,982,370.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.resample import repeated
from jaxgan.layers.spectral import rows_of
from jaxgan.nets.big_layers import INITS, Init, Layers, painted
from jaxgan.nets.dcgan import pyramid
from jaxgan.nets.labels import one_hot
from jaxgan.nets.resnet import halve

Layout: TypeAlias = Literal["doubling", "published"]
_MAX_MULTIPLE = 16  # of `width`
_PUBLISHED = {
    3: ((4, 4, 4, 4), (4, 4, 4, 4)),
    4: ((16, 16, 8, 4, 2), (1, 2, 4, 8, 16)),
    5: ((16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16)),
    6: ((16, 16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16)),
}
"""Channels by doublings, as multiples of the width: of G's base and blocks, of D's blocks."""


class BigGANGenerator(nn.Module):
    """Latent vectors to images.

    Attributes:
        image_shape: height, width, channels of the images.
        width: channels, of which layers have multiples.
        layout: which multiples.
        classes: number of classes; 0 for an unconditional generator.
        embedding: length of a class's vector, which all normalisations see beside a part of the latent vector of their
            own (BigGAN); 0: they have a table of classes each, and only the first layer sees the latent vector (SAGAN).
        attention: shorter sides of the features behind which self-attention stands.
        begin: how kernels begin.
        epsilon: singular values are at least this.
        momentum: share of the running statistics that a training step keeps.
        dtype: of the computation; parameters, statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    image_shape: Sequence[int]
    width: int = 96
    layout: Layout = "published"
    classes: int = 0
    embedding: int = 128
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
            z: latent vectors; for BigGAN of a length that the number of blocks and one divides.
            label: class numbers, exactly when `classes` is above 0.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`), and
                take a step of power iteration (collection `spectral`).

        Returns:
            float32 images.

        Raises:
            UserError: if there is no such network for this image size or latent size, or labels and `classes` disagree.
        """
        one_hot(label, self.classes)  # refuses labels without classes and classes without labels
        (base_h, base_w), doublings = pyramid(*self.image_shape[:2])
        base, *blocks = (self.width * multiple for multiple in multiples(self.layout, doublings)[0])
        layers = Layers(self.begin, self.epsilon, self.dtype, train, self.classes, self.momentum, self.axis_name)
        first, given = z, [None] * doublings
        if self.embedding:
            first, *rest = parts(z, doublings + 1)
            given = embedded(rest, label, self.classes, self.embedding)
        x = layers.dense(first, base_h * base_w * base, "first").reshape(-1, base_h, base_w, base)
        for index, features in enumerate(blocks):
            x = UpBlock(features, layers, name=f"block{index}")(x, given[index], label)
            if min(x.shape[1:3]) in self.attention:
                x = layers.attention(x, f"attention{index}")
        return painted(layers, x, self.image_shape[2])


class UpBlock(nn.Module):
    """Twice as large images: norm, ReLU, doubling, convolution, norm, ReLU, convolution; shortcut: doubling, 1x1."""

    features: int
    layers: Layers

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], given: Float[Array, "b n"] | None, label: Int[Array, "b"] | None
    ) -> Float[Array, "b 2*h 2*w {self.features}"]:
        """Features of twice the height and width."""
        layers = self.layers
        y = repeated(nn.relu(layers.norm(x, given, label, "norm0")), 2)
        y = layers.conv(y, self.features, 3, "conv0")
        y = layers.conv(nn.relu(layers.norm(y, given, label, "norm1")), self.features, 3, "conv1")
        # A 1x1 convolution and a doubling commute; first the one costs a quarter.
        return y + repeated(layers.conv(x, self.features, 1, "shortcut"), 2)


class BigGANDiscriminator(nn.Module):
    """Images to logits.

    Attributes:
        width: channels, of which blocks have multiples.
        layout: which multiples.
        classes: number of classes, by an inner product of their vectors with the features; 0 for none.
        attention: shorter sides of the features behind which self-attention stands.
        begin: how kernels begin.
        epsilon: singular values are at least this.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 96
    layout: Layout = "published"
    classes: int = 0
    attention: Sequence[int] = (64,)
    begin: Init = "orthogonal"
    epsilon: float = 1e-6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"]:
        """One logit per image: positive where it looks real.

        Args:
            x: images in [-1, 1].
            label: class numbers, exactly when `classes` is above 0.
            train: take a step of power iteration (collection `spectral`).

        Returns:
            float32 logits.

        Raises:
            UserError: if there is no such network for this image size, or labels and `classes` disagree.
        """
        one_hot(label, self.classes)
        doublings = pyramid(*x.shape[1:3])[1]
        layers = Layers(self.begin, self.epsilon, self.dtype, train)
        for index, multiple in enumerate(multiples(self.layout, doublings)[1]):
            halved = index < halvings(self.layout, doublings)
            x = DownBlock(self.width * multiple, halved, index == 0, layers, name=f"block{index}")(x)
            if min(x.shape[1:3]) in self.attention:
                x = layers.attention(x, f"attention{index}")
        return layers.logit(nn.relu(x).sum((1, 2), dtype=jnp.float32), label, self.classes)


class DownBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution, halving by means; shortcut: 1x1, halving, or x where sizes agree.

    The first block has no ReLU in front, which would cut the image's dark half off.
    """

    features: int
    halved: bool
    first: bool
    layers: Layers

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 {self.features}"]:
        """Features of half the height and width where `halved`, else of the same."""
        layers = self.layers
        y = layers.conv(x if self.first else nn.relu(x), self.features, 3, "conv0")
        y = layers.conv(nn.relu(y), self.features, 3, "conv1")
        if not self.halved and x.shape[-1] == self.features:
            return x + y
        # Halving and a 1x1 convolution commute; first the one costs a quarter.
        x, y = (halve(x), halve(y)) if self.halved else (x, y)
        return y + layers.conv(x, self.features, 1, "shortcut")


def multiples(layout: Layout, doublings: int) -> tuple[Sequence[int], Sequence[int]]:
    """Channels as multiples of the width: of G's base and blocks, and of D's blocks.

    Raises:
        UserError: a number of doublings that no paper has a table for.
    """
    if layout == "doubling":
        up = [min(2**step, _MAX_MULTIPLE) for step in range(doublings + 1)]
        return up[::-1], up
    if doublings not in _PUBLISHED:
        raise UserError(
            f"--layout published has tables for images that are a base doubled {_counts()} times, 32 to 256 pixels for "
            f"a base of 4, got {doublings}; --layout doubling takes any."
        )
    return _PUBLISHED[doublings]


def halvings(layout: Layout, doublings: int) -> int:
    """How many of D's blocks halve the image, from the first on; the paper's of 32 pixels ends at 8."""
    return 2 if layout == "published" and doublings == 3 else doublings


def sides(layout: Layout, height: int, width: int) -> tuple[list[int], list[int]]:
    """Shorter sides of the features behind the blocks of G and of D."""
    base, doublings = pyramid(height, width)
    down = [min(height, width) // 2**step for step in range(1, halvings(layout, doublings) + 1)]
    return [min(base) * 2**step for step in range(1, doublings + 1)], down


def parts(z: Float[Array, "b z"], count: int) -> list[Array]:
    """The latent vector in so many parts.

    Raises:
        UserError: a length that they do not divide.
    """
    if z.shape[1] % count:
        low = z.shape[1] // count * count
        near = " or ".join(str(size) for size in (low, low + count) if size)
        raise UserError(
            f"--z-dim is cut into {count} parts here, one for the first layer and one for each block, so it takes a "
            f"multiple of {count} ({near}), got {z.shape[1]}."
        )
    return jnp.split(z, count, axis=1)


def embedded(
    given: Sequence[Array], label: Int[Array, "b"] | None, classes: int, features: int
) -> list[Float[Array, "b n"]]:
    """What normalisations are given: the class's vector, one table for all, joined to each part; as they are without.

    Labels outside [0, classes) give NaN.
    """
    if label is None:
        return list(given)
    table = nn.Embed(classes, features, embedding_init=INITS["orthogonal"], name="shared")
    vector = rows_of(table.embedding, label)
    return [jnp.concatenate([vector, each], axis=1) for each in given]


def _counts() -> str:
    return f"{min(_PUBLISHED)} to {max(_PUBLISHED)}"
