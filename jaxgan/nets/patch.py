"""PatchGAN: a discriminator that judges every patch of an image by itself.

Isola, Zhu, Zhou and Efros 2017 (arXiv:1611.07004), section 3.2.2 and appendix 6.1.2: 4x4 kernels, halvings, then two
layers that keep the size, LeakyReLU 0.2, weights drawn from N(0, 0.02). A logit sees 16, 34, 70, 142 or 286 pixels a
side with 1 to 5 halvings, and one pixel with none.
"""

from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.nets.unet import Norm, normalise

PatchNorm: TypeAlias = Literal["batch", "instance", "none"]
_WEIGHTS = nn.initializers.normal(0.02)
_MAX_MULTIPLE = 8  # of `width`


class PatchDiscriminator(nn.Module):
    """Images to a logit for each patch.

    For six channels (a source joined to an image) and batch normalisation, the paper's three halvings have 2,768,705
    parameters.

    Attributes:
        width: channels of the first layer; each layer after has twice as many, at most 8 times `width`.
        layers: how many layers halve the image; 0 for a discriminator of single pixels.
        norm: "batch"; "instance": each channel of each image by itself, without gain and bias; or "none", which a
            gradient penalty takes best.
        dtype: of the computation; parameters, batch statistics and logits are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    width: int = 64
    layers: int = 3
    norm: PatchNorm = "batch"
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, "b m n"]:
        """One logit a patch: positive where it looks real.

        Args:
            x: images in [-1, 1]; of a conditional game, the source and the image joined along the channels.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 logits, not probabilities, of `patches(h, w, layers)`.

        Raises:
            UserError: an image with no whole patch.
        """
        patches(x.shape[1], x.shape[2], self.layers)
        biased = self.norm != "batch"  # which would take a bias away again
        for layer in range(max(self.layers, 1) + 1):
            features, strides = self.width * min(2**layer, _MAX_MULTIPLE), 2 if layer < self.layers else 1
            x = self._conv(x, f"conv{layer}", features, strides, bias=biased or layer == 0)
            if layer:
                x = normalise(Norm(self.norm, train, self.dtype, self.axis_name), x, f"norm{layer}")
            x = jax.nn.leaky_relu(x, 0.2)
        x = self._conv(x, "last", 1, 1, bias=biased or self.layers > 0)
        return x[..., 0].astype(jnp.float32)

    def _conv(self, x: Array, name: str, features: int, strides: int, *, bias: bool) -> Array:
        side, pads = (4, 1) if self.layers else (1, 0)
        shared: dict[str, Any] = {"kernel_init": _WEIGHTS, "dtype": self.dtype, "name": name}
        return Conv(features, (side, side), strides, pads, use_bias=bias, **shared)(x)


def receptive_field(layers: int) -> int:
    """Pixels a side that one logit sees of an image: 1 without halvings, else 9 * 2^layers - 2."""
    return 9 * 2**layers - 2 if layers else 1


def patches(height: int, width: int, layers: int) -> tuple[int, int]:
    """How many logits an image has, down and across.

    Args:
        height: of the image, pixels.
        width: of the image, pixels.
        layers: how many layers halve the image.

    Raises:
        UserError: none at all.
    """
    if not layers:
        return height, width
    down, across = height // 2**layers - 2, width // 2**layers - 2
    if min(down, across) < 1:
        raise UserError(
            f"a patch discriminator with {layers} halvings takes images of at least {3 * 2**layers} pixels a side, "
            f"got {height}x{width}; fewer halvings take smaller ones."
        )
    return down, across
