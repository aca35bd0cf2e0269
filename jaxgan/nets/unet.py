"""Translators of images to images of the same size: pix2pix's U-Net and the residual network of CycleGAN.

Isola, Zhu, Zhou and Efros 2017, "Image-to-Image Translation with Conditional Adversarial Networks" (arXiv:1611.07004),
and Zhu, Park, Isola and Efros 2017 (arXiv:1703.10593), section 7.2, after Johnson et al. 2016 (arXiv:1603.08155).
Weights are drawn from N(0, 0.02), gains of batch normalisation from N(1, 0.02). Convolutions have a bias with instance
normalisation, and the last one always.

Images of any size: they are mirrored at their edges up to the next size that the network halves without a rest, and
what was added is cut off its output.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.game.random import draw
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.nets.dcgan import batch_norm

TranslatorNorm: TypeAlias = Literal["batch", "instance"]
_WEIGHTS = nn.initializers.normal(0.02)
_MAX_MULTIPLE = 8  # of a U-Net's `width`
_DEPTHS = (3, 8)  # of `depth_for`
_FIRST_DROPOUT = 4  # the level from which on a U-Net's decoder drops out
_HALF: dict[str, Any] = {"kernel_size": (4, 4), "strides": (2, 2), "padding": 1, "kernel_init": _WEIGHTS}
_TWICE: dict[str, Any] = {"kernel_size": (4, 4), "strides": (2, 2), "padding": 2, "kernel_init": _WEIGHTS}


class UNet(nn.Module):
    """Halvings down to a bottleneck and back, each level of the way up joined with the same level of the way down.

    With width 64 and batch normalisation, for three channels to three, it has 54,413,955 parameters for depth 8 and
    41,828,995 for depth 7.

    Attributes:
        out_channels: channels of the images made.
        depth: how often the image is halved; see `depth_for`.
        width: channels of the outermost level; each level inside has twice as many, at most 8 times `width`.
        norm: "batch"; or "instance": each channel of each image by itself, without gain and bias.
        dropout: share of the numbers that dropout sets to 0, at the levels between the fourth from outside and the
            innermost; where there is none between, at the one around the innermost.
        dtype: of the computation; parameters, batch statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    out_channels: int
    depth: int = 8
    width: int = 64
    norm: TranslatorNorm = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], keys: Key[Array, " b"] | None = None, *, train: bool
    ) -> Float[Array, "b h w {self.out_channels}"]:
        """Images in [-1, 1].

        Args:
            x: what is translated, in [-1, 1].
            keys: one for each example, for dropout, the network's only noise; None for no dropout.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 images of the size of `x`.

        Raises:
            UserError: a depth below 2, or a share of dropout outside [0, 1).
        """
        if self.depth < 2:
            raise UserError(f"a U-Net halves the image at least 2 times, got depth {self.depth}.")
        padded, crop = pad_to_multiple(x, 2**self.depth)
        levels = self._down(padded, train)
        h = self._up(levels, keys, train)
        h = ConvTranspose(self.out_channels, name="up0", dtype=self.dtype, **_TWICE)(nn.relu(h))
        return crop(jnp.tanh(h.astype(jnp.float32)))

    def _down(self, x: Array, train: bool) -> list[Array]:
        """Features of each level before activation, the outermost first."""
        levels = []
        for level, features in enumerate(self._features()):
            x = jax.nn.leaky_relu(x, 0.2) if level else x
            bias = self.norm == "instance"
            x = Conv(features, use_bias=bias, name=f"down{level}", dtype=self.dtype, **_HALF)(x)
            # The bottleneck may be a single pixel, and a norm would make it 0 for a batch of one.
            x = self._normalised(x, f"down{level}_norm", train) if 0 < level < self.depth - 1 else x
            levels.append(x)
        return levels

    def _up(self, levels: list[Array], keys: Array | None, train: bool) -> Array:
        """Features for the last layer: those of the outermost level, and as many made from all levels inside."""
        h = levels[-1]
        for level in range(self.depth - 1, 0, -1):
            features, bias = self._features()[level - 1], self.norm == "instance"
            h = ConvTranspose(features, use_bias=bias, name=f"up{level}", dtype=self.dtype, **_TWICE)(nn.relu(h))
            h = self._normalised(h, f"up{level}_norm", train)
            if min(_FIRST_DROPOUT, self.depth - 2) <= level < self.depth - 1:
                h = dropped(h, keys, self.dropout, level)
            h = jnp.concatenate([levels[level - 1], h], axis=-1)
        return h

    def _features(self) -> list[int]:
        return [self.width * min(2**level, _MAX_MULTIPLE) for level in range(self.depth)]

    def _normalised(self, x: Array, name: str, train: bool) -> Array:
        return normalise(Norm(self.norm, train, self.dtype, self.axis_name), x, name)


