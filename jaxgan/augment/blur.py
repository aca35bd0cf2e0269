"""Blur by small kernels, each picture by one of its own: Gaussians, generalised and flattened ones, and ringing.

The kernels of Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833, section 3.2 and appendix): with q = x^T S^-1 x of a
covariance S, Gaussians exp(-q / 2), generalised ones exp(-q^b / 2), plateaus 1 / (1 + q^b); and low-pass filters that
cut at a frequency and so leave rings beside edges (equation 4). All are `[SIDE, SIDE]` and sum to 1.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

Number = Float[Array, ""] | float | int
REACH = 10  # pixels on each side of a kernel's centre
SIDE = 2 * REACH + 1
Kernel = Float[Array, "21 21"]
_TURN = 2 * np.pi * np.arange(128) / 128  # enough for the Bessel function below up to 60
_ROWS, _COLUMNS = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1].astype(np.float32)


def gaussian(wide: Number, high: Number, angle: Number = 0.0, power: Number = 1.0) -> Kernel:
    """A Gaussian of two standard deviations, turned; generalised where the power is not 1.

    Args:
        wide: standard deviation along the turned x axis, pixels.
        high: the same along the y axis.
        angle: from x towards y, radians.
        power: b; below 1 sharper with longer tails, above 1 flatter.
    """
    return _whole(jnp.exp(-0.5 * _squares(wide, high, angle) ** power))


def plateau(wide: Number, high: Number, angle: Number = 0.0, power: Number = 1.0) -> Kernel:
    """A kernel with a flat top; arguments as for `gaussian`."""
    return _whole(1 / (1 + _squares(wide, high, angle) ** power))


def sinc(cutoff: Number, reach: Int[Array, ""] | int = REACH) -> Kernel:
    """An ideal low-pass filter, cut off: w J1(w r) / (2 pi r).

    Args:
        cutoff: w, radians a pixel, above 0 and at most pi.
        reach: pixels beyond which it is 0.
    """
    radius = jnp.hypot(_ROWS, _COLUMNS)
    apart = jnp.where(radius == 0, 1, radius)
    ring = cutoff * bessel(cutoff * apart) / (2 * np.pi * apart)
    return within(jnp.where(radius == 0, cutoff**2 / (4 * np.pi), ring), reach)


def bessel(x: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """J1, the Bessel function of the first kind and first order, up to 60: the mean of cos(t - x sin t) over a turn."""
    return jnp.cos(_TURN - x[..., None] * np.sin(_TURN)).mean(-1)


def within(kernel: Kernel, reach: Int[Array, ""] | int) -> Kernel:
    """The kernel without what is further from the centre than so many rows or columns."""
    return _whole(jnp.where(np.maximum(abs(_ROWS), abs(_COLUMNS)) <= reach, kernel, 0))


def blurred(x: Float[Array, "h w c"], kernel: Kernel) -> Float[Array, "h w c"]:
    """A picture blurred, mirrored at its edges."""
    return filtered(jnp.pad(x, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="reflect"), kernel)


def filtered(x: Float[Array, "H W c"], kernel: Kernel) -> Float[Array, "m n c"]:
    """The places at which the whole kernel lies in the picture: `2 * REACH` rows and columns less.

    By Fourier transforms: on a CPU a kernel for each picture would be a slow convolution.
    """
    height, width = x.shape[:2]
    seen = jnp.fft.rfft2(kernel[::-1, ::-1], (height, width))[..., None]
    made = jnp.fft.irfft2(jnp.fft.rfft2(x, axes=(0, 1)) * seen, (height, width), axes=(0, 1))
    return made[2 * REACH :, 2 * REACH :]


def _squares(wide: Number, high: Number, angle: Number) -> Kernel:
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    along, across = cos * _COLUMNS + sin * _ROWS, cos * _ROWS - sin * _COLUMNS
    return (along / wide) ** 2 + (across / high) ** 2


def _whole(kernel: Kernel) -> Kernel:
    return kernel / kernel.sum()
