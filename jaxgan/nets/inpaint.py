"""Networks that fill holes of pictures: gated convolutions in two passes, and a critic of patches.

Yu, Lin, Yang, Shen, Lu and Huang 2019, "Free-Form Image Inpainting with Gated Convolution" (arXiv:1806.03589). A gated
convolution (section 3.1) makes features and, for each of them at each pixel, how much of it passes: it learns from the
mask, and from what it sees, where features mean something. There is no normalisation, which would mix the hole into
what is known. Weights are drawn so large that features keep their size through the gates, which halve them at first:
with those of Glorot and Bengio nothing of the picture comes out of some 17 layers, and the last bias alone learns.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.spectral import SpectralConv
from jaxgan.nets.contextual import attend
from jaxgan.nets.unet import pad_to_multiple

_GATED = nn.initializers.variance_scaling(5.0, "fan_in", "normal")
_WEIGHTS = nn.initializers.xavier_uniform()
_MAX_MULTIPLE = 4  # of the critic's `width`
_EDGE = 0.5  # the slope of a sketched edge, of pictures in [-1, 1] a pixel


class GatedConv(nn.Module):
    """One convolution to twice the channels: activation of one half times the sigmoid of the other half.

    Attributes:
        features: output channels.
        side: pixels of the kernel a side.
        strides: pixels between neighbouring outputs.
        dilation: pixels between neighbouring weights.
        activation: of the half that is gated.
        dtype: of the computation; parameters are float32.
    """

    features: int
    side: int = 3
    strides: int = 1
    dilation: int = 1
    activation: Callable[[Array], Array] = nn.elu
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b H W {self.features}"]:
        """Features that have passed their gates."""
        how: dict[str, Any] = {"strides": self.strides, "dilation": self.dilation, "kernel_init": _GATED}
        h = Conv(2 * self.features, (self.side, self.side), dtype=self.dtype, name="conv", **how)(x)
        content, gate = jnp.split(h, 2, axis=-1)
        return self.activation(content) * nn.sigmoid(gate)


class Coarse(nn.Module):
    """The first pass: a rough answer; 1,631,151 parameters for colour pictures at width 24.

    Attributes:
        channels: of the pictures.
        width: channels at full size; twice as many at half the size, four times at a quarter.
        dilations: of the layers at a quarter of the size that see far; 2, 4, 8, 16 in the paper.
        dtype: of the computation; parameters and pictures are float32.
    """

    channels: int
    width: int = 24
    dilations: Sequence[int] = (2, 4, 8, 16)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w {self.channels}"]:
        """Pictures in [-1, 1] of what is known and the mask; sides are multiples of 4."""
        n, conv = self.width, _of(self.dtype)
        x = conv(2 * n, strides=2)(conv(n, side=5)(x))
        x = conv(4 * n, strides=2)(conv(2 * n)(x))
        x = conv(4 * n)(conv(4 * n)(x))
        for rate in self.dilations:
            x = conv(4 * n, dilation=rate)(x)
        return _up(conv(4 * n)(conv(4 * n)(x)), n, self.channels, self.dtype)


class Refined(nn.Module):
    """The second pass, over the first one's answer; 2,421,327 parameters for colour pictures at width 24.

    One way down sees far by dilated convolutions, the other one may look for similar places (`attention`).
    Attributes are those of `Coarse`, and:
        attention: patches of the hole are made of patches of what is known, after their likeness.
    """

    channels: int
    width: int = 24
    dilations: Sequence[int] = (2, 4, 8, 16)
    dtype: Any = jnp.float32
    attention: bool = True

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], mask: Float[Array, "b h w 1"]
    ) -> Float[Array, "b h w {self.channels}"]:
        """Pictures in [-1, 1]; sides are multiples of 4, with attention of 8."""
        n, conv = self.width, _of(self.dtype)
        far = conv(2 * n)(conv(n, strides=2)(conv(n, side=5)(x)))
        far = conv(4 * n)(conv(4 * n)(conv(2 * n, strides=2)(far)))
        for rate in self.dilations:
            far = conv(4 * n, dilation=rate)(far)
        like = conv(2 * n)(conv(n, strides=2)(conv(n, side=5)(x)))
        like = conv(4 * n)(conv(4 * n, strides=2)(like))
        like = conv(4 * n, activation=nn.relu)(like)
        like = attend(like, mask[:, ::4, ::4]) if self.attention else like
        like = conv(4 * n)(conv(4 * n)(like))
        both = conv(4 * n)(jnp.concatenate([far, like], -1))
        return _up(conv(4 * n)(both), n, self.channels, self.dtype)


class GatedInpainter(nn.Module):
    """Both passes; 4,052,478 parameters for colour pictures at width 24. Attributes are those of `Refined`."""

    channels: int
    width: int = 24
    dilations: Sequence[int] = (2, 4, 8, 16)
    attention: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        image: Float[Array, "b h w c"],
        mask: Float[Array, "b h w 1"],
        sketch: Float[Array, "b h w 1"] | None = None,
        *,
        train: bool,
    ) -> tuple[Float[Array, "b h w c"], Float[Array, "b h w c"]]:
        """The rough and the refined answer, whole float32 pictures in [-1, 1].

        Args:
            image: in [-1, 1]; what it has in the hole is not looked at.
            mask: 1 in the hole, 0 elsewhere.
            sketch: 1 on lines that the first pass shall follow (section 3.5), 0 elsewhere; None for a network without.
            train: changes nothing.
        """
        del train
        multiple = 8 if self.attention else 4
        known, crop = pad_to_multiple(image * (1 - mask), multiple)
        hole, _ = pad_to_multiple(mask, multiple)
        shared: dict[str, Any] = {"width": self.width, "dilations": self.dilations, "dtype": self.dtype}
        lines = [] if sketch is None else [pad_to_multiple(sketch, multiple)[0]]
        seen = jnp.concatenate([known, jnp.ones_like(hole), hole, *lines], axis=-1)
        rough = Coarse(self.channels, **shared, name="coarse")(seen)
        pasted = jnp.where(hole > 0, rough, known)
        fine = Refined(self.channels, **shared, attention=self.attention, name="refined")(pasted, hole)
        return crop(rough), crop(fine)


class PatchCritic(nn.Module):
    """SN-PatchGAN (section 3.3): each of the last features at each place is a logit.

    With width 64 and six layers, for a colour picture and its mask, it has 5,946,816 parameters.

    Attributes:
        width: channels of the first layer, doubled in the next ones up to 4 times `width`.
        layers: each halves the picture.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 64
    layers: int = 6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, "b m n k"]:
        """Logits of pictures in [-1, 1] joined with their masks; `train` moves the spectral norm's vectors."""
        for layer in range(self.layers):
            features = self.width * min(2**layer, _MAX_MULTIPLE)
            how: dict[str, Any] = {"kernel_init": _WEIGHTS, "dtype": self.dtype, "name": f"conv{layer}"}
            x = jax.nn.leaky_relu(SpectralConv(features, (5, 5), 2, 2, **how)(x, train=train), 0.2)
        return x.astype(jnp.float32)


