"""Noise that does not depend on how a batch is cut.

Every example of the global batch has a key of its own, made from (run, step, round, use, row). The same row therefore
sees the same noise on one device or on eight, under jit, pmap or shard_map, with or without gradient accumulation.
"""

from collections.abc import Callable
from enum import IntEnum, unique
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxgan.errors import UserError


@unique
class Stream(IntEnum):
    """What keys and seeds are folded with, so that each use of randomness has its own numbers; all above any step."""

    INIT = 0x696E6974
    """First parameters."""
    LABEL = 0x6C61626C
    """Noise of labels; the penalty has the example's own key."""
    PASS = 0x70617373
    """Noise within a network's passes, of which a loss has several."""
    STAGE = 0x73746167
    """A stage of a run after the first."""
    ROLLBACK = 0x726F6C6C
    """What follows after a run has gone back."""
    SAMPLE = 0x73616D70
    """Samples, apart from training."""
    MEASURE = 0x6A756467
    """Samples by which a state is chosen: it is not to be measured by the same."""
    GIVEN = 0x676976656E
    """The order in which rows are taken for measurements."""
    MIRROR = 0x6D697272
    """Which examples of a batch are mirrored."""
    HELD = 0x68656C64
    """Which rows are held out."""
    PART = 0x70617274
    """Which rows stand for all where only some are measured."""
    AUGMENT = 0x6175676D
    """How what a critic sees is changed."""


def check_key(key: Any) -> None:
    """Raise UserError for what is not one key, such as the number that it is made of."""
    if _rank(key) != 0:
        raise UserError(f"a key takes what jax.random.key(seed) makes, got {_told(key)}.")


def check_keys(keys: Any) -> None:
    """Raise UserError for what is not a row of keys, one for each example."""
    if _rank(keys) != 1:
        raise UserError(f"keys take one for each example, as jax.random.split(key, n) makes them, got {_told(keys)}.")


def _rank(key: Any) -> int | None:
    """Axes of an array of keys, typed or of the old kind (`uint32 [..., 2]`); None of anything else."""
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return jnp.ndim(key)
    return jnp.ndim(key) - 1 if dtype == jnp.uint32 and jnp.shape(key)[-1:] == (2,) else None


def _told(key: Any) -> str:
    rank = _rank(key)
    return repr(key) if rank is None else "one key" if rank == 0 else f"keys {list(jnp.shape(key))}"


def example_keys(key: Key[Array, ""], rows: Int[Array, " b"]) -> Key[Array, " b"]:
    """One key per example: `key` with each example's row in the global batch folded in."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, rows)


def global_rows(size: int, axis_name: str | None) -> Int[Array, " b"]:
    """Rows of the global batch that this view of it holds: all `size` of them, or this device's under `axis_name`."""
    rows = jnp.arange(size)
    return rows if axis_name is None else rows + jax.lax.axis_index(axis_name) * size


def draw(
    sampler: Callable[..., Array], rng: Key[Array, " b"], shape: tuple[int, ...], **options: object
) -> Array:  # [b, *shape]
    """`sampler(key, shape=shape, **options)` per example: `draw(jax.random.bernoulli, rng, (3,), p=0.2)`: `[b, 3]`."""
    check_keys(rng)
    return jax.vmap(lambda key: sampler(key, shape=shape, **options))(rng)


def normal(rng: Key[Array, " b"], shape: tuple[int, ...]) -> Float[Array, "b ..."]:
    """Standard normal noise `[b, *shape]`, one key per example."""
    return draw(jax.random.normal, rng, shape)
