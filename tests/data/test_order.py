"""Oracle: a permutation is what sorts to 0..n-1; the golden numbers were printed by this code, to notice a change."""

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data import order
from jaxgan.errors import UserError

GOLDEN = [[0, 2, 9, 1, 8, 5], [4, 3, 6, 7, 5, 3]]
SIZES = [(1, 1), (7, 3), (10, 10), (64, 5), (5, 12)]


def epochs(size, seed, count):
    return order(size, seed, size)[0:count]


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (2, 1), (10, 0), (97, 12345), (1000, 2**64 - 1)])
def test_each_epoch_is_a_permutation(size, seed):
    for epoch in epochs(size, seed, 3):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(size))


def test_epochs_and_seeds_differ():
    orders = [tuple(epoch) for seed in (0, 1, 2) for epoch in epochs(100, seed, 3)]
    assert len(set(orders)) == 9


def test_shuffle_is_fair():
    # Over 3000 epochs each of 5 images comes first 600 times on average; 5 standard deviations are 110.
    first = epochs(5, 3, 3000)[:, 0]
    assert np.abs(np.bincount(first, minlength=5) - 600).max() < 110


@pytest.mark.parametrize(("size", "batch_size"), SIZES)
def test_any_step_at_random_equals_the_sequence(size, batch_size):
    batches = order(size, 4, batch_size)
    sequence = np.concatenate(epochs(size, 4, 40))
    for step in (6, 0, 3, 7, 1):
        np.testing.assert_array_equal(batches[step], sequence[step * batch_size : (step + 1) * batch_size])
    np.testing.assert_array_equal(batches[2:7], np.stack([batches[step] for step in range(2, 7)]))


def test_far_steps_are_reached_at_once():
    assert order(10, 0, 4)[10**15].shape == (4,)


def test_golden():
    np.testing.assert_array_equal(order(10, 0, 6)[0:2], GOLDEN)


@pytest.mark.parametrize("arguments", [(0, 0, 4), (10, 0, 0), (10, -1, 4), (10, 2**64, 4)])
def test_impossible_values(arguments):
    with pytest.raises(UserError):
        order(*arguments)


def test_tables_are_drawn_independently():
    spec = {name: fields.Field("number") for name in "ab"}
    one = [data.of_arrays({n: np.zeros(10, np.float32)}, {n: spec[n]}) for n in "ab"]
    both = one[0]._replace(tables=one[0].tables + one[1].tables)
    first, second = data.orders(both, 0, 6)
    np.testing.assert_array_equal(first[0:2], GOLDEN)
    assert second.size == 10
    assert (first[0:5] != second[0:5]).any()
