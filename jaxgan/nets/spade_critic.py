"""A discriminator of label maps and pictures at two scales, which shows what it sees on the way.

Park et al. 2019 (arXiv:1903.07291), appendix A, after pix2pixHD (Wang et al. 2018, arXiv:1711.11585, section 3.2): a
PatchGAN for the picture, another for the same at half the size. 4x4 kernels with two zeros at each edge, spectrally
normalised, instance normalisation, LeakyReLU 0.2, weights drawn by Glorot's rule with gain 0.02.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.spectral import SpectralConv
from jaxgan.nets.spade import WEIGHTS
from jaxgan.nets.unet import Norm, normalise

_MAX_MULTIPLE = 8  # of `width`


class Judged(NamedTuple):
    """What a discriminator says of a picture at one scale.

    Attributes:
        logits: float32, one a patch.
        features: of its hidden layers, the first first.
    """

    logits: Float[Array, "b m n"]
    features: tuple[Float[Array, "b _ _ _"], ...]


class ScaleDiscriminator(nn.Module):
    """Pictures to a logit for each patch, at one scale.

    Attributes:
        width: channels of the first layer; each layer after has twice as many, at most 8 times `width`.
        layers: hidden layers; all but the last halve the picture. The paper has four.
        dtype: of the computation; parameters and logits are float32.
    """

    width: int = 64
    layers: int = 4
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Judged:
        """Logits and features.

        Args:
            x: label maps joined to pictures.
            train: take steps of power iteration (collection `spectral`).

        Raises:
            UserError: fewer than two hidden layers.
        """
        if self.layers < 2:
            raise UserError(f"a discriminator of label maps takes at least 2 layers, got {self.layers}.")
        shared: dict[str, Any] = {"kernel_size": (4, 4), "padding": 2, "kernel_init": WEIGHTS, "dtype": self.dtype}
        x = jax.nn.leaky_relu(Conv(self.width, strides=2, name="conv0", **shared)(x), 0.2)
        features = [x]
        for layer in range(1, self.layers):
            channels, strides = self.width * min(2**layer, _MAX_MULTIPLE), 2 if layer < self.layers - 1 else 1
            conv = SpectralConv(channels, strides=strides, use_bias=False, name=f"conv{layer}", **shared)
            x = normalise(Norm("instance", train, self.dtype, None), conv(x, train=train), f"norm{layer}")
            x = jax.nn.leaky_relu(x, 0.2)
            features.append(x)
        return Judged(Conv(1, name="last", **shared)(x)[..., 0].astype(jnp.float32), tuple(features))


class SpadeDiscriminator(nn.Module):
    """Pictures and the same at half the size, each to a discriminator of its own.

    For 35 labels and three channels, the paper's network (width 64, four layers, two scales) has 5,599,362 parameters.

    Attributes:
        width: as for `ScaleDiscriminator`.
        layers: as for `ScaleDiscriminator`.
        scales: discriminators; each sees half the size of the one before.
        dtype: as for `ScaleDiscriminator`.
    """

    width: int = 64
    layers: int = 4
    scales: int = 2
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> list[Judged]:
        """One answer a scale, the full size first; arguments and errors as for `ScaleDiscriminator`."""
        judged = []
        for scale in range(self.scales):
            x = halved(x) if scale else x
            judged.append(ScaleDiscriminator(self.width, self.layers, self.dtype, name=f"scale{scale}")(x, train=train))
        return judged


def halved(x: Float[Array, "b h w c"]) -> Float[Array, "b (h+1)//2 (w+1)//2 c"]:
    """Means of 3x3 pixels around every other one; those outside the picture do not count."""
    pads: Any = ((1, 1), (1, 1))  # Flax's annotation knows of words alone
    return nn.avg_pool(x, (3, 3), (2, 2), pads, count_include_pad=False)
