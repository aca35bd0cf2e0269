"""Residual generator and discriminator of SNGAN, unconditional or conditional in every usual way.

Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks"
(arXiv:1802.05957), appendix B; with classes Miyato and Koyama 2018, "cGANs with Projection Discriminator"
(arXiv:1802.05637), appendix A. Blocks are those of Gulrajani et al. 2017: two 3x3 convolutions beside a shortcut.

`layout` "constant" is the table for 32x32: the same channels in all blocks, and a discriminator that halves the image
twice and ends with two blocks at that size. For 32x32x3 images, 128 latents and width 256 the generator has 4,276,739
parameters; for width 128 the discriminator has 1,053,825. "doubling" is the table for 128x128: channels double from
the image to the base, at most 16 times `width`, and the discriminator halves the image down to the base and ends with
one block there. Its paper's discriminator for 48x48 goes one step further down than that, to 3x3.

Any image of `nets.dcgan.pyramid` has such networks: 28x28 is a base of 7x7 doubled twice. Where the paper's networks
have a bias in front of a normalisation that removes it, so do these, to have their parameters.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.conditional import AdaIN, ConditionalBatchNorm, JoinedLabel, LabelPlane, Projection, SelfModulation
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.spectral import SpectralConv, SpectralDense
from jaxgan.nets.dcgan import pyramid
from jaxgan.nets.labels import one_hot

Layout: TypeAlias = Literal["constant", "doubling"]
GNorm: TypeAlias = Literal["batch", "conditional", "self", "adain"]
Condition: TypeAlias = Literal["none", "projection", "auxiliary", "concat"]
_GLOROT = nn.initializers.glorot_uniform()
_RESIDUAL = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")  # Glorot's with gain sqrt(2)
_MAX_MULTIPLE = 16  # of `width`
_LABEL_FEATURES = 32  # of the embedding that is joined to the latent vector


class Norm(NamedTuple):
    """Which normalisation a generator's blocks use, and what all of its layers share."""

    kind: GNorm
    classes: int
    train: bool
    dtype: Any
    axis_name: str | None


class ResNetGenerator(nn.Module):
    """Latent vectors to images.

    Attributes:
        image_shape: height, width, channels of the images.
        width: channels of the last block.
        layout: channels of the other blocks: as many, or twice as many with each step away from the image.
        classes: number of classes; 0 for an unconditional generator.
        norm: "batch": plain; "conditional": gain and bias for each class; "self": gain and bias by a small network of
            the latent vector (self-modulation); "adain": each image by itself, gain and bias an affine map of the
            latent vector. With classes, all but "conditional" join the class's embedding to the latent vector.
        dtype: of the computation; parameters, statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    image_shape: Sequence[int]
    width: int = 256
    layout: Layout = "constant"
    classes: int = 0
    norm: GNorm = "batch"
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
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 images.

        Raises:
            UserError: if there is no such network for this image size, or labels and `classes` disagree.
        """
        (base_h, base_w), doublings = pyramid(*self.image_shape[:2])
        base, *blocks = _channels(self.width, self.layout, doublings + 1)[::-1]
        norm = Norm(self.norm, self.classes, train, self.dtype, self.axis_name)
        _check(label, self.classes, self.norm == "conditional" and not self.classes, f"norm {self.norm!r}")
        if label is not None and self.norm != "conditional":
            z = JoinedLabel(self.classes, _LABEL_FEATURES, dtype=self.dtype)(z, label)
        x = nn.Dense(base_h * base_w * base, kernel_init=_GLOROT, dtype=self.dtype)(z)
        x = x.reshape(-1, base_h, base_w, base)
        for features in blocks:
            x = UpBlock(features, norm)(x, z, label)
        x = nn.relu(_normalise(norm, x, z, label))
        x = Conv(self.image_shape[2], (3, 3), kernel_init=_GLOROT, dtype=self.dtype)(x)
        return jnp.tanh(x.astype(jnp.float32))


class UpBlock(nn.Module):
    """Twice as large images: norm, ReLU, doubling, convolution, norm, ReLU, convolution; shortcut: doubling, 1x1."""

    features: int
    norm: Norm

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], z: Float[Array, "b z"], label: Int[Array, "b"] | None
    ) -> Float[Array, "b 2*h 2*w {self.features}"]:
        """Features of twice the height and width."""
        dtype = self.norm.dtype
        y = _double(nn.relu(_normalise(self.norm, x, z, label)))
        y = Conv(self.features, (3, 3), kernel_init=_RESIDUAL, dtype=dtype)(y)
        y = nn.relu(_normalise(self.norm, y, z, label))
        y = Conv(self.features, (3, 3), kernel_init=_RESIDUAL, dtype=dtype)(y)
        # A 1x1 convolution and a doubling commute; first the one costs a quarter.
        return y + _double(Conv(self.features, (1, 1), kernel_init=_GLOROT, dtype=dtype)(x))


