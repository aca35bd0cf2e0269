"""Contextual attention: what a hole needs is taken from similar places of the same picture.

Yu, Lin, Yang, Shen, Lu and Huang 2018, "Generative Image Inpainting with Contextual Attention" (arXiv:1801.07892),
section 4.1, as Yu et al. 2019 (arXiv:1806.03589) use it: places are compared at half the features' size by 3x3 patches,
neighbouring answers are made to agree, and 4x4 patches of the known places are blended by a softmax. The scores
are (h w / 4)^2 numbers a picture.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_SHARPNESS = 10.0  # of the softmax
_LEAST = 1e-4  # length of a patch


def attend(x: Float[Array, "b h w c"], mask: Float[Array, "b h w 1"]) -> Float[Array, "b h w c"]:
    """Features made of the known ones, each picture by its own mask.

    Args:
        x: features; both sides are even.
        mask: 1 in the hole, 0 elsewhere.

    Returns:
        Features of the same shape. A picture without a known 3x3 patch gets zeros.
    """
    return jax.vmap(_attend)(x, mask)


def _attend(x: Float[Array, "h w c"], mask: Float[Array, "h w 1"]) -> Float[Array, "h w c"]:
    small = x[::2, ::2].astype(jnp.float32)
    height, width = small.shape[:2]
    patches = _windows(small, 3, 1).reshape(height * width, -1)
    lengths = jnp.sqrt(jnp.maximum((patches**2).sum(-1), _LEAST**2))
    known = (_windows(1 - mask[::2, ::2], 3, 1).reshape(height * width, -1).sum(-1) >= _all_of(height, width)) * 1.0
    scores = _agreeing((patches / lengths[:, None]) @ patches.T, height, width)  # [from, to]
    weights = jax.nn.softmax(_SHARPNESS * scores * known[:, None], axis=0) * known[:, None]

    def windows(x: Array) -> Array:
        return _windows(x, 4, 2)

    wide = windows(x.astype(jnp.float32))
    blended = (weights.T @ wide.reshape(height * width, -1)).reshape(wide.shape)
    (pasted,) = jax.linear_transpose(windows, jax.ShapeDtypeStruct(x.shape, jnp.float32))(blended)
    return (pasted / 4).astype(x.dtype)


def _all_of(height: int, width: int) -> Array:
    """How many pixels of each 3x3 patch lie in the picture."""
    return _windows(jnp.ones((height, width, 1)), 3, 1).reshape(height * width, -1).sum(-1)


def _agreeing(scores: Float[Array, "l l"], height: int, width: int) -> Float[Array, "l l"]:
    """The scores, each with those of both neighbours in the same direction: along the rows, then along the columns."""
    scores = _with_neighbours(scores)
    turned = scores.reshape(height, width, height, width).transpose(1, 0, 3, 2).reshape(scores.shape)
    turned = _with_neighbours(turned).reshape(width, height, width, height)
    return turned.transpose(1, 0, 3, 2).reshape(scores.shape)


def _with_neighbours(scores: Array) -> Array:
    padded = jnp.pad(scores, 1)
    return padded[:-2, :-2] + scores + padded[2:, 2:]


def _windows(x: Float[Array, "h w c"], side: int, strides: int) -> Float[Array, "m n k c"]:
    """All patches of `side` pixels, `strides` apart, of the picture with zeros around it: h / strides of them down."""
    more = side - strides
    pads: Any = [(more // 2, math.ceil(more / 2))] * 2 + [(0, 0)]
    padded, (height, width) = jnp.pad(x, pads), x.shape[:2]
    parts = [
        padded[i : i + height - strides + 1 : strides, j : j + width - strides + 1 : strides]
        for i in range(side)
        for j in range(side)
    ]
    return jnp.stack(parts, 2)
