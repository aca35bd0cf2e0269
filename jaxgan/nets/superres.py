"""Generators of super-resolution: SRResNet and the residual-in-residual dense network of ESRGAN.

SRResNet: Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network"
(arXiv:1609.04802), figure 4. RRDBNet: Wang et al. 2018, "ESRGAN" (arXiv:1809.00219), section 3.1 and figure 4; for
factors under 4 pixels are first put into channels, as in Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3.3).

Both are convolutional: pictures of any size, none of whose numbers is bounded at the end.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.bicubic import bilinear
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.resample import repeated
from jaxgan.nets.dcgan import batch_norm
from jaxgan.nets.unet import pad_to_multiple

Base: TypeAlias = Literal["none", "bilinear"]
PLAIN = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")  # PyTorch's own, which the papers trained from
_SMALL = nn.initializers.variance_scaling(2 * 0.1**2, "fan_in", "normal")  # He's times 0.1: section 3.1 of ESRGAN
_SCALED = 0.2  # what residuals are multiplied by


class SRResNet(nn.Module):
    """Residual blocks at the size of the input, then doublings by sub-pixel convolution.

    With the paper's 64 channels and 16 blocks it has 1,549,462 parameters for factor 4 and 1,401,749 for factor 2.

    Attributes:
        scale: factor of magnification, 2 or 4.
        width: channels.
        blocks: residual blocks.
        norm: "batch", as in the paper; or "none", as in EDSR (Lim et al. 2017, arXiv:1707.02921).
        base: "none", as in the paper; or "bilinear": what the network makes is added to the enlarged input.
        out_channels: channels of the images made.
        dtype: of the computation; parameters, batch statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    scale: int = 4
    width: int = 64
    blocks: int = 16
    norm: Literal["batch", "none"] = "batch"
    base: Base = "none"
    out_channels: int = 3
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b {self.scale}*h {self.scale}*w {self.out_channels}"]:
        """Larger images.

        Args:
            x: images, black 0 and white 1.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 images of the same scale.

        Raises:
            UserError: a factor that is no power of 2.
        """
        doublings = _doublings(self.scale)
        first = h = self._prelu("first_prelu", self._conv(self.width, "first", 9)(x))
        for block in range(self.blocks):
            h = h + self._residual(h, f"block{block}", train)
        h = first + self._normalised(self._conv(self.width, "trunk")(h), "trunk_norm", train)
        for level in range(doublings):
            h = self._prelu(f"up{level}_prelu", pixel_shuffle(self._conv(4 * self.width, f"up{level}")(h), 2))
        made = self._conv(self.out_channels, "last", 9)(h).astype(jnp.float32)
        return made if self.base == "none" else made + bilinear(x.astype(jnp.float32), self.scale)

    def _residual(self, x: Array, name: str, train: bool) -> Array:
        h = self._normalised(self._conv(self.width, f"{name}_0")(x), f"{name}_norm0", train)
        h = self._conv(self.width, f"{name}_1")(self._prelu(f"{name}_prelu", h))
        return self._normalised(h, f"{name}_norm1", train)

    def _conv(self, features: int, name: str, side: int = 3) -> Conv:
        return Conv(features, (side, side), padding=side // 2, kernel_init=PLAIN, dtype=self.dtype, name=name)

    def _normalised(self, x: Array, name: str, train: bool) -> Array:
        return x if self.norm == "none" else batch_norm(train, self.dtype, self.axis_name, name)(x)

    def _prelu(self, name: str, x: Array) -> Array:
        return nn.PReLU(negative_slope_init=0.25, name=name)(x)


class RRDBNet(nn.Module):
    """Residual-in-residual dense blocks at the size of the input, then two doublings by nearest neighbours.

    With the paper's 64 channels, 23 blocks and growth 32 it has 16,697,987 parameters for factor 4, 16,703,171 for
    factor 2 and 16,723,907 for factor 1.

    Attributes:
        scale: factor of magnification: 1, 2 or 4.
        width: channels.
        blocks: of three dense blocks each.
        growth: channels that each convolution of a dense block adds.
        out_channels: channels of the images made.
        dtype: of the computation; parameters and images are float32.
    """

    scale: int = 4
    width: int = 64
    blocks: int = 23
    growth: int = 32
    out_channels: int = 3
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], *, train: bool
    ) -> Float[Array, "b {self.scale}*h {self.scale}*w {self.out_channels}"]:
        """Larger images.

        Args:
            x: images, black 0 and white 1; for factors under 4 their edges are mirrored up to the next side that
                divides, and what was added is cut off.
            train: makes no difference.

        Returns:
            float32 images of the same scale.

        Raises:
            UserError: another factor.
        """
        if self.scale not in (1, 2, 4):
            raise UserError(f"the residual-in-residual dense network magnifies 1, 2 or 4 times, got {self.scale}.")
        del train
        fold, (height, width) = 4 // self.scale, x.shape[1:3]
        padded, crop = pad_to_multiple(x, fold)
        first = h = self._conv(self.width, "first")(pixel_unshuffle(padded, fold))
        for block in range(self.blocks):
            h = h + _SCALED * self._dense_thrice(h, f"block{block}")
        h = first + self._conv(self.width, "trunk")(h)
        for level in range(2):
            h = lrelu(self._conv(self.width, f"up{level}")(repeated(h, 2)))
        h = self._conv(self.out_channels, "last")(lrelu(self._conv(self.width, "hr")(h)))
        top, left = crop.top * self.scale, crop.left * self.scale
        return h[:, top : top + height * self.scale, left : left + width * self.scale].astype(jnp.float32)

    def _dense_thrice(self, x: Array, name: str) -> Array:
        for dense in range(3):
            x = x + _SCALED * self._dense(x, f"{name}_dense{dense}")
        return x

    def _dense(self, x: Array, name: str) -> Array:
        known = [x]
        for layer in range(4):
            known.append(lrelu(self._conv(self.growth, f"{name}_conv{layer}", _SMALL)(jnp.concatenate(known, -1))))
        return self._conv(self.width, f"{name}_conv4", _SMALL)(jnp.concatenate(known, -1))

    def _conv(self, features: int, name: str, init: nn.initializers.Initializer = PLAIN) -> Conv:
        return Conv(features, (3, 3), padding=1, kernel_init=init, dtype=self.dtype, name=name)


def pixel_shuffle(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b H W d"]:
    """Channels to pixels (Shi et al. 2016, arXiv:1609.05158): channel `d f^2 + i f + j` is pixel (i, j) of d.

    Args:
        x: features, with a multiple of `factor`^2 channels.
        factor: how many times as high and as wide they become.
    """
    b, h, w, c = x.shape
    parts = x.reshape(b, h, w, c // factor**2, factor, factor).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(b, h * factor, w * factor, c // factor**2)


def pixel_unshuffle(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b m n d"]:
    """Pixels to channels, the inverse of `pixel_shuffle`.

    Args:
        x: images whose sides are multiples of the factor.
        factor: how many times lower and narrower they become.
    """
    b, h, w, c = x.shape
    parts = x.reshape(b, h // factor, factor, w // factor, factor, c).transpose(0, 1, 3, 5, 2, 4)
    return parts.reshape(b, h // factor, w // factor, c * factor**2)


lrelu = partial(jax.nn.leaky_relu, negative_slope=0.2)


def _doublings(scale: int) -> int:
    known: Sequence[int] = (1, 2, 4, 8)
    if scale not in known:
        raise UserError(f"SRResNet magnifies 1, 2, 4 or 8 times, got {scale}.")
    return known.index(scale)
