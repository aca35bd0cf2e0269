"""How different examples are from each other: mean distance, near-duplicates, and how many there are to draw.

All functions are pure and compute in float32. Distances are root mean squares over all values of an example, so that
they do not depend on its size: 0 for equal images, 2 for a black and a white one.
"""

import chex
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Real


@jax.jit
def pairwise(examples: Real[Array, "n *s"]) -> Float[Array, "n n"]:
    """Distances of all pairs of examples as networks see them: sqrt(mean((a - b)^2)).

    They are centred first: those that resemble each other then have small norms, and the products from which
    distances come cancel no digits.
    """
    flat = examples.reshape(len(examples), -1).astype(jnp.float32)
    flat = flat - flat.mean(axis=0)
    products = jnp.matmul(flat, flat.T, precision="highest") / flat.shape[1]
    squares = jnp.diagonal(products)
    distances = jnp.sqrt(jnp.maximum(squares[:, None] + squares[None, :] - 2 * products, 0))
    return jnp.where(_off_diagonal(len(examples)), distances, 0)


def mean_distance(distances: Float[Array, "n n"]) -> Float[Array, ""]:
    """Mean over the n (n - 1) / 2 pairs; 0 for a single image."""
    chex.assert_rank(distances, 2)
    n = len(distances)
    return distances.sum() / max(n * (n - 1), 1)


def nearest(distances: Float[Array, "n n"]) -> Float[Array, " n"]:
    """From each image to the one that is most like it."""
    chex.assert_rank(distances, 2)
    return jnp.where(_off_diagonal(len(distances)), distances, jnp.inf).min(axis=1)


def near_duplicates(distances: Float[Array, "n n"], below: float | Float[Array, ""]) -> Int[Array, ""]:
    """Pairs that are closer than `below`."""
    chex.assert_rank(distances, 2)
    return jnp.sum((distances < below) & jnp.triu(_off_diagonal(len(distances))))


def repeated(distances: Float[Array, "n n"], below: float | Float[Array, ""]) -> Int[Array, ""]:
    """Images that have another one closer than `below`."""
    return jnp.sum(nearest(distances) < below)


def support(n: int, pairs: int) -> float | None:
    """How many images a generator draws from, if n draws hold `pairs` pairs of equal ones; None where they hold none.

    Of S equally likely images, n draws hold n (n - 1) / (2 S) equal pairs on average. This is the birthday paradox by
    which Arora and Zhang (2017, arXiv:1706.08224, section 1.1) estimate supports: a batch of s images that has a
    duplicate half of the time comes from a support of about s^2 images. Images that are likelier than others make the
    estimate smaller than the support.
    """
    return n * (n - 1) / (2 * pairs) if pairs else None


def _off_diagonal(n: int) -> Bool[Array, "n n"]:
    return ~jnp.eye(n, dtype=bool)