class ResNetTranslator(nn.Module):
    """Two halvings, residual blocks at a quarter of the size, two doublings; mirrored edges.

    With width 64 and batch normalisation, for three channels to three, it has 11,383,427 parameters with 9 blocks (of
    the paper's 256-pixel images) and 7,841,411 with 6 (of 128 pixels).

    Attributes:
        out_channels: channels of the images made.
        width: channels at full size; twice as many at half the size, four times as many at a quarter.
        blocks: how many residual blocks.
        norm: "batch"; or "instance": each channel of each image by itself, without gain and bias.
        dropout: share of the numbers that dropout sets to 0, inside the blocks.
        dtype: of the computation; parameters, batch statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    out_channels: int
    width: int = 64
    blocks: int = 9
    norm: TranslatorNorm = "instance"
    dropout: float = 0.0
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], keys: Key[Array, " b"] | None = None, *, train: bool
    ) -> Float[Array, "b h w {self.out_channels}"]:
        """Images in [-1, 1].

        Args:
            x: what is translated, in [-1, 1].
            keys: one for each example, for dropout; None for no dropout.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 images of the size of `x`.

        Raises:
            UserError: a share of dropout outside [0, 1).
        """
        h, crop = pad_to_multiple(x, 4)
        h = self._conv(mirrored(h, 3), "first", self.width, 7, train=train)
        for level in (1, 2):
            h = self._conv(h, f"down{level}", self.width * 2**level, 3, train=train, strides=2, padding=1)
        for block in range(self.blocks):
            h = h + self._residual(h, block, keys, train)
        for level in (1, 0):
            h = self._double(h, f"up{level}", self.width * 2**level, train)
        last = Conv(self.out_channels, (7, 7), padding=0, kernel_init=_WEIGHTS, dtype=self.dtype, name="last")
        return crop(jnp.tanh(last(mirrored(h, 3)).astype(jnp.float32)))

    def _residual(self, x: Array, block: int, keys: Array | None, train: bool) -> Array:
        features = x.shape[-1]
        h = self._conv(mirrored(x, 1), f"block{block}_0", features, 3, train=train)
        h = dropped(h, keys, self.dropout, block)
        return self._conv(mirrored(h, 1), f"block{block}_1", features, 3, train=train, relu=False)

    def _conv(
        self, x: Array, name: str, features: int, side: int, *, train: bool, relu: bool = True, **options: Any
    ) -> Array:
        shared: dict[str, Any] = {"padding": 0, "kernel_init": _WEIGHTS, "dtype": self.dtype, "name": name}
        x = Conv(features, (side, side), use_bias=self.norm == "instance", **shared | options)(x)
        x = self._normalised(x, f"{name}_norm", train)
        return nn.relu(x) if relu else x

    def _double(self, x: Array, name: str, features: int, train: bool) -> Array:
        # One row and one column more at the end than at the beginning: 2 n pixels from n with a kernel of 3.
        pads, bias = ((1, 2), (1, 2)), self.norm == "instance"
        shared: dict[str, Any] = {"kernel_init": _WEIGHTS, "dtype": self.dtype, "name": name}
        x = ConvTranspose(features, (3, 3), (2, 2), pads, use_bias=bias, **shared)(x)
        return nn.relu(self._normalised(x, f"{name}_norm", train))

    def _normalised(self, x: Array, name: str, train: bool) -> Array:
        return normalise(Norm(self.norm, train, self.dtype, self.axis_name), x, name)


class Norm(NamedTuple):
    """Which normalisation a network's layers use, and what all of them share."""

    kind: Literal["batch", "instance", "none"]
    train: bool
    dtype: Any
    axis_name: str | None


