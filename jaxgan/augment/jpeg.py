"""What JPEG makes of a picture, without the file: the standard's transform, tables and rounding (ITU-T T.81, JFIF).

Colours are halved both ways (4:2:0) by means of four pixels and doubled along straight lines, qualities scale the
tables of annex K: as libjpeg does it, and with it Pillow. Rounding has the gradient of the identity, so that all of it
is differentiable.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.errors import UserError

Number = Float[Array, ""] | float | int
_BRIGHT = """
16 11 10 16 24 40 51 61  12 12 14 19 26 58 60 55  14 13 16 24 40 57 69 56  14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77  24 35 55 64 81 104 113 92  49 64 78 87 103 121 120 101  72 92 95 98 112 100 103 99
"""
_COLOUR = """
17 18 24 47 99 99 99 99  18 21 26 66 99 99 99 99  24 26 56 99 99 99 99 99  47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99  99 99 99 99 99 99 99 99
"""
BRIGHT, COLOUR = (np.array(text.split(), np.float32).reshape(8, 8) for text in (_BRIGHT, _COLOUR))
_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_FROM_YCC = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)
_MIDDLE = 128.0
_WHITE = 255.0
_BLOCK = 8
_WHOLE = 16  # pixels a side of which colours are two blocks of one


def _cosines() -> np.ndarray:
    k, n = np.mgrid[:_BLOCK, :_BLOCK]
    waves = np.sqrt(2 / _BLOCK) * np.cos(np.pi * (2 * n + 1) * k / (2 * _BLOCK))
    return np.where(k == 0, np.sqrt(1 / _BLOCK), waves).astype(np.float32)


_DCT = _cosines()


def table(standard: Float[np.ndarray, "8 8"], quality: Number) -> Float[Array, "8 8"]:
    """The steps of a quality, 1 to 100, as libjpeg scales those of annex K."""
    scale = jnp.where(quality < 50, jnp.floor(5000 / jnp.asarray(quality)), 200 - 2 * jnp.asarray(quality))
    return jnp.clip(jnp.floor((standard * scale + 50) / 100), 1, 255)


def compressed(x: Float[Array, "h w c"], quality: Number) -> Float[Array, "h w c"]:
    """A picture as it comes back from a JPEG file; in 8 bits, black 0 and white 1.

    Args:
        x: red, green and blue, or grey; clipped to 0..1.
        quality: a whole number from 1 to 100.

    Raises:
        UserError: neither one channel nor three.
    """
    height, width, channels = x.shape
    if channels not in (1, 3):
        raise UserError(f"JPEG takes pictures with 1 or 3 channels, got {channels}.")
    pads = [(0, -height % _WHOLE), (0, -width % _WHOLE), (0, 0)]
    pixels = rounded(jnp.pad(jnp.clip(x, 0, 1) * _WHITE, pads, mode="edge"))
    made = _grey(pixels, quality) if channels == 1 else _coloured(pixels, quality)
    return made[:height, :width] / _WHITE


def rounded(x: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """The nearest whole numbers, with the gradient of the identity."""
    return x + jax.lax.stop_gradient(jnp.round(x) - x)


def _grey(x: Array, quality: Number) -> Array:
    return _through_blocks(x[..., 0], table(BRIGHT, quality))[..., None]


def _coloured(x: Array, quality: Number) -> Array:
    ycc = rounded(_mixed(x, _TO_YCC) + np.array([0, _MIDDLE, _MIDDLE], np.float32))
    bright = _through_blocks(ycc[..., 0], table(BRIGHT, quality))
    h, w = bright.shape
    halves = rounded(ycc[..., 1:].reshape(h // 2, 2, w // 2, 2, 2).mean((1, 3)))
    small = jax.vmap(_through_blocks, (2, None), 2)(halves, table(COLOUR, quality))
    whole = rounded(jax.image.resize(small, (h, w, 2), "bilinear")) - _MIDDLE
    return jnp.clip(rounded(_mixed(jnp.concatenate([bright[..., None], whole], -1), _FROM_YCC)), 0, _WHITE)


def _mixed(x: Array, matrix: np.ndarray) -> Array:
    return sum((x[..., i, None] * matrix[:, i] for i in range(3)), jnp.zeros(()))


def _through_blocks(x: Float[Array, "h w"], steps: Float[Array, "8 8"]) -> Float[Array, "h w"]:
    """Each block of 8 x 8 pixels as waves, rounded to multiples of the steps, and back."""
    h, w = x.shape
    blocks = x.reshape(h // _BLOCK, _BLOCK, w // _BLOCK, _BLOCK) - _MIDDLE
    exact = jax.lax.Precision.HIGHEST
    waves = jnp.einsum("iy,aybx,jx->aibj", _DCT, blocks, _DCT, precision=exact)
    kept = rounded(waves / steps[:, None]) * steps[:, None]
    back = jnp.einsum("iy,aibj,jx->aybx", _DCT, kept, _DCT, precision=exact) + _MIDDLE
    return jnp.clip(rounded(back.reshape(h, w)), 0, _WHITE)
