r"""Maximum mean discrepancies: KID with a cubic kernel, CMMD with a Gaussian one.

Both are means of a kernel over pairs, E k(x, x') + E k(y, y') - 2 E k(x, y), where the three terms nearly cancel. Two
steps keep float32 exact enough to see what is left: a constant of the kernel cancels by algebra and so is left out (the
1 of (t + 1)^3 = 1 + t (3 + t (3 + t)), the 1 of exp(-s) = 1 + expm1(-s)), and what the cross term is, nearly, is
subtracted from every value before any mean is taken.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.blocks import centred, map_rows, products, squared_distances, squared_norms
from jaxgan.metrics.numbers.checks import check_pair
from jaxgan.metrics.numbers.types import FakeFeatures, RealFeatures

Kernel: TypeAlias = Callable[[Array, Array], Array]
"""`(x [d], y [m, d]) -> k(x, y) [m]`, less a constant."""


class KernelDistance(NamedTuple):
    """KID over subsets.

    Attributes:
        mean: mean of the estimates of all subsets.
        std: their standard deviation: the spread of one subset, not the standard error of the mean.
    """

    mean: float
    std: float


def _cubic(row: Array, others: Array) -> Array:
    t = products(row, others) / row.shape[0]
    return t * (3 + t * (3 + t))


def _gaussian(sigma: float | int, row: Array, others: Array) -> Array:
    distances = squared_distances(row, jnp.sum(jnp.square(row)), others, squared_norms(others))
    return jnp.expm1(-distances / (2 * sigma**2))


def _pair_mean(kernel: Kernel, x: Array, y: Array, shift: Array | float, own: bool, block: int | None) -> Array:
    """Mean of k(x_i, y_j) - shift over all pairs, or over those with i != j where a set meets itself (`own`)."""
    columns = jnp.arange(len(y))

    def row_mean(row_and_index: tuple[Array, Array]) -> Array:
        row, index = row_and_index
        values = kernel(row, y) - shift
        return jnp.sum(jnp.where(own & (columns == index), 0, values)) / (len(y) - own)

    return jnp.mean(map_rows(row_mean, (x, jnp.arange(len(x))), len(y), block))


def _discrepancy(kernel: Kernel, real: Array, fake: Array, unbiased: bool, block: int | None) -> Array:
    shift = _pair_mean(kernel, real[:256], fake, 0.0, False, block)  # any number would do: it cancels below
    of_real = _pair_mean(kernel, real, real, shift, unbiased, block)
    of_fake = _pair_mean(kernel, fake, fake, shift, unbiased, block)
    return of_real + of_fake - 2 * _pair_mean(kernel, real, fake, shift, False, block)


@functools.partial(jax.jit, static_argnames="block")
def polynomial_mmd(real: RealFeatures, fake: FakeFeatures, *, block: int | None = None) -> Float[Array, ""]:
    """KID's estimate from all images at once: the unbiased MMD^2 under the kernel k(x, y) = (x.y / d + 1)^3.

    mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j) (Gretton et al. 2012, JMLR 13,
    equation 3; kernel of Binkowski et al. 2018, arXiv 1801.01401). Symmetric in its arguments and differentiable.

    Args:
        real: features of images of the data.
        fake: features of generated images, any number of them.
        block: rows at once, which changes memory and not the value; None: chosen so that 2^24 pairs are in memory.

    Returns:
        A number near 0 or below where the sets are alike (its expectation is 0 for equal distributions); lower is
        better. In the type of the features; in float32 it is right to a few 1e-8 of the mean of the kernel or better.

    Raises:
        UserError: a side has fewer than 2 images.
    """
    check_pair(real, fake, "KID")
    return _discrepancy(_cubic, jnp.asarray(real), jnp.asarray(fake), True, block)


def _subsets(real: int, fake: int, subsets: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of each subset, [subsets, size] of the real and of the fake set.

    torch-fidelity's draws: NumPy's first generator, and for each subset the fakes (its first input) before the reals.
    """
    rng = np.random.RandomState(seed)
    drawn = [(rng.choice(fake, size, replace=False), rng.choice(real, size, replace=False)) for _ in range(subsets)]
    of_fake, of_real = zip(*drawn)
    return np.stack(of_real), np.stack(of_fake)


@functools.partial(jax.jit, static_argnames="block")
def _over_subsets(real: Array, fake: Array, rows: tuple[Array, Array], block: int | None) -> Array:
    return jax.lax.map(lambda subset: _discrepancy(_cubic, real[subset[0]], fake[subset[1]], True, block), rows)


def kernel_distance(
    real: RealFeatures,
    fake: FakeFeatures,
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 2020,
    block: int | None = None,
) -> KernelDistance:
    """KID, kernel Inception distance: mean and spread of the unbiased MMD^2 over random subsets.

    Binkowski et al. 2018, arXiv 1801.01401. Each estimate is `polynomial_mmd` of `subset_size` reals and as many fakes,
    drawn without replacement. Subsets are those that torch-fidelity draws with its first input the fakes. Unlike the
    Fréchet distance it has no bias that depends on the number of images.

    Args:
        real: features of images of the data.
        fake: features of generated images.
        subsets: how many subsets.
        subset_size: images of each side in one subset.
        seed: of the draws.
        block: rows at once, which changes memory and not the value.

    Returns:
        Mean and standard deviation; lower is better, and a mean slightly below 0 is valid.

    Raises:
        UserError: no subset is asked for, or a subset has fewer than 2 images or more than a side has.
    """
    check_pair(real, fake, "KID")
    if subsets < 1:
        raise UserError(f"subsets of KID must be at least 1, got {subsets}.")
    least = min(len(real), len(fake))
    if not 2 <= subset_size <= least:
        raise UserError(
            f"subset_size of KID must be between 2 and the {least} images of the smaller side, got {subset_size}."
        )
    rows = _subsets(len(real), len(fake), subsets, subset_size, seed)
    values = _over_subsets(jnp.asarray(real), jnp.asarray(fake), rows, block)
    return KernelDistance(float(jnp.mean(values)), float(jnp.std(values)))


@functools.partial(jax.jit, static_argnames=("sigma", "scale", "block"))
def cmmd(
    real: RealFeatures,
    fake: FakeFeatures,
    *,
    sigma: float | int = 10,
    scale: float | int = 1000,
    block: int | None = None,
) -> Float[Array, ""]:
    """CMMD: MMD^2 under a Gaussian kernel, made for CLIP's image embeddings of unit length.

    scale * (mean_{i, j} k(x_i, x_j) + mean_{i, j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j)) with k(x, y) = exp(-||x -
    y||^2 / (2 sigma^2)) (Jayasumana et al. 2024, arXiv 2401.09603). Their text gives the unbiased estimate, their
    published numbers are this one, which counts each image's pair with itself. Features are taken as they are: bring
    them to unit length first where published numbers are to be met.

    Args:
        real: features of images of the data.
        fake: features of generated images.
        sigma: width of the kernel.
        scale: what the result is multiplied with, for reading.
        block: rows at once, which changes memory and not the value.

    Returns:
        A number of at least 0 up to rounding, 0 where both sets are the same; lower is better.

    Raises:
        UserError: sigma is not above 0, or a side has no image.
    """
    check_pair(real, fake, "CMMD", least=1)
    if not sigma > 0:
        raise UserError(f"sigma of CMMD must be above 0, got {sigma}.")
    return scale * _discrepancy(functools.partial(_gaussian, sigma), *centred(real, fake), False, block)
