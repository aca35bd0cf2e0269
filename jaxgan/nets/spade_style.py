"""Styles of pictures: an encoder of pictures to a distribution of styles, and a SPADE generator that begins with one.

Park et al. 2019 (arXiv:1903.07291), section 3.2 and appendix A: with the generator, the encoder is a variational
autoencoder (Kingma and Welling 2014, arXiv:1312.6114) that is given the label map on the way back.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.layers.spectral import SpectralConv
from jaxgan.nets.spade import WEIGHTS, SpadeGenerator
from jaxgan.nets.unet import Norm, normalise

_MAX_MULTIPLE = 8  # of `width`
_LAST = 4  # pixels a side that the encoder ends with


class Style(NamedTuple):
    """A normal distribution of styles, whose numbers are independent.

    Attributes:
        mean: of each number.
        log_variance: logarithm of the variance of each.
    """

    mean: Float[Array, "b n"]
    log_variance: Float[Array, "b n"]


class StyleEncoder(nn.Module):
    """Pictures to styles: halvings down to about 4 pixels a side, then two dense layers.

    For three channels and 256 numbers the paper's network of 256 pixels has 10,463,424 parameters, that of 128 pixels
    8,104,128.

    Attributes:
        size: numbers of a style.
        width: channels of the first layer; each layer after has twice as many, at most 8 times `width`.
        dtype: of the computation; parameters and styles are float32.
    """

    size: int = 256
    width: int = 64
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Style:
        """The style of each picture in [-1, 1], of one size.

        Args:
            x: pictures.
            train: take steps of power iteration (collection `spectral`).
        """
        shared: dict[str, Any] = {"use_bias": False, "kernel_init": WEIGHTS, "dtype": self.dtype}
        for layer in range(halvings(min(x.shape[1:3]))):
            features = self.width * min(2**layer, _MAX_MULTIPLE)
            x = SpectralConv(features, (3, 3), 2, 1, name=f"conv{layer}", **shared)(x, train=train)
            x = jax.nn.leaky_relu(normalise(Norm("instance", train, self.dtype, None), x, f"norm{layer}"), 0.2)
        x = x.reshape(len(x), -1)
        guess = [
            nn.Dense(self.size, kernel_init=WEIGHTS, dtype=self.dtype, name=n)(x) for n in ("mean", "log_variance")
        ]
        return Style(*(each.astype(jnp.float32) for each in guess))


class StyledGenerator(nn.Module):
    """A SPADE generator, and the encoder that gives it styles where it takes any.

    Attributes:
        generator: label maps, and styles, to pictures.
        encoder: pictures to styles; None for a generator that takes none.
    """

    generator: SpadeGenerator
    encoder: StyleEncoder | None = None

    def __call__(
        self,
        planes: Float[Array, "b h w labels"],
        picture: Array | None = None,
        noise: Array | None = None,
        *,
        train: bool,
    ) -> tuple[Float[Array, "b h w c"], Style | None]:
        """Pictures, and the styles that they were drawn from.

        Args:
            planes: label maps.
            picture: of each map one whose style is taken.
            noise: normal numbers, as many as a style has, by which styles are drawn; None for their means.
            train: as for both networks.
        """
        if self.encoder is None or picture is None:
            return self.decode(planes, noise, train=train), None
        style = self.encoder(picture, train=train)
        z = style.mean if noise is None else style.mean + jnp.exp(0.5 * style.log_variance) * noise
        return self.generator(planes, z, train=train), style

    def decode(
        self, planes: Float[Array, "b h w labels"], z: Array | None = None, *, train: bool
    ) -> Float[Array, "b h w c"]:
        """Pictures of maps and styles."""
        return self.generator(planes, z if self.encoder is not None else None, train=train)


def halvings(side: int) -> int:
    """How often a picture is halved until it has about 4 pixels a side: 6 times from 256, 3 from 28; at least once."""
    return max(math.ceil(math.log2(side / _LAST)), 1)