def sketched(x: Float[Array, "b h w c"]) -> Float[Array, "b h w 1"]:
    """1 on edges of pictures in [-1, 1], 0 elsewhere: where the slope by Sobel's kernels is above a half a pixel.

    It stands in for the edge detector of the paper, which was trained on people's drawings.
    """
    grey = jnp.pad(x.mean(-1), [(0, 0), (1, 1), (1, 1)], mode="edge")
    smooth_down = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    smooth_across = grey[:, :, :-2] + 2 * grey[:, :, 1:-1] + grey[:, :, 2:]
    across = (smooth_down[:, :, 2:] - smooth_down[:, :, :-2]) / 8
    down = (smooth_across[:, 2:] - smooth_across[:, :-2]) / 8
    return (jnp.hypot(across, down) > _EDGE).astype(jnp.float32)[..., None]


def _of(dtype: Any) -> Callable[..., GatedConv]:
    return lambda features, **how: GatedConv(features, dtype=dtype, **how)


def _up(x: Array, width: int, channels: int, dtype: Any) -> Array:
    """From a quarter of the size to a picture; called inside a compact module."""
    conv = _of(dtype)
    x = conv(2 * width)(conv(2 * width)(_twice(x)))
    x = conv(width // 2)(conv(width)(_twice(x)))
    last = Conv(channels, (3, 3), kernel_init=_WEIGHTS, dtype=dtype, name="last")
    return jnp.tanh(last(x).astype(jnp.float32))


def _twice(x: Array) -> Array:
    return x.repeat(2, axis=1).repeat(2, axis=2)
