"""The Fréchet distance between Gaussians: D. C. Dowson and B. V. Landau 1982; of features, M. Heusel et al. 2017.

    d^2 = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

With any factors S = F F^T the last trace is a nuclear norm: tr (S1 S2)^(1/2) = sum of the singular values of F1^T F2.
So no matrix square root is needed, nothing can become complex, nothing is added to a diagonal, sets with fewer images
than features are exact, and gradients are finite even between identical sets.
"""

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.checks import check_rows
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.gaussian import Gaussian, of_batch
from jaxgan.metrics.numbers.types import Features, Matrix, Vector

HIGHEST = jax.lax.Precision.HIGHEST
ROUNDING = 1e-3  # of the trace: negative eigenvalues up to this sum are rounding of a file's float32
SYMMETRY = 1e-4  # of the largest number: what the float32 of a file may differ from its transpose by
ZERO = 8  # units of rounding, of the largest eigenvalue; measured: `eigh` leaves up to one where there is none
SAFE_PIVOT = 1e-8  # of the largest; a Cholesky factor with smaller ones is not trusted


class Factored(NamedTuple):
    """A Gaussian by its mean and a factor F of its covariance F F^T.

    Attributes:
        mean: of the features.
        factor: F; as many columns as there are images, or as features.
    """

    mean: Vector
    factor: Float[Array, "d r"] | Float[np.ndarray, "d r"]


class Frechet(NamedTuple):
    """A squared Fréchet distance and its two terms; lower is better, 0 for equal Gaussians.

    Attributes:
        value: `mean_term + covariance_term`.
        mean_term: |m1 - m2|^2.
        covariance_term: tr S1 + tr S2 - 2 tr (S1 S2)^(1/2).
    """

    value: float
    mean_term: float
    covariance_term: float


FeatureSet: TypeAlias = Float[Array, "_ _"] | Float[np.ndarray, "_ _"] | Gaussian | Factored
"""One side of a comparison: features, their mean and covariance, or a factor that was made before."""


def factor_features(features: Features, ddof: int = 1) -> Factored:
    """The centred features themselves, over sqrt(n - ddof), are a factor: exact, differentiable, for jit."""
    features = jnp.asarray(features)
    mean = features.mean(0)
    return Factored(mean, (features - mean).T / jnp.sqrt(jnp.asarray(len(features) - ddof, features.dtype)))


def factor_covariance(mean: Vector, covariance: Matrix, rank: int | Int[Array, ""] | None = None) -> Factored:
    """A factor of a covariance: Cholesky's where it is safely positive definite, else V sqrt(w) from `eigh`.

    Cholesky's is several times cheaper. An eigenvalue that is no more than rounding counts as zero: its root would not
    be small (1e-16 has 1e-8), and would enter the distance from a covariance of higher rank. Not to be differentiated;
    in float32 the distance is off by about 1e-5 of the traces.

    Args:
        mean: goes into the result.
        covariance: symmetric and positive semi-definite up to rounding.
        rank: which it cannot exceed, such as images less one; all smaller eigenvalues count as zero.
    """
    covariance = (jnp.asarray(covariance) + jnp.asarray(covariance).T) / 2
    d = covariance.shape[0]
    rank = jnp.asarray(d if rank is None else rank)
    lower = jnp.linalg.cholesky(covariance, symmetrize_input=False)
    pivots = jnp.diagonal(lower) ** 2
    safe = jnp.isfinite(lower).all() & (pivots.min() > SAFE_PIVOT * pivots.max()) & (rank >= d)

    def spectral() -> Array:
        values, vectors = jnp.linalg.eigh(covariance, symmetrize_input=False)
        least = ZERO * jnp.finfo(values.dtype).eps * values[-1]
        kept = (values > least) & (jnp.arange(d) >= d - rank)
        return vectors * jnp.sqrt(jnp.where(kept, values, 0))

    return Factored(jnp.asarray(mean), jax.lax.cond(safe, lambda: lower, spectral))


