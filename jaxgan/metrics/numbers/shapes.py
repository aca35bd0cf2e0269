"""Sets of voxel shapes compared: by nearest neighbours, by matching, by where voxels are full.

Shapes are boolean, [n, d, h, w]: a network's occupancies p go through `occupied` first. Distances are those of all
pairs: the Hamming distance, a number of voxels, or 1 - intersection over union. Both follow from the product of two
flattened shapes, |a| + |b| - 2 a.b and 1 - a.b / (|a| + |b| - a.b), so that all pairs are matrix products, made a block
at a time. In float32 the counts are whole numbers and exact up to 256^3 voxels: equal distances are equal, whichever
set comes first. Memory holds each set as float32: 2,000 shapes of 32^3 voxels are 250 MiB.

The numbers depend on how many shapes there are: compare only those of equally many.
"""

from typing import Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.blocks import Partners, Row, map_rows, products

Shapes: TypeAlias = Bool[Array, "n d h w"] | Bool[np.ndarray, "n d h w"]
RealShapes: TypeAlias = Bool[Array, "real d h w"] | Bool[np.ndarray, "real d h w"]
FakeShapes: TypeAlias = Bool[Array, "fake d h w"] | Bool[np.ndarray, "fake d h w"]
Occupancies: TypeAlias = Float[Array, "n d h w"] | Float[np.ndarray, "n d h w"]
"""How full each voxel is, in [0, 1]."""
Distance: TypeAlias = Literal["hamming", "iou"]
"""Voxels that differ; or 1 - intersection over union, where two empty shapes are at 0."""


class OneNearest(NamedTuple):
    """Accuracy of the classifier that gives each shape the side of its nearest neighbour among all others.

    Both halves are 1 for sets that are told apart, and near 0.5 for two draws of one distribution. The mean alone
    hides much: fakes that copy reals have a low half of the reals, and fakes far off a high half of their own.

    Attributes:
        real: share of reals whose nearest neighbour is real.
        fake: share of fakes whose nearest neighbour is fake.
    """

    real: Float[Array, ""]
    fake: Float[Array, ""]

    @property
    def mean(self) -> Float[Array, ""]:
        """Of both halves: the accuracy for sets of one size."""
        return (self.real + self.fake) / 2


class Matching(NamedTuple):
    """How well fakes stand for the reals.

    Attributes:
        coverage: share of reals that are the nearest real of some fake, in [0, 1], higher is better.
        distance: from a real to its nearest fake, on average (minimum matching distance), lower is better.
    """

    coverage: Float[Array, ""]
    distance: Float[Array, ""]


class _Rows(NamedTuple):
    """Flattened shapes, how many voxels each fills, and where it stands."""

    cells: Float[Array, "m cells"]
    size: Float[Array, "m"]
    place: Int[Array, "m"]


def occupied(occupancy: Occupancies, level: float = 0.5) -> Bool[Array, "n d h w"]:
    """Where voxels are fuller than `level`."""
    return jnp.asarray(occupancy) > level


def one_nearest(
    real: RealShapes, fake: FakeShapes, distance: Distance = "hamming", block: int | None = None
) -> OneNearest:
    """1-nearest-neighbour accuracy, of each half (Lopez-Paz and Oquab 2017, arXiv:1610.06545).

    Yang et al. 2019 (PointFlow, arXiv:1906.12320) brought it to shapes.
    A shape whose nearest of either side are equally far counts one half, so that duplicates favour no side.

    Args:
        real: shapes of the data that were held out.
        fake: as many generated shapes.
        distance: between two shapes.
        block: shapes at once; changes memory and speed only.

    Raises:
        UserError: fewer than 2 shapes on a side.
    """
    _check(real, fake, 2)
    reals, fakes = _rows(real), _rows(fake)
    return OneNearest(_own_side(reals, fakes, distance, block), _own_side(fakes, reals, distance, block))