def normalise(norm: Norm, x: Float[Array, "b h w c"], name: str) -> Float[Array, "b h w c"]:
    """One normalising layer inside the module that calls this.

    Args:
        norm: "batch" has gain and bias; "instance" (Ulyanov et al. 2016, arXiv:1607.08022) has none.
        x: features.
        name: of the layer's parameters and statistics.
    """
    if norm.kind == "none":
        return x
    if norm.kind == "batch":
        return batch_norm(norm.train, norm.dtype, norm.axis_name, name)(x)
    # E[x^2] - E[x]^2, Flax's default, is rounding alone where a channel's mean is far larger than its deviation.
    plain: dict[str, Any] = {"use_bias": False, "use_scale": False, "use_fast_variance": False}
    return nn.InstanceNorm(epsilon=1e-5, dtype=norm.dtype, name=name, **plain)(x)


def dropped(
    x: Float[Array, "b h w c"], keys: Key[Array, " b"] | None, rate: float, layer: int
) -> Float[Array, "b h w c"]:
    """Dropout whose masks depend on each example's own key: Srivastava et al. 2014, with what is kept scaled up.

    Args:
        x: features.
        keys: one for each example; None for no dropout.
        rate: share that is set to 0.
        layer: a number that tells a network's dropout layers apart.

    Raises:
        UserError: a share outside [0, 1).
    """
    if not 0 <= rate < 1:
        raise UserError(f"dropout is a share of at least 0 and under 1, got {rate}.")
    if keys is None or rate == 0:
        return x
    own = jax.vmap(jax.random.fold_in, (0, None))(keys, layer)
    kept = draw(jax.random.bernoulli, own, x.shape[1:], p=1 - rate)
    return jnp.where(kept, x / (1 - rate), 0).astype(x.dtype)


def depth_for(height: int, width: int) -> int:
    """The depth of a U-Net whose bottleneck is about one pixel high or wide: 8 for 256 pixels, 5 for 28; 3 to 8.

    Args:
        height: of the images, pixels.
        width: of the images, pixels.
    """
    low, high = _DEPTHS
    return min(max(round(math.log2(min(height, width))), low), high)


class Crop(NamedTuple):
    """The way back from a padded image.

    Attributes:
        top: first row of the image.
        left: first column.
        height: rows.
        width: columns.
    """

    top: int
    left: int
    height: int
    width: int

    def __call__(self, x: Float[Array, "b _ _ c"]) -> Float[Array, "b {self.height} {self.width} c"]:
        """`x` without what was added."""
        return x[:, self.top : self.top + self.height, self.left : self.left + self.width]


def pad_to_multiple(x: Float[Array, "b h w c"], multiple: int) -> tuple[Float[Array, "b H W c"], Crop]:
    """`x` with its edges mirrored so far that both sides are multiples of a number, and the way back.

    Args:
        x: images.
        multiple: of pixels.
    """
    height, width = x.shape[1:3]
    pads = [(missing // 2, missing - missing // 2) for missing in (-height % multiple, -width % multiple)]
    return _mirrored(x, pads), Crop(pads[0][0], pads[1][0], height, width)


def mirrored(x: Float[Array, "b h w c"], pixels: int) -> Float[Array, "b H W c"]:
    """`x` with `pixels` more at each edge, mirrored (the edge itself is not repeated)."""
    return _mirrored(x, [(pixels, pixels)] * 2)


def _mirrored(x: Array, pads: Sequence[tuple[int, int]]) -> Array:
    for axis, pad in enumerate(pads, start=1):
        # An image has no more to mirror than its own side: a shorter one repeats its edge.
        mode = "reflect" if max(pad) < x.shape[axis] else "edge"
        x = jnp.pad(x, [pad if each == axis else (0, 0) for each in range(4)], mode=mode)
    return x
