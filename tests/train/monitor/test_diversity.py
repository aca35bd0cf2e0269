"""How different images are. Oracles: closed forms, NumPy in float64, and birthdays drawn at random."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.train.monitor import diversity


def images(n=6, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 5, 4, 3)).astype(np.float32)


def test_distances_are_those_of_numpy():
    x = images().astype(np.float64)
    expected = np.sqrt(((x[:, None] - x[None]) ** 2).mean(axis=(2, 3, 4)))
    found = diversity.pairwise(jnp.asarray(images()))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(diversity.mean_distance(found), expected[np.triu_indices(6, 1)].mean(), rtol=1e-5)
    np.testing.assert_allclose(diversity.nearest(found), (expected + 9 * np.eye(6)).min(axis=1), rtol=1e-5)


def test_black_and_white_are_two_apart_at_every_size():
    for size in (1, 8):
        x = jnp.stack([jnp.full((size, size, 1), value) for value in (-1.0, 1.0)])
        np.testing.assert_allclose(diversity.pairwise(x), [[0, 2], [2, 0]], rtol=1e-6)


def test_small_differences_of_bright_images_are_not_lost():
    # Without centring, the float32 products of these cancel to errors of about 3e-4.
    x = jnp.full((2, 8, 8, 1), 0.9).at[1, 0, 0, 0].add(1e-3)
    np.testing.assert_allclose(diversity.pairwise(x)[0, 1], 1e-3 / 8, rtol=1e-2)


def test_equal_images_have_no_distance():
    found = diversity.pairwise(jnp.asarray(np.repeat(images(1), 4, axis=0)))
    assert diversity.mean_distance(found) == 0
    assert diversity.near_duplicates(found, 1e-6) == 6
    assert diversity.repeated(found, 1e-6) == 4


def test_near_duplicates_are_pairs_and_repeated_ones_are_images():
    x = images(5)
    x[3], x[4] = x[0], x[0] + 0.01  # three alike make three pairs
    found = diversity.pairwise(jnp.asarray(x))
    assert diversity.near_duplicates(found, 0.02) == 3
    assert diversity.repeated(found, 0.02) == 3
    assert diversity.near_duplicates(found, 0.0) == 0  # what is no closer than nothing is no duplicate


def test_one_image_is_not_different_from_anything():
    found = diversity.pairwise(jnp.asarray(images(1)))
    assert diversity.mean_distance(found) == 0
    assert diversity.near_duplicates(found, 1.0) == 0


def test_the_support_of_birthdays():
    rng = np.random.default_rng(0)
    pairs = 0
    for _ in range(400):
        counts = np.bincount(rng.integers(0, 365, 64), minlength=365)
        pairs += int((counts * (counts - 1) // 2).sum())
    assert diversity.support(64, 1) == 2016
    assert diversity.support(64, 0) is None
    assert 400 * diversity.support(64, pairs) == pytest.approx(365, rel=0.05)
    # Arora and Zhang: 23 people share a birthday half of the time, and 23^2 is of the order of 365.
    assert 365 / 2 < 23**2 < 2 * 365