def matching(real: RealShapes, fake: FakeShapes, distance: Distance = "hamming", block: int | None = None) -> Matching:
    """Coverage and minimum matching distance (Achlioptas et al. 2018, arXiv:1707.02392).

    Reals that are equally near to a fake are all covered by it, so that duplicates among the reals do no harm.

    Args:
        real: shapes of the data that were held out.
        fake: generated shapes.
        distance: between two shapes; the unit of the result.
        block: shapes at once; changes memory and speed only.

    Raises:
        UserError: no shape on a side.
    """
    _check(real, fake, 1)
    reals, fakes = _rows(real), _rows(fake)
    reach = map_rows(lambda row: jnp.min(_distances(row, reals, distance)), fakes, len(real), block)

    def match(row: _Rows) -> tuple[Array, Array]:
        away = _distances(row, fakes, distance)
        return jnp.any(away == reach), jnp.min(away)

    covered, nearest = map_rows(match, reals, len(fake), block)
    return Matching(jnp.mean(covered, dtype=jnp.float32), jnp.mean(nearest))


def distinct(shapes: Shapes, block: int | None = None) -> Int[Array, ""]:
    """How many different shapes there are.

    Args:
        shapes: any number of them.
        block: shapes at once; changes memory and speed only.
    """
    rows = _rows(shapes)

    def new(row: _Rows) -> Array:
        return ~jnp.any((_distances(row, rows, "hamming") == 0) & (rows.place < row.place))

    return jnp.sum(map_rows(new, rows, len(shapes), block), dtype=jnp.int32)


def undecided(occupancy: Occupancies, low: float = 0.2, high: float = 0.8) -> Float[Array, ""]:
    """Share of voxels that are neither empty nor full: low < p < high. Data have none; blur does."""
    p = jnp.asarray(occupancy)
    return jnp.mean((low < p) & (p < high), dtype=jnp.float32)


def divergence(
    real: Float[Array, "real d h w"] | Float[np.ndarray, "real d h w"],
    fake: Float[Array, "fake d h w"] | Float[np.ndarray, "fake d h w"],
) -> Float[Array, ""]:
    """Jensen-Shannon divergence of the mean occupancies, in bits: 0 for equal ones, 1 for disjoint ones.

    Each mean is taken as a distribution over the grid's voxels (Achlioptas et al. 2018): it says where
    matter is, and neither how much of it nor in which shapes. A set without any matter is at NaN.

    Args:
        real: how full the data's voxels are, in [0, 1].
        fake: the same of generated shapes.

    Raises:
        UserError: no shape on a side.
    """
    _check(real, fake, 1)
    p, q = (mean / jnp.sum(mean) for mean in (jnp.mean(real, axis=0), jnp.mean(fake, axis=0)))
    middle = (p + q) / 2
    return (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2


def _relative_entropy(p: Float[Array, "d h w"], q: Float[Array, "d h w"]) -> Float[Array, ""]:
    """In bits; q is positive where p is."""
    return jnp.sum(jnp.where(p == 0, 0, p * jnp.log2(jnp.where(p == 0, 1, p) / jnp.where(p == 0, 1, q))))


def _own_side(own: _Rows, other: _Rows, distance: Distance, block: int | None) -> Float[Array, ""]:
    """Share of rows whose nearest neighbour is on their own side."""

    def score(row: _Rows) -> Array:
        away = _distances(row, own, distance)
        near = jnp.min(jnp.where(own.place == row.place, jnp.inf, away))
        far = jnp.min(_distances(row, other, distance))
        return jnp.where(near == far, 0.5, near < far)

    return jnp.mean(map_rows(score, own, max(len(own.size), len(other.size)), block))


def _distances(row: _Rows, others: _Rows, distance: Distance) -> Partners:
    """From one shape to each of the others."""
    cells: Row = row.cells
    common = products(cells, others.cells)
    if distance == "hamming":
        return row.size + others.size - 2 * common
    union = row.size + others.size - common
    return jnp.where(union == 0, 0, 1 - common / jnp.maximum(union, 1))


def _rows(shapes: Shapes) -> _Rows:
    cells = jnp.asarray(shapes, jnp.float32).reshape(len(shapes), -1)
    return _Rows(cells, jnp.sum(cells, axis=1), jnp.arange(len(shapes)))


def _check(real: jax.Array | np.ndarray, fake: jax.Array | np.ndarray, least: int) -> None:
    if min(len(real), len(fake)) < least:
        raise UserError(f"shapes are compared with at least {least} a side, got {len(real)} real, {len(fake)} fake.")
