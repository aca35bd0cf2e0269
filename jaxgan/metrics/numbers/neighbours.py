r"""Nearest neighbours: precision and recall, density and coverage, authenticity, and the images that a fake resembles.

Every ball is around a point of one set and reaches to that point's k-th nearest neighbour among *the others* of its
set: the point itself is left out by its index, never as "the smallest distance", so that equal images count as
neighbours.

All pairs are looked at (no approximate search) and never in memory all at once. Distances are compared squared, as
||x||^2 + ||y||^2 - 2 x.y after both sets were moved by the mean of the reals, with products in the full precision of
the type: matrix products, many times faster than differences, and wrong by at most a few epsilons of the squared norms
(measured: root mean square 0.5, at most 10). A distance closer than that to a radius counts as equal to it, so that
copies and whole numbers, where distances do equal radii, are counted right, in float32 too. What else it can change is
one pair in a million: the golden values are met in float32 to the last image, which is therefore the usual type, and
`jaxgan.metrics.numbers.double` with float64 features is there for more. The distances that `nearest` and
`authenticity` give and compare are computed again from differences: a copy is at distance 0 exactly.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.blocks import centred, map_rows, squared_distances, squared_norms
from jaxgan.metrics.numbers.checks import check_pair, check_rows
from jaxgan.metrics.numbers.types import FakeFeatures, RealFeatures

TIE = 16
"""Epsilons of the squared norms within which a squared distance equals a squared radius."""


class PrecisionRecall(NamedTuple):
    """Improved precision and recall, each in [0, 1], higher is better.

    Attributes:
        precision: share of fakes that lie in a ball of the reals: are fakes realistic?
        recall: share of reals that lie in a ball of the fakes: is all of the data made?
    """

    precision: Float[Array, ""]
    recall: Float[Array, ""]

    @property
    def f1(self) -> Float[Array, ""]:
        """Harmonic mean of both, 0 where both are."""
        return 2 * self.precision * self.recall / jnp.maximum(self.precision + self.recall, 1e-5)


class DensityCoverage(NamedTuple):
    """Density and coverage, higher is better.

    Attributes:
        density: balls of the reals that a fake lies in, on average, over k: 1 where the distributions agree, and more
            where fakes gather where reals are dense.
        coverage: share of reals whose ball holds a fake, in [0, 1].
    """

    density: Float[Array, ""]
    coverage: Float[Array, ""]


class Nearest(NamedTuple):
    """The nearest real images of each fake, nearest first.

    Attributes:
        indices: rows of the real features.
        distances: Euclidean, from differences: 0 exactly for a copy.
    """

    indices: Int[Array, "fake k"]
    distances: Float[Array, "fake k"]


def _check(real: RealFeatures, fake: FakeFeatures, k: int, what: str) -> None:
    if k < 1:
        raise UserError(f"k of {what} must be at least 1, got {k}.")
    check_pair(real, fake, f"{what} with k = {k}", least=k + 1)


def _neighbours(
    points: Array, others: Array, own: Int[Array, " n"] | None, k: int, block: int | None
) -> tuple[Array, Array]:
    """Squared distances and rows [n, k] of the k nearest others, nearest first; row own[i] not counted for point i."""
    norms, columns = squared_norms(others), jnp.arange(len(others))

    def of_row(args: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        row, norm, mine = args
        distances = jnp.where(columns == mine, jnp.inf, squared_distances(row, norm, others, norms))
        negative, rows = jax.lax.top_k(-distances, k)
        return -negative, rows

    mine = jnp.full(len(points), -1) if own is None else own
    return map_rows(of_row, (points, squared_norms(points), mine), len(others), block)


def _radii(points: Array, k: int, block: int | None) -> Array:
    """Squared distance of each point to its k-th nearest neighbour among the other points."""
    return _neighbours(points, points, jnp.arange(len(points)), k, block)[0][:, -1]


def _ratio(count: Array, total: int, like: Array) -> Array:
    """The share count / total, rounded once, in the type of `like`: all of all is 1 exactly.

    XLA multiplies with 1 / total instead where it knows the total.
    """
    return count.astype(like.dtype) / jax.lax.optimization_barrier(jnp.asarray(total, like.dtype))


def _inside(row: Array, norm: Array, others: Array, norms: Array, radii: Array, closed: bool) -> Array:
    """Whether each of the others is within a radius of the row: its own (as many radii), or the row's (one)."""
    distances = squared_distances(row, norm, others, norms)
    tie = TIE * jnp.finfo(row.dtype).eps * (norm + norms)
    return distances <= radii + tie if closed else distances < radii - tie


def _balls(points: Array, centres: Array, radii: Array, closed: bool, block: int | None) -> Array:
    """In how many balls around the centres each point lies, with the boundary or without."""
    norms = squared_norms(centres)

    def of_point(args: tuple[Array, Array]) -> Array:
        return jnp.sum(_inside(*args, centres, norms, radii, closed))

    return map_rows(of_point, (points, squared_norms(points)), len(centres), block)


def _reached(centres: Array, radii: Array, points: Array, block: int | None) -> Array:
    """Whether the open ball around each centre holds a point."""
    norms = squared_norms(points)

    def of_centre(args: tuple[Array, Array, Array]) -> Array:
        row, norm, radius = args
        return jnp.any(_inside(row, norm, points, norms, radius, False))

    return map_rows(of_centre, (centres, squared_norms(centres), radii), len(points), block)


