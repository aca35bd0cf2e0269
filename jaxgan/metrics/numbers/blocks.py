"""All pairs of two large sets of rows, a few rows at a time, so that never all pairs are in memory at once."""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.metrics.numbers.types import FakeFeatures, Features, RealFeatures

Row: TypeAlias = Float[Array, " d"]
Partners: TypeAlias = Float[Array, " m"]
"""One number for each row of the other set."""

PAIRS = 2**24
"""How many pairs are in memory at once: 64 MiB of float32."""


def map_rows(function: Callable[[Any], Any], rows: Any, partners: int, block: int | None = None) -> Any:
    """Apply a function of one row to all rows, a block at a time; the block changes memory and speed only.

    Args:
        function: takes one row of each array of `rows`, may make arrays as long as `partners`.
        rows: pytree of arrays whose first axes agree.
        partners: how many rows the other set has.
        block: rows at once; None: as many as keep `PAIRS` pairs in memory.

    Returns:
        The results, stacked along a first axis.
    """
    n = jax.tree.leaves(rows)[0].shape[0]
    return jax.lax.map(function, rows, batch_size=min(n, block or max(1, PAIRS // partners)))


def products(row: Row, others: Float[Array, "m d"]) -> Partners:
    """Inner products of one row with each row of the other set, in the full precision of the type on all devices."""
    return jnp.matmul(others, row, precision=jax.lax.Precision.HIGHEST)


def centred(real: RealFeatures, fake: FakeFeatures) -> tuple[Float[Array, "real d"], Float[Array, "fake d"]]:
    """Both sets less the mean of the real one: distances stay, and lose no digits to features that are all positive."""
    origin = jnp.mean(real, axis=0)
    return jnp.asarray(real) - origin, jnp.asarray(fake) - origin


def squared_norms(rows: Features) -> Float[Array, " n"]:
    """||x||^2 of each row."""
    return jnp.sum(jnp.square(rows), axis=1)


def squared_distances(
    row: Row, norm: Float[Array, ""], others: Float[Array, "m d"], norms: Float[Array, " m"]
) -> Partners:
    """||x - y||^2 = ||x||^2 + ||y||^2 - 2 x.y of one row to each of the others; never negative, zero only nearly so.

    The error is a few times the type's epsilon of ||x||^2 + ||y||^2: centre first, and leave out a row's pair with
    itself by index.
    """
    return jnp.maximum(norm + norms - 2 * products(row, others), 0)
