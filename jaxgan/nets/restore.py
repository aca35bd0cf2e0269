"""A network that says what is wrong with a picture: what it makes is added to the picture, which keeps its size.

Residual learning as in Zhang et al. 2017 (DnCNN, arXiv:1608.03981), on pixels that are first put into channels as in
Zhang et al. 2018 (FFDNet, arXiv:1710.04026): a half of the size costs a quarter, and sees twice as far.
"""

from typing import Any, Literal

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.nets.superres import SRResNet, pixel_unshuffle
from jaxgan.nets.unet import pad_to_multiple


class Restorer(nn.Module):
    """SRResNet's residual blocks, without normalisation, at a part of the size, and the picture itself.

    Attributes:
        out_channels: channels of the pictures made; as many as those taken, or any number from grey ones.
        width: channels.
        blocks: residual blocks.
        fold: pixels a side that become channels: 1, 2 or 4.
        dtype: of the computation; parameters and pictures are float32.
    """

    out_channels: int
    width: int = 64
    blocks: int = 8
    fold: Literal[1, 2, 4] = 2
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Float[Array, "b h w {self.out_channels}"]:
        """Pictures on the scale of `x`, not bounded.

        Args:
            x: pictures of any size; their edges are mirrored up to a multiple of `fold`, which is cut off again.
            train: makes no difference.
        """
        padded, crop = pad_to_multiple(x, self.fold)
        body = SRResNet(self.fold, self.width, self.blocks, "none", out_channels=self.out_channels, dtype=self.dtype)
        return x + crop(body(pixel_unshuffle(padded, self.fold), train=train))
