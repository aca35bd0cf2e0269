"""A distance within classes."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.intra import intra_class


def mean_distance(real, fake):
    return float(((real.mean(0) - fake.mean(0)) ** 2).sum())


def test_each_class_meets_its_own():
    """Oracle: classes whose means differ by 0, 1 and 2 in each of two features; together the sets agree."""
    labels = np.array([4, 0, 9, 4, 0, 9])
    real = np.zeros((6, 2))
    fake = np.array([0.0, 1, 2, 0, 1, 2])[:, None] * np.ones((6, 2))
    found = intra_class(mean_distance, real, labels, fake, labels)
    assert found.classes.tolist() == [0, 4, 9]
    np.testing.assert_allclose(found.values, (2, 0, 8))
    assert found.mean == pytest.approx(10 / 3)


def test_classes_weigh_the_same_whatever_their_sizes():
    real, fake = np.zeros((3, 1)), np.array([[1.0], [1], [1], [3]])
    found = intra_class(mean_distance, real, jnp.array([0, 1, 1]), fake, jnp.array([0, 0, 0, 1]))
    assert found.mean == pytest.approx((1 + 9) / 2)


def test_a_swap_of_classes_is_seen_within_and_not_over_all():
    real, labels = np.array([[0.0], [0], [5], [5]]), np.array([0, 0, 1, 1])
    assert mean_distance(real, real[::-1]) == 0
    assert intra_class(mean_distance, real, labels, real[::-1], labels).mean == 25


def test_what_cannot_be_is_said():
    x = np.zeros((2, 1))
    with pytest.raises(UserError, match=r"one side only: \[1, 2\]"):
        intra_class(mean_distance, x, np.array([0, 1]), x, np.array([0, 2]))
