"""Sums and means of arrays and pytrees by example, in float32 or better."""

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
    return total([exact(x).reshape(x.shape[0], -1).sum(-1) for x in arrays(tree)])


def example_means(tree: PyTree[Float[Array, "b ..."]]) -> Float[Array, " b"]:
    """For each example the mean over its positions in each array, then over arrays (scales)."""
    return jnp.stack([exact(x).reshape(x.shape[0], -1).mean(-1) for x in arrays(tree)]).mean(0)


def total(terms: list[Float[Array, "*s"]]) -> Float[Array, "*s"]:
    """The sum of arrays of one shape."""
    return jnp.stack(terms).sum(0)


def arrays(tree: PyTree[Float[Array, "..."]]) -> list[Array]:
    """The arrays of a pytree, of which there is at least one; a UserError if not."""
    leaves = jax.tree.leaves(tree)
    if not leaves:
        raise UserError(f"logits, images and features are an array or a pytree with at least one, got {tree!r}.")
    return leaves


def batch_mean(x: Float[Array, "b *s"], axis_name: str | None = None) -> Float[Array, "*s"]:
    """The mean over the examples of all devices.

    Under `shard_map` it is handed out as each device's own copy. The gradient of a loss made of nothing but such means
    would otherwise count as one device's share of the mean, and be too small by the number of devices.
    """
    local = exact(x).mean(0)
    return local if axis_name is None else lax.pcast(lax.pmean(local, axis_name), axis_name, to="varying")
