"""Convolution with stride 1 by fewer products than pairs of inputs and weights: Winograd's minimal filtering.

Winograd 1980, "Arithmetic Complexity of Computations"; Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural
Networks" (arXiv:1509.09308). Along an axis, two neighbouring outputs of a filter with r taps need r + 1 products in
place of 2 r: of sums of inputs and sums of weights,

    sum over t of  D[t, i] K[t, j] Y[t, l]  =  1 where i = j + l, else 0        i <= r, j < r, l < 2

In two dimensions 9 products do the work of 16 (r = 2) and 16 that of 36 (r = 3). The form is linear in each of inputs,
weights and outputs, so that its two derivatives are the same products, with the roles exchanged. Each product is a
matrix product over channels. Rounding errors are those of a few more additions: 1e-6 in float32.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Matrix = tuple[tuple[int | float, ...], ...]
_ROWS, _COLUMNS = 1, 2  # axes of images


class Algorithm(NamedTuple):
    """Two outputs of a filter with r taps by r + 1 products; the matrices D, K and Y of the identity above."""

    inputs: Matrix
    weights: Matrix
    outputs: Matrix


ALGORITHMS = {
    2: Algorithm(
        inputs=((1, -1, 0), (0, 1, 0), (0, 1, -1)),
        weights=((1, 0), (1, 1), (0, 1)),
        outputs=((1, 0), (1, 1), (0, -1)),
    ),
    3: Algorithm(
        inputs=((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
        weights=((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
        outputs=((1, 0), (1, 1), (1, -1), (0, -1)),
    ),
}
"""By the number of taps."""


def share_of_products(taps: int) -> float:
    """Products that are left of the 4 taps^2 of each two by two outputs: 9 of 16, 16 of 36."""
    return ((taps + 1) / (2 * taps)) ** 2


def outputs(x: Float[Array, "b h w i"], k: Float[Array, "r r i o"]) -> Float[Array, "b m n o"]:
    """Correlation of x with k, nothing padded: m = h + 1 - r rows, columns likewise; both even."""
    form = ALGORITHMS[k.shape[0]]
    products = [jnp.dot(a, w) for a, w in zip(_tiled(form, x), _mixed(form, k), strict=True)]
    return _interleaved(form.outputs, products)


def inputs(y: Float[Array, "b m n o"], k: Float[Array, "r r i o"]) -> Float[Array, "b h w i"]:
    """Derivative of <y, outputs(x, k)> by x."""
    form = ALGORITHMS[k.shape[0]]
    products = [jnp.dot(a, w.T) for a, w in zip(_halved(form, y), _mixed(form, k), strict=True)]
    return _overlapped(form.inputs, [_overlapped(form.inputs, row, _COLUMNS) for row in _rows(products)], _ROWS)


def weights(x: Float[Array, "b h w i"], y: Float[Array, "b m n o"]) -> Float[Array, "r r i o"]:
    """Derivative of <y, outputs(x, k)> by k."""
    form = ALGORITHMS[x.shape[1] + 1 - y.shape[1]]
    pairs = zip(_tiled(form, x), _halved(form, y), strict=True)
    products = [jnp.dot(a.reshape(-1, a.shape[-1]).T, e.reshape(-1, e.shape[-1])) for a, e in pairs]
    mixing = _transposed(form.weights)
    return jnp.stack(_sums(mixing, [jnp.stack(_sums(mixing, row)) for row in _rows(products)]))


def _tiled(form: Algorithm, x: Array) -> list[Array]:
    """Sums of the inputs that each two by two outputs see, [b, m / 2, n / 2, i] each."""
    return [tile for rows in _seen(form, x, _ROWS) for tile in _seen(form, rows, _COLUMNS)]


def _seen(form: Algorithm, x: Array, axis: int) -> list[Array]:
    taps = len(form.inputs) - 1
    pairs = (x.shape[axis] + 1 - taps) // 2
    return _sums(form.inputs, [lax.slice_in_dim(x, j, j + 2 * pairs - 1, 2, axis) for j in range(taps + 1)])


def _mixed(form: Algorithm, k: Array) -> list[Array]:
    """Sums of weights, [i, o] each."""
    return [w for row in _sums(form.weights, list(k)) for w in _sums(form.weights, list(row))]


def _halved(form: Algorithm, y: Array) -> list[Array]:
    """Sums of each two by two outputs, [b, m / 2, n / 2, o] each."""

    def sums(y: Array, axis: int) -> list[Array]:
        return _sums(form.outputs, [lax.slice_in_dim(y, j, y.shape[axis] - 1 + j, 2, axis) for j in range(2)])

    return [half for rows in sums(y, _ROWS) for half in sums(rows, _COLUMNS)]


def _interleaved(outputs: Matrix, products: Sequence[Array]) -> Array:
    """Each two by two outputs from their products, laid out."""
    (b, m, w, o), mixing = products[0].shape, _transposed(outputs)
    across = [jnp.stack(_sums(mixing, row), 3) for row in _rows(products)]
    return jnp.stack(_sums(mixing, across), 2).reshape(b, 2 * m, 2 * w, o)


def _overlapped(inputs: Matrix, products: Sequence[Array], axis: int) -> Array:
    """What the products of all tiles give to the inputs along an axis; neighbouring tiles share r - 1 of them."""
    given = _sums(_transposed(inputs), products)  # to input j of each tile, which is input 2 tile + j of all
    pairs, length = given[0].shape[axis], 2 * given[0].shape[axis] + len(given) - 2

    def shifted(part: Array, by: int) -> Array:
        return jnp.pad(part, [(by, 1 - by) if each == axis else (0, 0) for each in range(part.ndim)])

    ends = [
        sum((shifted(part, by) for by, part in enumerate(given[j + 2 :: 2], 1)), shifted(given[j], 0)) for j in (0, 1)
    ]
    shape = [2 * (pairs + 1) if each == axis else size for each, size in enumerate(given[0].shape)]
    return lax.slice_in_dim(jnp.stack(ends, axis + 1).reshape(shape), 0, length, 1, axis)


def _rows(products: Sequence[Array]) -> list[Sequence[Array]]:
    """The n n products of two dimensions, n in a row."""
    n = math.isqrt(len(products))
    return [products[start : start + n] for start in range(0, n * n, n)]


def _sums(matrix: Matrix, parts: Sequence[Array]) -> list[Array]:
    """The matrix times the column of parts."""
    return [_sum([(factor, part) for factor, part in zip(row, parts, strict=True) if factor]) for row in matrix]


def _sum(terms: Sequence[tuple[int | float, Array]]) -> Array:
    (factor, total), *others = terms
    total = total if factor == 1 else factor * total
    for factor, part in others:
        total = total + part if factor == 1 else total - part if factor == -1 else total + factor * part
    return total


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))