class ResNetDiscriminator(nn.Module):
    """Images to logits, spectrally normalised.

    Attributes:
        width: channels of the first block.
        layout: channels of the other blocks: as many, or twice as many with each halving of the image.
        classes: number of classes; 0 for an unconditional discriminator.
        condition: what is done with classes. "projection": an inner product with the features; "auxiliary": a second
            output that guesses the class, which is not looked at (AC-GAN); "concat": a learned picture of the class
            as a further channel of the image; "none" with 0 classes.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 128
    layout: Layout = "constant"
    classes: int = 0
    condition: Condition = "none"
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"] | tuple[Float[Array, "b"], Float[Array, "b k"]]:
        """One logit per image: positive where it looks real; with condition "auxiliary" also k logits of its class.

        Args:
            x: images in [-1, 1].
            label: class numbers, exactly when `classes` is above 0.
            train: take a step of power iteration (collection `spectral`).

        Returns:
            float32 logits, or the pair (logits, class logits).

        Raises:
            UserError: if there is no such network for this image size, or labels, `classes` and `condition` disagree.
        """
        disagree = (self.condition == "none") != (self.classes == 0)
        _check(label, self.classes, disagree, f"condition {self.condition!r}")
        if label is not None and self.condition == "concat":
            x = LabelPlane(self.classes, dtype=self.dtype)(x, label)
        halved, plain = _halvings(self.layout, pyramid(*x.shape[1:3])[1])
        channels = _channels(self.width, self.layout, halved + plain)
        for index, features in enumerate(channels):
            x = DownBlock(features, index < halved, index == 0, self.dtype)(x, train=train)
        phi = nn.relu(x).sum((1, 2), dtype=jnp.float32)
        if label is not None and self.condition == "projection":
            return Projection(self.classes, dtype=self.dtype)(phi, label, train=train).astype(jnp.float32)
        logits = SpectralDense(1, kernel_init=_GLOROT, dtype=self.dtype)(phi, train=train)[:, 0].astype(jnp.float32)
        if self.condition != "auxiliary":
            return logits
        guess = SpectralDense(self.classes, kernel_init=_GLOROT, dtype=self.dtype)(phi, train=train)
        return logits, guess.astype(jnp.float32)


class DownBlock(nn.Module):
    """ReLU, convolution, ReLU, convolution, halving by means; shortcut: 1x1, halving, or x itself where sizes agree.

    The first block of a discriminator has no ReLU in front, which would cut the image's dark half off. The convolution
    inside has as many channels as the block's input, but the first block's.
    """

    features: int
    halve: bool
    first: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, "b h2 w2 {self.features}"]:
        """Features of half the height and width where `halve`, else of the same."""
        hidden = self.features if self.first else x.shape[-1]
        y = x if self.first else nn.relu(x)
        y = SpectralConv(hidden, (3, 3), kernel_init=_RESIDUAL, dtype=self.dtype)(y, train=train)
        y = SpectralConv(self.features, (3, 3), kernel_init=_RESIDUAL, dtype=self.dtype)(nn.relu(y), train=train)
        y = halve(y) if self.halve else y
        if not self.halve and x.shape[-1] == self.features:
            return x + y
        # Halving and a 1x1 convolution commute; first the one costs a quarter.
        x = halve(x) if self.halve else x
        return y + SpectralConv(self.features, (1, 1), kernel_init=_GLOROT, dtype=self.dtype)(x, train=train)


def _normalise(
    norm: Norm, x: Float[Array, "b h w c"], z: Float[Array, "b z"], label: Int[Array, "b"] | None
) -> Float[Array, "b h w c"]:
    shared: dict[str, Any] = {"momentum": 0.9, "epsilon": 1e-5, "dtype": norm.dtype, "axis_name": norm.axis_name}
    if label is not None and norm.kind == "conditional":
        return ConditionalBatchNorm(norm.classes, **shared)(x, label, train=norm.train)
    if norm.kind == "self":
        return SelfModulation(**shared)(x, z, train=norm.train)
    if norm.kind == "adain":
        return AdaIN(dtype=norm.dtype)(x, z)
    return nn.BatchNorm(use_running_average=not norm.train, **shared)(x)


def _channels(width: int, layout: Layout, blocks: int) -> list[int]:
    """Channels of the blocks from the image on."""
    return [width * (1 if layout == "constant" else min(2**block, _MAX_MULTIPLE)) for block in range(blocks)]


def _halvings(layout: Layout, doublings: int) -> tuple[int, int]:
    """How many of a discriminator's blocks halve the image, and how many follow that do not."""
    return (min(doublings, 2), 2) if layout == "constant" else (doublings, 1)


def _double(x: Float[Array, "b h w c"]) -> Float[Array, "b 2*h 2*w c"]:
    """Each pixel four times."""
    b, h, w, c = x.shape
    return jnp.broadcast_to(x[:, :, None, :, None], (b, h, 2, w, 2, c)).reshape(b, 2 * h, 2 * w, c)


def halve(x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 c"]:
    """Means of four pixels each."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4))


def _check(label: Int[Array, "b"] | None, classes: int, disagree: bool, what: str) -> None:
    if disagree:
        raise UserError(f"{what} does not go with classes={classes}.")
    one_hot(label, classes)  # refuses labels without classes and classes without labels
