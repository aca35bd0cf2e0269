"""Images to the size that an extractor takes, in the three ways that published numbers were computed with.

All are separable: one pass along the rows, one along the columns. Indices and weights of the first two depend on the
sizes alone and are computed in NumPy when the program is traced, so that no device rounds them.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Float32, Int, UInt8

from jaxgan.errors import UserError

Images = Float[Array, "b h w c"] | UInt8[Array, "b h w c"] | Float[np.ndarray, "b h w c"] | UInt8[np.ndarray, "b h w c"]
Resized = Float32[Array, "b height width c"]


def resize_legacy(images: Images, height: int, width: int) -> Resized:
    """Bilinear as TensorFlow 1 computed it, which the original FID is defined with.

    Output pixel i reads at i * in / out in float32: no half-pixel centres, so that the image is shifted, and no
    antialiasing. Beyond the border the last pixel is repeated.

    Args:
        images: of any scale.
        height: rows of the result.
        width: columns of the result.

    Returns:
        float32 images on the same scale, not rounded.
    """
    x = jnp.asarray(images, jnp.float32)
    return _blend(_blend(x, width, axis=2), height, axis=1)


def resize_clean(images: Images, height: int, width: int) -> Resized:
    """Antialiased bicubic as Pillow computes it on each channel in floating point, clipped to 0..255.

    Parmar, Zhang and Zhu 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation" (arXiv:2104.11222):
    the cubic convolution kernel with a = -1/2, stretched by the factor of reduction where an image becomes smaller,
    normalised over the pixels that exist.

    Args:
        images: on the scale 0..255.
        height: rows of the result.
        width: columns of the result.

    Returns:
        float32 images on the scale 0..255, not rounded.
    """
    x = jnp.asarray(images, jnp.float32)
    # Weights are of float64: those of `jax.image.resize`, of float32, make images that shrink 5e-3 wrong.
    rows, columns = (_weights(old, new) for old, new in zip(x.shape[1:3], (height, width)))
    x = jnp.einsum("bhwc,nw->bhnc", x, columns, precision=lax.Precision.HIGHEST)
    return jnp.clip(jnp.einsum("bhnc,mh->bmnc", x, rows, precision=lax.Precision.HIGHEST), 0, 255)


def one_clean(image: UInt8[np.ndarray, "h w c"], height: int, width: int) -> Float32[np.ndarray, "height width c"]:
    """`resize_clean` of one image in NumPy: a program is compiled for each size, and a folder may have any number."""
    x = np.moveaxis(image, -1, 0).astype(np.float32)
    rows, columns = (_weights(old, new) for old, new in zip(x.shape[1:], (height, width), strict=True))
    return np.ascontiguousarray(np.moveaxis(np.clip(rows @ (x @ columns.T), 0, 255), 0, -1))


def one_legacy(image: UInt8[np.ndarray, "h w c"], height: int, width: int) -> Float32[np.ndarray, "height width c"]:
    """`resize_legacy` of one image in NumPy."""
    x = image.astype(np.float32)
    for axis, size in ((1, width), (0, height)):
        low, high, between = _neighbours(x.shape[axis], size)
        first = np.take(x, low, axis)
        x = first + (np.take(x, high, axis) - first) * np.expand_dims(between, tuple(i for i in range(3) if i != axis))
    return x


def resize_bilinear(images: Images, height: int, width: int) -> Resized:
    """Bilinear with half-pixel centres and no antialiasing, as `torch.nn.functional.interpolate` does by default.

    Args:
        images: of any scale.
        height: rows of the result.
        width: columns of the result.

    Returns:
        float32 images on the same scale, not rounded.
    """
    x = jnp.asarray(images, jnp.float32)
    return jax.image.resize(x, (x.shape[0], height, width, x.shape[3]), "linear", antialias=False)


def to_colour(images: Images) -> Float[Array, "b h w 3"] | UInt8[Array, "b h w 3"]:
    """Three channels: grey images have theirs repeated.

    Args:
        images: of one or three channels.

    Returns:
        Images of the same numbers and dtype.

    Raises:
        UserError: for another number of channels.
    """
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise UserError(f"an extractor of colour images takes images of 1 or 3 channels, got {channels}.")
    return jnp.broadcast_to(images, (*images.shape[:3], 3))


def _blend(x: Float32[Array, "b h w c"], size: int, axis: int) -> Float32[Array, "b m n c"]:
    low, high, between = _neighbours(x.shape[axis], size)
    shape = [1, 1, 1, 1]
    shape[axis] = size
    first = jnp.take(x, low, axis)
    return first + (jnp.take(x, high, axis) - first) * between.reshape(shape)


def _neighbours(
    old: int, new: int
) -> tuple[Int[np.ndarray, " new"], Int[np.ndarray, " new"], Float32[np.ndarray, " new"]]:
    """The two input pixels of each output pixel and how far it is from the first to the second."""
    source = np.arange(new, dtype=np.float32) * np.float32(old / new)
    low = np.minimum(source.astype(np.int32), old - 1)
    return low, np.minimum(low + 1, old - 1), source - low.astype(np.float32)


@functools.lru_cache(maxsize=64)
def _weights(old: int, new: int) -> Float32[np.ndarray, "new old"]:
    """How much each input pixel counts for each output pixel; rows sum to one."""
    step = old / new
    centres = (np.arange(new)[:, None] + 0.5) * step
    weights = _cubic((np.arange(old)[None, :] + 0.5 - centres) / max(step, 1.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", equation 15: a = -1/2."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))
