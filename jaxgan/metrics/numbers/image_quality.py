"""How close two images are, pixel by pixel and window by window: PSNR, SSIM and MS-SSIM, one value an image.

Every function is differentiable and pure, takes the original image first, and computes in the images' dtype (uint8
counts as float32). `data_range` is the distance between the darkest and the brightest possible value: 255, 2 for images
in [-1, 1], 1. Papers on super-resolution measure on the luminance, without a border as wide as the factor of
magnification: `psnr(luma(crop_border(real, 4)), luma(crop_border(fake, 4)), data_range=255)`, and
`ssim(..., border="valid")`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from jaxgan.errors import UserError

Images: TypeAlias = (
    Float[Array, "b h w c"] | Float[np.ndarray, "b h w c"] | UInt8[Array, "b h w c"] | UInt8[np.ndarray, "b h w c"]
)
Others: TypeAlias = (
    Float[Array, "_ _ _ _"] | Float[np.ndarray, "_ _ _ _"] | UInt8[Array, "_ _ _ _"] | UInt8[np.ndarray, "_ _ _ _"]
)
"""Images that must have the shape of the first ones, which is checked with words."""
Border = Literal["reflect", "valid"]

WINDOW, SIGMA = 11, 1.5  # pixels
K1, K2 = 0.01, 0.03
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_LUMA = (65.481, 128.553, 24.966)


def psnr(real: Images, fake: Others, *, data_range: float | int) -> Float[Array, " b"]:
    """Peak signal-to-noise ratio in decibels: 10 log10(data_range^2 / mean squared error); higher is better.

    Args:
        real: the originals.
        fake: their reconstructions.
        data_range: distance between the darkest and the brightest value.

    Returns:
        One value an image; infinity where the two are equal, and no gradient there.

    Raises:
        UserError: shapes that differ.
    """
    x, y = _pair(real, fake)
    return 10 * jnp.log10(data_range**2 / jnp.square(x - y).mean((1, 2, 3)))


def ssim(real: Images, fake: Others, *, data_range: float | int, border: Border = "reflect") -> Float[Array, " b"]:
    """Structural similarity, at most 1, which equal images have; higher is better.

    Wang, Bovik, Sheikh and Simoncelli 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity":
    a Gaussian window of 11 x 11 pixels with a standard deviation of 1.5, K1 = 0.01, K2 = 0.03, variances with divisor
    n, the mean over all pixels and channels.

    Args:
        real: the originals.
        fake: their reconstructions.
        data_range: distance between the darkest and the brightest value.
        border: windows centred on every pixel, the image mirrored at its edges ("reflect", as in torchmetrics); or only
            those that lie in the image ("valid", as in the paper, scikit-image, piq and reports of super-resolution).

    Returns:
        One value an image.

    Raises:
        UserError: shapes that differ, images smaller than the window, or another word for `border`.
    """
    x, y = _pair(real, fake)
    _check(x, 1, border, "SSIM")
    return _similarity(x, y, data_range, border)[0]


def ms_ssim(
    real: Images,
    fake: Others,
    *,
    data_range: float | int,
    border: Border = "reflect",
    weights: Sequence[float] = SCALE_WEIGHTS,
) -> Float[Array, " b"]:
    """Structural similarity over several scales, from 0 to 1; higher is better.

    Wang, Simoncelli and Bovik 2003, "Multi-Scale Structural Similarity for Image Quality Assessment": the contrast and
    structure terms of every scale and the luminance term of the last one, each averaged over pixels and channels,
    counted as 0 where negative, and raised to its weight; between scales the image is averaged over 2 x 2 pixels, an
    odd row or column left out.

    Args:
        real: the originals.
        fake: their reconstructions.
        data_range: distance between the darkest and the brightest value.
        border: as for `ssim`; concerns the last scale, the others take the windows that lie in the image.
        weights: one for each scale; fewer for small images.

    Returns:
        One value an image.

    Raises:
        UserError: shapes that differ, or images smaller than the window at the last scale.
    """
    x, y = _pair(real, fake)
    _check(x, 2 ** (len(weights) - 1), border, f"MS-SSIM of {len(weights)} scales")
    return _over_scales(x, y, data_range, border, tuple(weights))


def luma(images: Images) -> Float[Array, "b h w 1"]:
    """Y of ITU-R BT.601 as reports of super-resolution take it: 16 (black) to 235 (white), not rounded.

    Args:
        images: red, green, blue on the scale 0..255.

    Raises:
        UserError: not three channels.
    """
    if images.shape[-1] != 3:
        raise UserError(f"luminance is of images with 3 channels, got {images.shape[-1]}.")
    x = _number(images)
    return 16 + jnp.sum(x * jnp.asarray(_LUMA, x.dtype) / 255, axis=-1, keepdims=True)


def crop_border(images: Images, border: int) -> Images | Others:
    """The images without `border` pixels at each of the four edges.

    Raises:
        UserError: nothing would be left, or a negative number of pixels.
    """
    height, width = images.shape[1:3]
    if border < 0 or 2 * border >= min(height, width):
        raise UserError(f"a border cut from {height} x {width} pixels is 0 or more and under half of it, got {border}.")
    return images[:, border : height - border, border : width - border]


def _number(images: Images | Others) -> Array:
    x = jnp.asarray(images)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)


def _pair(real: Images, fake: Others) -> tuple[Array, Array]:
    if real.shape != fake.shape:
        raise UserError(f"images are compared one to one, got shapes {list(real.shape)} and {list(fake.shape)}.")
    return _number(real), _number(fake)


def _check(x: Array, times: int, border: str, what: str) -> None:
    if border not in get_args(Border):
        raise UserError(f"border is {' or '.join(get_args(Border))}, got {border!r}.")
    height, width = x.shape[1:3]
    if min(height, width) < WINDOW * times:
        raise UserError(f"{what} takes images of at least {WINDOW * times} pixels a side, got {height} x {width}.")


@partial(jax.jit, static_argnums=3)
def _similarity(x: Array, y: Array, data_range: Array | float, border: Border) -> tuple[Array, Array]:
    """Means over pixels and channels of the whole index, and of its contrast and structure terms alone."""
    if border == "reflect":
        x, y = (jnp.pad(z, [(0, 0), *[(WINDOW // 2,) * 2] * 2, (0, 0)], mode="reflect") for z in (x, y))
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    # Of centred images: differences of large squares would lose in float32 what flat images differ by.
    level_x, level_y = (z.mean((1, 2), keepdims=True) for z in (x, y))
    x, y = x - level_x, y - level_y
    mx, my, xx, yy, xy = _blur(jnp.stack([x, y, x * x, y * y, x * y]))
    structure = (2 * (xy - mx * my) + c2) / (xx - mx * mx + yy - my * my + c2)
    mx, my = mx + level_x, my + level_y
    whole = structure * (2 * mx * my + c1) / (mx * mx + my * my + c1)
    return whole.mean((1, 2, 3)), structure.mean((1, 2, 3))


@partial(jax.jit, static_argnums=(3, 4))
def _over_scales(x: Array, y: Array, data_range: Array | float, border: Border, weights: tuple[float, ...]) -> Array:
    value = jnp.ones((), x.dtype)
    for weight in weights[:-1]:
        value = value * _power(_similarity(x, y, data_range, "valid")[1], weight)
        x, y = _halve(x), _halve(y)
    return value * _power(_similarity(x, y, data_range, border)[0], weights[-1])


def _blur(x: Float[Array, "k b h w c"]) -> Float[Array, "k b m n c"]:
    """The Gaussian window at every place where it lies in the image, one axis after the other.

    A loop of shifted sums: on a CPU 10 to 100 times faster than a convolution of one channel, and quickly compiled.
    """
    taps = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    weights = jnp.asarray(taps / taps.sum(), x.dtype)
    for axis in (2, 3):
        x = _weighted(x, weights, axis)
    return x


def _weighted(x: Array, weights: Array, axis: int) -> Array:
    size = x.shape[axis] - len(weights) + 1

    def add(i: Array | int, total: Array) -> Array:
        return total + weights[i] * jax.lax.dynamic_slice_in_dim(x, i, size, axis)

    start = jnp.zeros_like(jax.lax.slice_in_dim(x, 0, size, axis=axis))
    return jax.lax.fori_loop(0, len(weights), add, start)


def _halve(x: Float[Array, "b h w c"]) -> Float[Array, "b m n c"]:
    b, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4))


def _power(x: Float[Array, " b"], weight: float) -> Float[Array, " b"]:
    """x^weight, 0 with gradient 0 where x is not positive."""
    positive = x > 0
    return jnp.where(positive, jnp.where(positive, x, 1) ** weight, 0)
