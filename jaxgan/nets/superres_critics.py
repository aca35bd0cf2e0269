"""Discriminators of super-resolution: one logit for a picture of a fixed size, or one for each pixel.

The first in the forms of Ledig et al. 2017 (SRGAN, arXiv:1609.04802, figure 4) and of ESRGAN's code (Wang et al. 2018,
arXiv:1809.00219), the second of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3.3).
"""

from typing import Any, Literal

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.bicubic import bilinear
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.spectral import SpectralConv
from jaxgan.nets.dcgan import batch_norm
from jaxgan.nets.superres import PLAIN, lrelu

_MAX_MULTIPLE = 8  # of `width`


class VGGDiscriminator(nn.Module):
    """Pairs of convolutions, the second of which halves the picture; then two dense layers.

    The paper's of SRGAN, for 96 pixels a side: 23,565,505 parameters; ESRGAN's (`form="esrgan"`): 14,499,401 for 128
    pixels, with `halvings=6` 21,055,049 for 256.

    Attributes:
        width: channels of the first level; each after has twice as many, at most 8 times `width`.
        halvings: how often the picture is halved; None: 4 times, of `form="esrgan"` 5 times.
        form: "srgan" has kernels of 3 and 1024 units; "esrgan" kernels of 4 where it halves, and 100 units.
        units: of the first dense layer; None: of `form`.
        dtype: of the computation; parameters, batch statistics and logits are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    width: int = 64
    halvings: int | None = None
    form: Literal["srgan", "esrgan"] = "srgan"
    units: int | None = None
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, " b"]:
        """One logit a picture: positive where it looks real.

        Args:
            x: pictures, all of the size that the parameters are for.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Raises:
            UserError: a picture that nothing is left of.
        """
        halvings = self.halvings or (4 if self.form == "srgan" else 5)
        if min(x.shape[1:3]) < 2**halvings:
            raise UserError(
                f"this discriminator halves pictures {halvings} times and takes {2**halvings} pixels a side or more, "
                f"got {x.shape[1]}x{x.shape[2]}."
            )
        for level in range(halvings):
            features = self.width * min(2**level, _MAX_MULTIPLE)
            x = self._layer(x, f"conv{level}_0", features, 3, 1, train, norm=level > 0)
            x = self._layer(x, f"conv{level}_1", features, 3 if self.form == "srgan" else 4, 2, train)
        units = self.units or (1024 if self.form == "srgan" else 100)
        x = lrelu(nn.Dense(units, dtype=self.dtype, name="dense")(x.reshape(len(x), -1)))
        return nn.Dense(1, dtype=self.dtype, name="last")(x)[:, 0].astype(jnp.float32)

    def _layer(
        self, x: Array, name: str, features: int, side: int, strides: int, train: bool, norm: bool = True
    ) -> Array:
        biased = self.form == "srgan" or not norm
        shared: dict[str, Any] = {"use_bias": biased, "kernel_init": PLAIN, "dtype": self.dtype, "name": name}
        x = Conv(features, (side, side), strides, 1, **shared)(x)
        return lrelu(batch_norm(train, self.dtype, self.axis_name, f"{name}_norm")(x) if norm else x)


class UNetDiscriminator(nn.Module):
    """Three halvings and back, with sums across, spectrally normalised: a logit for each pixel.

    With 64 channels, for three channels, it has 4,376,897 parameters.

    Attributes:
        width: channels at full size; each level inside has twice as many.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 64
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, "b h w"]:
        """One logit a pixel: positive where it looks real.

        Args:
            x: pictures whose sides are multiples of 8.
            train: take a step of power iteration (collection `spectral`).

        Raises:
            UserError: sides that are no multiples of 8.
        """
        if x.shape[1] % 8 or x.shape[2] % 8:
            raise UserError(
                f"the U-Net discriminator takes pictures whose sides are multiples of 8, got {x.shape[1]}x{x.shape[2]}."
            )
        levels = [lrelu(Conv(self.width, (3, 3), padding=1, kernel_init=PLAIN, dtype=self.dtype, name="first")(x))]
        for level in (1, 2, 3):
            levels.append(self._layer(levels[-1], f"down{level}", self.width * 2**level, 4, 2, train))
        h = levels.pop()
        for level in (2, 1, 0):
            h = self._layer(bilinear(h, 2), f"up{level}", self.width * 2**level, 3, 1, train) + levels.pop()
        for layer in (0, 1):
            h = self._layer(h, f"hr{layer}", self.width, 3, 1, train)
        last = Conv(1, (3, 3), padding=1, kernel_init=PLAIN, dtype=self.dtype, name="last")
        return last(h)[..., 0].astype(jnp.float32)

    def _layer(self, x: Array, name: str, features: int, side: int, strides: int, train: bool) -> Array:
        shared: dict[str, Any] = {"use_bias": False, "kernel_init": PLAIN, "dtype": self.dtype, "name": name}
        return lrelu(SpectralConv(features, (side, side), strides, 1, **shared)(x, train=train))
