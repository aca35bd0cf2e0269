"""Sums and means of arrays and pytrees by example, in float32 or better."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from jaxgan.errors import UserError


def exact(x: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """The array as float32, or in its own dtype where that is wider."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def example_sums(tree: PyTree[Float[Array, "b ..."]]) -> Float[Array, " b"]:
    """For each example the sum of all its numbers, in all arrays of the pytree."""
    return total([exact(x).reshape(x.shape[0], -1).sum(-1) for x in jax.tree.leaves(tree)])


def example_means(tree: PyTree[Float[Array, "b ..."]]) -> Float[Array, " b"]:
    """For each example the mean over its positions in each array, then over arrays (scales)."""
    return jnp.stack([exact(x).reshape(x.shape[0], -1).mean(-1) for x in jax.tree.leaves(tree)]).mean(0)


def total(arrays: list[Float[Array, "*s"]]) -> Float[Array, "*s"]:
    """The sum of arrays of one shape."""
    return jnp.stack(arrays).sum(0)


def batch_mean(x: Float[Array, "b *s"], axis_name: str | None = None) -> Float[Array, "*s"]:
    """The mean over the examples of all devices.

    Under `shard_map` it is handed out as each device's own copy. The gradient of a loss made of nothing but such means
    would otherwise count as one device's share of the mean, and be too small by the number of devices.
    """
    local = exact(x).mean(0)
    return local if axis_name is None else lax.pcast(lax.pmean(local, axis_name), axis_name, to="varying")


def check_at_least_zero(name: str, value: Any) -> None:
    """Raise a UserError for a number below 0; a traced one cannot be looked at."""
    if isinstance(value, int | float) and not value >= 0:
        raise UserError(f"{name} must be at least 0, got {value}.")


def check_decay(decay: float) -> None:
    """Raise a UserError for a decay of a moving average outside [0, 1)."""
    if not 0 <= decay < 1:
        raise UserError(f"decay must be at least 0 and below 1, got {decay}.")


def check_same_shape(names: str, a: Array, b: Array) -> None:
    """Raise a UserError where two arrays that are compared element by element differ in shape."""
    if a.shape != b.shape:
        raise UserError(f"{names} must have the same shape, got {a.shape} and {b.shape}.")
