"""Mean and covariance of features, gathered batch by batch and merged without loss.

The state is (n, mean, m2), m2 being the sum of the outer products of centred features. Sums of squares are never
formed: for features whose mean is large against their spread they would lose all digits.
"""

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.types import Features, Matrix, Vector

Mask: TypeAlias = Bool[Array, " n"] | Bool[np.ndarray, " n"]
HIGHEST = jax.lax.Precision.HIGHEST


class GaussianStats(NamedTuple):
    """What is known after some images; a pytree of arrays, float64 where it was made within `double()`.

    Attributes:
        n: images so far, exact up to 2^31.
        mean: of their features.
        m2: sum over images of (x - mean)(x - mean)^T.
    """

    n: Int32[Array, ""]
    mean: Float[Array, " d"]
    m2: Float[Array, "d d"]


class Gaussian(NamedTuple):
    """A finished mean and covariance.

    Attributes:
        mean: of the features.
        covariance: divided by n - ddof.
        n: images that they are of; 0 where nobody knows.
    """

    mean: Vector
    covariance: Matrix
    n: int


def init(dim: int) -> GaussianStats:
    """Statistics of no image, for features of `dim` numbers."""
    return GaussianStats(n=jnp.zeros((), jnp.int32), mean=jnp.zeros(dim), m2=jnp.zeros((dim, dim)))


def of_batch(features: Features, mask: Mask | None = None) -> GaussianStats:
    """Statistics of one batch, in its own dtype, from products of centred features.

    Args:
        features: one row an image.
        mask: False for rows that only fill the batch up.
    """
    features = jnp.asarray(features)
    kept = jnp.ones(len(features), bool) if mask is None else jnp.asarray(mask)
    count = kept.sum(dtype=jnp.int32)
    weight = kept.astype(features.dtype)[:, None]
    mean = (features * weight).sum(0) / jnp.maximum(count, 1).astype(features.dtype)
    centred = (features - mean) * weight
    return GaussianStats(count, mean, jnp.matmul(centred.T, centred, precision=HIGHEST))


def merge_across(part: GaussianStats, axis_name: str) -> GaussianStats:
    """The statistics of all parts along a mapped axis: devices in `shard_map` and `pmap`, or an axis of `vmap`.

    Chan, Golub and LeVeque 1979, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", for any
    number of parts: m2 = sum_i m2_i + n_i (mean_i - mean)(mean_i - mean)^T.
    """
    total = jax.lax.psum(part.n, axis_name)
    number = part.n.astype(part.mean.dtype)
    mean = jax.lax.psum(part.mean * (number / jnp.maximum(total, 1).astype(number.dtype)), axis_name)
    shift = part.mean - mean
    m2 = jax.lax.psum(part.m2 + number * jnp.outer(shift, shift), axis_name)
    return GaussianStats(total, mean, m2)


def merge(a: GaussianStats, b: GaussianStats) -> GaussianStats:
    """The statistics of the images of both; associative and commutative, up to rounding."""
    both = jax.tree.map(lambda x, y: jnp.stack([x.astype(_wider(x, y)), y.astype(_wider(x, y))]), a, b)
    merged = jax.vmap(lambda part: merge_across(part, "parts"), axis_name="parts")(both)
    return jax.tree.map(lambda leaf: leaf[0], merged)


def update(stats: GaussianStats, features: Features, mask: Mask | None = None) -> GaussianStats:
    """The statistics with a batch more; arguments as for `of_batch`."""
    return merge(stats, of_batch(features, mask))


def finalize(stats: GaussianStats, ddof: int = 1) -> Gaussian:
    """Mean and covariance with divisor n - ddof.

    Raises:
        UserError: no more than `ddof` images.
    """
    n = int(stats.n)
    if n <= ddof:
        raise UserError(f"a covariance takes at least {ddof + 1} images, got {n}.")
    with double():
        m2 = np.asarray(stats.m2)
        return Gaussian(np.asarray(stats.mean), (m2 + m2.T) / (2 * (n - ddof)), n)


def gaussian(features: Features, ddof: int = 1) -> Gaussian:
    """Mean and covariance of features that are all in memory, in float64."""
    with double():
        return finalize(of_batch(jnp.asarray(features, jnp.float64)), ddof)


def _wider(x: Any, y: Any) -> Any:
    return jnp.promote_types(x.dtype, y.dtype)