def frechet_terms(a: Factored, b: Factored) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Mean term and covariance term of the distance, in the dtype of the factors: for use inside `jit`.

    In float32 the sum is right to about 1e-5 of the traces and may be that much below zero. Differentiable in features
    that come through `factor_features`.
    """
    product = jnp.matmul(a.factor.T, b.factor, precision=HIGHEST)
    overlap = jnp.linalg.svd(product, compute_uv=False).sum()
    traces = jnp.sum(jnp.square(a.factor)) + jnp.sum(jnp.square(b.factor))
    return jnp.sum(jnp.square(a.mean - b.mean)), traces - 2 * overlap


def prepare(side: FeatureSet, ddof: int = 1) -> Factored:
    """The factor of one side, in float64, to be compared with many others.

    Raises:
        UserError: fewer than two images, or statistics that are no mean and covariance.
    """
    with double():
        if isinstance(side, Factored):
            return side
        if isinstance(side, Gaussian):
            return _checked_factor(side)
        check_rows(side, "a Fréchet distance", ddof + 1)
        features = _float64(side)
        if len(features) < features.shape[1]:
            return _factor_features(features, ddof)
        stats = _of_batch(features)
        return _factor_covariance(stats.mean, stats.m2 / (len(features) - ddof))


def frechet_distance(real: FeatureSet, fake: FeatureSet, ddof: int = 1) -> Frechet:
    """The squared Fréchet distance in float64.

    Args:
        real: features [n, d] of the data, or a `Gaussian`, or what `prepare` made of either.
        fake: the same of generated images.
        ddof: of the covariances: 1 as everybody's, 0 as StyleGAN's; for features only.

    Returns:
        The distance and its terms. Exact to about 1e-12 of the traces, fewer images than features included.

    Raises:
        UserError: sides of different size, numbers that are not finite, too few images, or a covariance that is none.
    """
    a, b = prepare(real, ddof), prepare(fake, ddof)
    if a.mean.shape != b.mean.shape:
        raise UserError(
            f"a Fréchet distance compares features of one kind, got {len(a.mean)} numbers an image and {len(b.mean)}."
        )
    with double():
        mean_term, covariance_term = (float(term) for term in _frechet_terms(a, b))
    if not np.isfinite(mean_term + covariance_term):
        raise UserError("a Fréchet distance takes finite features or statistics, got NaN or infinity.")
    covariance_term = max(covariance_term, 0.0)  # below zero by rounding only: it is at least 0 for any two factors
    return Frechet(mean_term + covariance_term, mean_term, covariance_term)


def _checked_factor(side: Gaussian) -> Factored:
    covariance = _float64(side.covariance)
    _check_gaussian(side, covariance)
    rank = min(side.n - 1, len(side.mean)) if side.n else len(side.mean)
    factored = _factor_covariance(_float64(side.mean), covariance, rank)
    kept, trace = float(jnp.sum(jnp.square(factored.factor))), float(jnp.trace(covariance))
    if kept > (1 + ROUNDING) * trace:
        raise UserError("a covariance has eigenvalues of at least 0, and this one has some clearly below.")
    if kept < (1 - ROUNDING) * trace:
        raise UserError(f"a covariance of {side.n} images has rank {side.n - 1} at most, and this one has more.")
    return factored


def _check_gaussian(side: Gaussian, covariance: Array) -> None:
    d, shape = len(side.mean), covariance.shape
    if shape != (d, d):
        raise UserError(f"a mean of {d} numbers takes a covariance of {d} x {d}, got {' x '.join(map(str, shape))}.")
    skew, size = (float(number) for number in _skew(covariance))
    if not np.isfinite(size):
        raise UserError("a Fréchet distance takes finite features or statistics, got NaN or infinity.")
    if skew > SYMMETRY * size:
        raise UserError("a covariance must be symmetric, and this one is not.")


def _float64(array: object) -> Array:
    return jnp.asarray(array, jnp.float64)


@jax.jit
def _skew(covariance: Array) -> tuple[Array, Array]:
    """The largest difference from its transpose, and the largest number; NaN spreads to both."""
    return jnp.abs(covariance - covariance.T).max(), jnp.abs(covariance).max()


_of_batch = jax.jit(of_batch)
_factor_features = jax.jit(factor_features, static_argnums=1)
_factor_covariance = jax.jit(factor_covariance)
_frechet_terms = jax.jit(frechet_terms)
