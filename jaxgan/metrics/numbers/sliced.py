"""The Monge Inception distance: optimal transport between features, seen along many directions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.blocks import map_rows, products
from jaxgan.metrics.numbers.checks import check_pair
from jaxgan.metrics.numbers.types import FakeFeatures, RealFeatures

Directions = Float[Array, "directions d"] | Float[np.ndarray, "directions d"]


def _equal_sizes(real: Array, fake: Array, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Both sets with as many rows as the smaller has; rows of the larger are drawn without replacement."""
    if len(real) > len(fake):
        return real[rng.permutation(len(real))[: len(fake)]], fake
    if len(fake) > len(real):
        return real, fake[rng.permutation(len(fake))[: len(real)]]
    return real, fake


def _unit_directions(count: int, d: int, rng: np.random.RandomState) -> np.ndarray:
    """Unit vectors [count, d], uniform on the sphere."""
    normal = rng.standard_normal((count, d))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


@functools.partial(jax.jit, static_argnames="block")
def _transport(real: Array, fake: Array, directions: Array, block: int | None) -> Array:
    """Mean over directions u of the squared distance W_2^2 between the projections on u."""

    def along(direction: Array) -> Array:
        return jnp.mean(jnp.square(jnp.sort(products(direction, real)) - jnp.sort(products(direction, fake))))

    return jnp.mean(map_rows(along, directions, len(real), block))


def mind(
    real: RealFeatures,
    fake: FakeFeatures,
    *,
    directions: int | Directions = 1000,
    seed: int = 2020,
    block: int | None = None,
) -> Float[Array, ""]:
    """MIND, Monge Inception distance: 3 d times the squared sliced 2-Wasserstein distance (2026, arXiv 2605.06797).

    3 d / (directions n) sum_u sum_i (sort(X u)_i - sort(Y u)_i)^2 over random unit vectors u. For Gaussians that differ
    by a shift it is 3 ||shift||^2; it needs fewer images than the Fréchet distance, but has a bias that shrinks with
    their number n too, so quote n.

    Args:
        real: features of images of the data.
        fake: features of generated images. Of the larger side as many images are drawn as the smaller has.
        directions: how many directions, or the unit vectors themselves.
        seed: of the draw of images and of the directions.
        block: directions at once, which changes memory and not the value.

    Returns:
        A number of at least 0, and 0 for a set and itself; lower is better. In the type of the features.

    Raises:
        UserError: there is no direction, or a side has fewer than 2 images.
    """
    check_pair(real, fake, "MIND")
    rng = np.random.RandomState(seed)
    real, fake = _equal_sizes(jnp.asarray(real), jnp.asarray(fake), rng)
    if isinstance(directions, int):
        if directions < 1:
            raise UserError(f"directions of MIND must be at least 1, got {directions}.")
        directions = _unit_directions(directions, real.shape[1], rng)
    return 3 * real.shape[1] * _transport(real, fake, jnp.asarray(directions, real.dtype), block)
