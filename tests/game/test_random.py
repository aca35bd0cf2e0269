"""Noise belongs to an example, not to the way a batch is cut."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.game import draw, normal
from jaxgan.game.random import example_keys, global_rows

KEY = jax.random.key(3)


def test_a_row_has_the_same_noise_in_any_part_of_the_batch():
    whole = normal(example_keys(KEY, jnp.arange(8)), (5,))
    part = normal(example_keys(KEY, jnp.array([6, 1])), (5,))
    np.testing.assert_array_equal(part, whole[jnp.array([6, 1])])
    assert len(np.unique(whole)) == whole.size


def test_rows_of_devices_continue_each_other():
    rows = jax.vmap(lambda _: global_rows(4, "data"), axis_name="data")(jnp.arange(3))
    np.testing.assert_array_equal(rows.ravel(), np.arange(12))


def test_normal_noise_is_standard_normal_across_examples():
    """Oracle: mean and variance of 20,000 draws, five standard errors."""
    noise = normal(example_keys(KEY, jnp.arange(5000)), (4,))
    assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
    assert abs(noise.var() - 1) < 5 * np.sqrt(2 / noise.size)


def test_draw_passes_options_on():
    x = draw(jax.random.uniform, example_keys(KEY, jnp.arange(100)), (3,), minval=2.0, maxval=3.0)
    assert x.shape == (100, 3)
    assert 2 <= x.min() < x.max() <= 3
    flips = draw(jax.random.bernoulli, example_keys(KEY, jnp.arange(1000)), (), p=0.2)
    assert flips.shape == (1000,)
    assert 0.1 < flips.mean() < 0.3