@functools.partial(jax.jit, static_argnames=("k", "block"))
def precision_recall(
    real: RealFeatures, fake: FakeFeatures, *, k: int = 3, block: int | None = None
) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991, equations 1 and 2).

    precision = mean_j 1[exists i: ||y_j - x_i|| <= r_k(x_i)] over fakes y, with r_k(x_i) the distance of the real x_i
    to its k-th nearest other real; recall is the same with the sides exchanged. The paper uses VGG-16's second fully
    connected layer; torch-fidelity and ADM use Inception: numbers of other extractors do not compare.

    Args:
        real: features of images of the data.
        fake: features of generated images; the paper takes 50,000 of each, and more real images make precision higher.
        k: which neighbour a ball reaches to.
        block: rows at once, which changes memory and not the value.

    Returns:
        Both, and their harmonic mean as `f1`.

    Raises:
        UserError: k is below 1, or a side has k images or fewer.
    """
    _check(real, fake, k, "precision and recall")
    real, fake = centred(real, fake)
    precision = _balls(fake, real, _radii(real, k, block), True, block) > 0
    recall = _balls(real, fake, _radii(fake, k, block), True, block) > 0
    return PrecisionRecall(_ratio(jnp.sum(precision), len(fake), real), _ratio(jnp.sum(recall), len(real), real))


@functools.partial(jax.jit, static_argnames=("k", "block"))
def density_coverage(
    real: RealFeatures, fake: FakeFeatures, *, k: int = 5, block: int | None = None
) -> DensityCoverage:
    """Density and coverage (Naeem et al. 2020, arXiv 2002.09797, section 3).

    density = 1 / (k M) sum_j sum_i 1[||y_j - x_i|| < r_k(x_i)] and coverage = 1/N sum_i 1[exists j: ||y_j - x_i|| <
    r_k(x_i)] over N reals x and M fakes y: balls around reals only, so that an outlier among the fakes harms nothing.
    For equal distributions E[coverage] = 1 - prod_{j < k} (N - 1 - j) / (N - 1 + M - j), about 1 - 2^-k where N = M.

    Args:
        real: features of images of the data.
        fake: features of generated images.
        k: which neighbour a ball reaches to.
        block: rows at once, which changes memory and not the value.

    Returns:
        Both.

    Raises:
        UserError: k is below 1, or a side has k images or fewer.
    """
    _check(real, fake, k, "density and coverage")
    real, fake = centred(real, fake)
    radii = _radii(real, k, block)
    density = jnp.mean(_balls(fake, real, radii, False, block), dtype=real.dtype) / k
    return DensityCoverage(density, _ratio(jnp.sum(_reached(real, radii, fake, block)), len(real), real))


def _exact(points: Array, others: Array, rows: Array) -> Array:
    """Distances [n, k] of points to the named rows of the others, from differences."""
    return jnp.stack([jnp.linalg.norm(points - others[column], axis=1) for column in rows.T], axis=1)


@functools.partial(jax.jit, static_argnames=("k", "block"))
def nearest(real: RealFeatures, fake: FakeFeatures, *, k: int = 1, block: int | None = None) -> Nearest:
    """The k real images nearest to each fake, for grids that show what was learnt by heart.

    Args:
        real: features of the *training* images.
        fake: features of generated images.
        k: how many.
        block: rows at once, which changes memory and not the value.

    Returns:
        Rows of `real` and distances, nearest first.

    Raises:
        UserError: k is below 1 or above the number of real images.
    """
    check_rows(fake, "The search for the nearest images", 1)
    if not 1 <= k <= len(real):
        raise UserError(f"k of the nearest images must be between 1 and the {len(real)} real images, got {k}.")
    real, fake = centred(real, fake)
    rows = _neighbours(fake, real, None, k, block)[1]
    distances = _exact(fake, real, rows)
    order = jnp.argsort(distances, axis=1)
    return Nearest(jnp.take_along_axis(rows, order, axis=1), jnp.take_along_axis(distances, order, axis=1))


@functools.partial(jax.jit, static_argnames="block")
def authenticity(real: RealFeatures, fake: FakeFeatures, *, block: int | None = None) -> Float[Array, ""]:
    """AuthPct: per cent of fakes that are no copies (Alaa et al. 2022, arXiv 2102.08921).

    A fake is authentic where it is farther from its nearest training image than that image is from its own nearest
    neighbour in the training set. Copies score 0, and so does what is far closer to one image than the data are to each
    other; fakes unlike anything score 100, so read it next to precision. Independent draws from the data's distribution
    score what the dimension makes of them (normal data: 31 in one dimension, 84 in 64): compare with held-out images.

    Args:
        real: features of the *training* images.
        fake: features of generated images.
        block: rows at once, which changes memory and not the value.

    Returns:
        From 0 to 100, higher is better.

    Raises:
        UserError: fewer than 2 training images, or no fake.
    """
    check_rows(real, "AuthPct", 2)
    check_rows(fake, "AuthPct", 1)
    found = nearest(real, fake, k=1, block=block)
    own = found.indices[:, 0]
    real = centred(real, fake)[0]
    others = _neighbours(real[own], real, own, 1, block)[1]
    authentic = _exact(real[own], real, others)[:, 0] < found.distances[:, 0]
    return _ratio(100 * jnp.sum(authentic), len(fake), real)
