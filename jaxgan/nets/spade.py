"""SPADE: a generator of pictures from label maps, whose normalisation layers read the map.

Park, Liu, Wang and Zhu 2019, "Semantic Image Synthesis with Spatially-Adaptive Normalization" (arXiv:1903.07291),
section 3 and appendix A. A map reaches every layer at the layer's own size, so that normalisation does not wash away
where one label covers a large area. Kernels are spectrally normalised, weights drawn by Glorot's rule with gain 0.02.

Maps of any size: they are mirrored at their edges up to the next size that the network halves without a rest, and what
was added is cut off the pictures.
"""

import math
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Bool, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.resample import repeated
from jaxgan.layers.spectral import SpectralConv
from jaxgan.nets.unet import pad_to_multiple

FreeNorm: TypeAlias = Literal["batch", "instance"]
WEIGHTS = nn.initializers.variance_scaling(0.02**2, "fan_avg", "normal")
"""Glorot's normal distribution with gain 0.02."""
_BASE = 8  # pixels a side at which `levels_for` has the generator begin
_MOST_LEVELS = 6
_TAIL = 4  # blocks behind the middle ones at most


class Spade(nn.Module):
    """Normalisation without gain and bias, then a gain and a bias for each pixel, read from the map (equation 1).

    Attributes:
        hidden: channels between the map and gains and biases; the paper has 128.
        norm: "batch", as the paper, or "instance": each channel of each picture by itself.
        dtype: of the computation; parameters and batch statistics are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    hidden: int = 128
    norm: FreeNorm = "batch"
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], planes: Float[Array, "b H W labels"], *, train: bool
    ) -> Float[Array, "b h w c"]:
        """(1 + gamma) * normalised x + beta.

        Args:
            x: features.
            planes: the map, a plane a label, of the size of x or whole times larger.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Raises:
            UserError: a map that is not whole times larger than x.
        """
        shared: dict[str, Any] = {"kernel_init": WEIGHTS, "dtype": self.dtype}
        h = nn.relu(Conv(self.hidden, (3, 3), name="shared", **shared)(nearest(planes, x.shape[1], x.shape[2])))
        both = Conv(2 * x.shape[-1], (3, 3), name="gamma_beta", **shared)(h)
        gamma, beta = jnp.split(both, 2, axis=-1)
        return (1 + gamma) * self._normalised(x, train) + beta

    def _normalised(self, x: Array, train: bool) -> Array:
        shared: dict[str, Any] = {"epsilon": 1e-5, "use_bias": False, "use_scale": False, "dtype": self.dtype}
        if self.norm == "instance":
            return nn.InstanceNorm(use_fast_variance=False, name="free", **shared)(x)
        return nn.BatchNorm(not train, momentum=0.9, axis_name=self.axis_name, name="free", **shared)(x)


class SpadeBlock(nn.Module):
    """Two normalised convolutions beside a shortcut, which is learned where the channels change (figure 3).

    Attributes:
        features: channels made.
        spade: attributes of its `Spade` layers.
    """

    features: int
    spade: dict[str, Any]

    @nn.compact
    def __call__(
        self, x: Float[Array, "b h w c"], planes: Float[Array, "b H W labels"], *, train: bool
    ) -> Float[Array, "b h w {self.features}"]:
        """Features of the same size; arguments and errors as for `Spade`."""
        middle, dtype = min(x.shape[-1], self.features), self.spade["dtype"]

        def normalised(h: Array, name: str) -> Array:
            return Spade(**self.spade, name=name)(h, planes, train=train)

        h = jax.nn.leaky_relu(normalised(x, "norm_0"), 0.2)
        h = SpectralConv(middle, (3, 3), kernel_init=WEIGHTS, dtype=dtype, name="conv_0")(h, train=train)
        h = jax.nn.leaky_relu(normalised(h, "norm_1"), 0.2)
        h = SpectralConv(self.features, (3, 3), kernel_init=WEIGHTS, dtype=dtype, name="conv_1")(h, train=train)
        if x.shape[-1] == self.features:
            return x + h
        shortcut = SpectralConv(self.features, (1, 1), use_bias=False, kernel_init=WEIGHTS, dtype=dtype, name="conv_s")
        return shortcut(normalised(x, "norm_s"), train=train) + h


class SpadeGenerator(nn.Module):
    """Label maps to pictures (figure 4).

    With 35 labels, for three channels, the paper's network of 256 pixels (width 64, five levels) has 93,018,051
    parameters, and 109,537,219 where it begins with a style of 256 numbers.

    Attributes:
        channels: of the pictures.
        width: channels of the last block; each block before has twice as many, at most 16 times `width`.
        levels: how often the smallest features are doubled; 5 for 256 pixels, 6 for 512 x 256, see `levels_for`.
        hidden: as for `Spade`.
        norm: as for `Spade`.
        dtype: of the computation; parameters, batch statistics and pictures are float32.
        axis_name: as for `Spade`.
    """

    channels: int
    width: int = 64
    levels: int = 5
    hidden: int = 128
    norm: FreeNorm = "batch"
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, planes: Float[Array, "b h w labels"], z: Float[Array, "b n"] | None = None, *, train: bool
    ) -> Float[Array, "b h w {self.channels}"]:
        """Pictures in [-1, 1].

        Args:
            planes: maps, a plane a label: 1 where it holds, else 0.
            z: a style each, from which the smallest features are made (section 3.2, multi-modal synthesis); these have
                one size then, that of the maps at initialisation. None: they are made from the smallest map.
            train: as for `Spade`; and take steps of power iteration (collection `spectral`).

        Raises:
            UserError: levels outside 1 to 6.
        """
        if not 1 <= self.levels <= _MOST_LEVELS:
            raise UserError(f"a generator of label maps takes 1 to {_MOST_LEVELS} levels, got {self.levels}.")
        padded, crop = pad_to_multiple(planes, 2**self.levels)
        tail = min(self.levels - 1, _TAIL)
        h = self._start(padded, z, self.width * 2**tail)
        h = self._block(h, padded, "head_0", h.shape[-1], train)
        h = self._block(repeated(h, 2), padded, "middle_0", h.shape[-1], train)
        h = repeated(h, 2) if self.levels > _TAIL + 1 else h
        h = self._block(h, padded, "middle_1", h.shape[-1], train)
        for i in range(tail):
            h = self._block(repeated(h, 2), padded, f"up_{i}", self.width * 2 ** (tail - 1 - i), train)
        last = Conv(self.channels, (3, 3), kernel_init=WEIGHTS, dtype=self.dtype, name="last")
        return crop(jnp.tanh(last(jax.nn.leaky_relu(h, 0.2)).astype(jnp.float32)))

    def _start(self, planes: Array, z: Array | None, features: int) -> Array:
        height, width = (side // 2**self.levels for side in planes.shape[1:3])
        if z is None:
            first = Conv(features, (3, 3), kernel_init=WEIGHTS, dtype=self.dtype, name="first")
            return first(nearest(planes, height, width))
        dense = nn.Dense(height * width * features, kernel_init=WEIGHTS, dtype=self.dtype, name="first")
        return dense(z).reshape(-1, height, width, features)

    def _block(self, h: Array, planes: Array, name: str, features: int, train: bool) -> Array:
        spade = {"hidden": self.hidden, "norm": self.norm, "dtype": self.dtype, "axis_name": self.axis_name}
        return SpadeBlock(features, spade, name=name)(h, planes, train=train)


def levels_for(height: int, width: int) -> int:
    """The levels with which a generator begins at about 8 pixels: 5 for 256, 2 for 28; 1 to 6.

    Args:
        height: of the pictures.
        width: of the pictures.
    """
    return min(max(round(math.log2(min(height, width) / _BASE)), 1), _MOST_LEVELS)


def nearest(x: Float[Array, "b H W c"], height: int, width: int) -> Float[Array, "b {height} {width} c"]:
    """Every k-th pixel from the first on, which is how PyTorch shrinks by "nearest".

    `jax.image.resize` takes the pixels in the middle of each k instead.

    Raises:
        UserError: sides that are not whole times as large, or not equally so.
    """
    k = x.shape[1] // max(height, 1)
    if k < 1 or x.shape[1:3] != (k * height, k * width):
        raise UserError(f"a map of {x.shape[1]}x{x.shape[2]} is not whole times as large as {height}x{width}.")
    return x[:, ::k, ::k]


def planes_of(labels: Int[Array, "b h w"], count: int, instance: Int[Array, "b h w"] | None) -> Float[Array, "b h w p"]:
    """A plane for each label, 1 where it holds; and one more with the edges of instances, where they are known.

    Args:
        labels: classes from 0; one outside [0, count) gives NaN.
        count: of classes.
        instance: a number for each thing; of what there are several, the map alone does not tell them apart.
    """
    known = (labels >= 0) & (labels < count)
    planes = jnp.where(known[..., None], jax.nn.one_hot(labels, count), jnp.nan)
    if instance is None:
        return planes
    return jnp.concatenate([planes, edges(instance)[..., None].astype(planes.dtype)], axis=-1)


def edges(instance: Int[Array, "b h w"]) -> Bool[Array, "b h w"]:
    """Pixels one of whose four neighbours belongs to another thing: both sides of each border are marked.

    Wang et al. 2018, arXiv:1711.11585, section 3.3.
    """
    down = instance[:, 1:] != instance[:, :-1]
    across = instance[:, :, 1:] != instance[:, :, :-1]
    (before, after), none = ((0, 1), (1, 0)), (0, 0)
    vertical = jnp.pad(down, [none, before, none]) | jnp.pad(down, [none, after, none])
    return vertical | jnp.pad(across, [none, none, before]) | jnp.pad(across, [none, none, after])
