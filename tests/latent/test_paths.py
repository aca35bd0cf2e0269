"""Ways between vectors. Oracle: a circle and its closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.latent.paths import between, spherical


def on_circle(degrees, radius=1.0):
    """A point on a circle in a plane that lies askew in three dimensions."""
    plane = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 2)))[0]
    angle = np.radians(degrees)
    return jnp.asarray(radius * plane @ np.array([np.cos(angle), np.sin(angle)]), jnp.float32)


@pytest.mark.parametrize("degrees", [5.0, 90.0, 175.0])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_direction_turns_evenly_and_the_length_goes_evenly(degrees, share):
    found = spherical(on_circle(0, 2.0), on_circle(degrees, 3.0), jnp.float32(share))
    np.testing.assert_allclose(found, on_circle(share * degrees, 2.0 + share), atol=2e-5)


def test_vectors_of_one_length_keep_it():
    ends = jax.random.normal(jax.random.key(0), (2, 7, 64))
    a, b = ends / jnp.linalg.norm(ends, axis=-1, keepdims=True)
    for share in (0.25, 0.5):
        lengths = jnp.linalg.norm(spherical(a, b, jnp.full(7, share)), axis=-1)
        np.testing.assert_allclose(lengths, 1, atol=1e-6)
    assert jnp.linalg.norm((a + b) / 2, axis=-1).max() < 0.9  # of the straight line


@pytest.mark.parametrize("other", [[2.0, 4.0], [-2.0, -4.0], [1.0, 2.0], [0.0, 0.0]], ids=str)
def test_vectors_in_one_line_are_joined_by_it(other):
    a, b = jnp.array([1.0, 2.0]), jnp.array(other)
    np.testing.assert_allclose(spherical(a, b, jnp.float32(0.25)), 0.75 * a + 0.25 * b, atol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (3, 4)], ids=str)
def test_ways_begin_and_end_at_the_vectors_themselves(shape):
    ends = jax.random.normal(jax.random.key(1), (4, *shape))
    ways = between(ends, 6)
    assert ways.shape == (3, 6, *shape)
    np.testing.assert_array_equal(ways[:, 0], ends[:-1])
    np.testing.assert_array_equal(ways[:, -1], ends[1:])
    # of whole vectors, however they are shaped
    half = spherical(ends[0].ravel(), ends[1].ravel(), jnp.float32(0.4))
    np.testing.assert_allclose(ways[0, 2].ravel(), half, rtol=1e-6)
