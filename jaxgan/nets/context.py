"""The context encoder: a picture with a hole, through a bottleneck that sees all of it, to what was in the hole.

Pathak, Krähenbühl, Donahue, Darrell and Efros 2016, "Context Encoders: Feature Learning by Inpainting"
(arXiv:1604.07379), section 3.1, with the layers of its published code. That code has no biases in effect, for each is
set to 0 in every step; here those that a normalisation follows are left out.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.nets.dcgan import batch_norm

_WEIGHTS = nn.initializers.normal(0.02)
_LARGEST = 4  # pixels a side that are not halved, unless that were
_FEWEST = 2  # halvings: a quarter of a side is where the hole begins
_MAX_MULTIPLE = 8  # of `width`


class ChannelwiseDense(nn.Module):
    """Each channel's pixels, fully connected among themselves (section 3.1): c (h w)^2 weights in place of (c h w)^2.

    Attributes:
        dtype: of the computation; parameters are float32.
    """

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """What each channel makes of all its pixels."""
        height, width, channels = x.shape[1:]
        places = height * width
        init = nn.initializers.variance_scaling(1.0, "fan_in", "normal", in_axis=1, out_axis=2, batch_axis=0)
        kernel = self.param("kernel", init, (channels, places, places)).astype(self.dtype)
        y = jnp.einsum("bic,cij->bjc", x.reshape(-1, places, channels).astype(self.dtype), kernel)
        return y.reshape(x.shape)


class ContextEncoder(nn.Module):
    """Halvings down to a bottleneck, and doublings back to the hole; for pictures of 128 pixels five and four.

    With width 64, for colour pictures of 128 pixels, it has 71,124,611 parameters with a bottleneck of 4,000 and
    7,219,211 with one of 100.

    Attributes:
        channels: of the pictures.
        width: channels of the outer layers; doubled inwards up to 8 times `width`.
        bottleneck: numbers between both halves, as in the published code; 0: `ChannelwiseDense` and a convolution of
            single pixels, as in the paper.
        whole: make whole pictures, for holes anywhere; else the middle half of each side.
        dtype: of the computation; parameters, batch statistics and pictures are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    channels: int
    width: int = 64
    bottleneck: int = 0
    whole: bool = False
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, image: Float[Array, "b h w c"], mask: Float[Array, "b h w 1"], *, train: bool
    ) -> tuple[Float[Array, "b h w c"], Float[Array, "b h w c"]]:
        """Float32 pictures in [-1, 1], twice, for there is no second pass; unless `whole`, 0 outside the middle.

        Args:
            image: in [-1, 1]; what it has in the hole is not looked at: the mean of what is known stands there.
            mask: 1 in the hole, 0 elsewhere.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Raises:
            UserError: sides that cannot be halved twice.
        """
        halvings, base = halved(*image.shape[1:3])
        how: dict[str, Any] = {"kernel_init": _WEIGHTS, "use_bias": False, "dtype": self.dtype}

        def normalised(x: Array) -> Array:
            return batch_norm(train, self.dtype, self.axis_name)(x)

        x = _filled(image, mask)
        for layer in range(halvings):
            features = self.width * min(2 ** max(layer - 1, 0), _MAX_MULTIPLE)
            x = Conv(features, (4, 4), 2, 1, **{**how, "use_bias": not layer})(x)
            x = jax.nn.leaky_relu(normalised(x) if layer else x, 0.2)
        inner = x.shape[-1]
        if self.bottleneck:
            x = jax.nn.leaky_relu(normalised(Conv(self.bottleneck, base, 1, "VALID", **how)(x)), 0.2)
            x = ConvTranspose(inner, base, 1, "VALID", **how)(x)
        else:
            x = Conv(inner, (1, 1), **how)(ChannelwiseDense(self.dtype)(x))
        x = nn.relu(normalised(x))
        doublings = halvings if self.whole else halvings - 1
        for layer in reversed(range(doublings)[1:]):
            features = self.width * min(2 ** (layer - 1), _MAX_MULTIPLE)
            x = nn.relu(normalised(ConvTranspose(features, (4, 4), 2, **how)(x)))
        x = ConvTranspose(self.channels, (4, 4), 2, **{**how, "use_bias": True})(x)
        made = jnp.tanh(x.astype(jnp.float32))
        made = made if self.whole else _in_the_middle(made)
        return made, made


def halved(height: int, width: int) -> tuple[int, tuple[int, int]]:
    """How often both sides are halved, until one has at most 4 pixels, and what is left; UserError below two times."""
    halvings = 0
    while height % 2 == width % 2 == 0 and (min(height, width) > _LARGEST or halvings < _FEWEST):
        height, width, halvings = height // 2, width // 2, halvings + 1
    if halvings < _FEWEST:
        raise UserError(
            f"a context encoder takes pictures whose sides can be halved two times, got {height << halvings} x "
            f"{width << halvings}; --image-size 64 or 128 can."
        )
    return halvings, (height, width)


def middle(x: Float[Array, "b h w c"]) -> Float[Array, "b m n c"]:
    """The middle half of each side."""
    height, width = x.shape[1:3]
    return x[:, height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]


def _in_the_middle(x: Array) -> Array:
    pads = [(side // 2, side // 2) for side in x.shape[1:3]]
    return jnp.pad(x, [(0, 0), *pads, (0, 0)])


def _filled(image: Array, mask: Array) -> Array:
    """The picture with the mean colour of what is known in its hole."""
    known = 1 - mask
    mean = (image * known).sum((1, 2), keepdims=True) / jnp.maximum(known.sum((1, 2), keepdims=True), 1)
    return jnp.where(mask > 0, mean, image)
