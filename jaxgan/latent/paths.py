"""Paths between latent vectors."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_IN_LINE = 1e-3  # sine of the angle below which two vectors count as lying in one line


def spherical(a: Float[Array, "... z"], b: Float[Array, "... z"], share: Float[Array, "..."]) -> Float[Array, "... z"]:
    """Returns the vectors on the way from a to b (Shoemake 1985, "Animating rotation with quaternion curves").

    The direction turns evenly from that of a to that of b, in their plane, while the length goes evenly from one length
    to the other. In many dimensions a normal distribution lies near a sphere, whose inside the straight line crosses.
    Vectors in one line are joined by it. The ends are a and b bit for bit.

    Args:
        a: where the way begins.
        b: where it ends.
        share: of the way that is behind, in [0, 1].
    """
    t = share[..., None]
    from_a, from_b = jnp.linalg.norm(a, axis=-1, keepdims=True), jnp.linalg.norm(b, axis=-1, keepdims=True)
    some_a, some_b = jnp.where(from_a > 0, from_a, 1), jnp.where(from_b > 0, from_b, 1)
    # exact near 0 and pi too, where a cosine says nothing of its angle
    apart = jnp.linalg.norm(a / some_a - b / some_b, axis=-1, keepdims=True)
    together = jnp.linalg.norm(a / some_a + b / some_b, axis=-1, keepdims=True)
    angle = 2 * jnp.arctan2(apart, together)
    line = (jnp.sin(angle) < _IN_LINE) | (from_a == 0) | (from_b == 0)
    sine = jnp.where(line, 1, jnp.sin(angle))
    length = (1 - t) * from_a + t * from_b
    of_a = jnp.where(line, 1 - t, jnp.sin((1 - t) * angle) / sine * (length / some_a))
    of_b = jnp.where(line, t, jnp.sin(t * angle) / sine * (length / some_b))
    way = of_a * a + of_b * b
    return jnp.where(t == 0, a, jnp.where(t == 1, b, way))


def between(
    ends: Float[Array, "stops *z"] | Float[np.ndarray, "stops *z"], steps: int
) -> Float[Array, "ways {steps} *z"]:
    """Returns the spherical ways from each vector to the next one, of `steps` vectors, both ends among them."""
    shares = jnp.linspace(0.0, 1.0, steps)
    flat = jnp.asarray(ends).reshape(len(ends), 1, -1)
    ways = spherical(flat[:-1], flat[1:], jnp.broadcast_to(shares, (len(ends) - 1, steps)))
    return ways.reshape(len(ends) - 1, steps, *ends.shape[1:])
