"""Sets of voxel shapes compared, against hand examples and all pairs by brute force."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.shapes import distinct, divergence, matching, occupied, one_nearest, undecided

DISTANCES = ("hamming", "iou")


def line(*rows):
    """Shapes of one row of voxels each, [n, 1, 1, w]."""
    return np.array([[[[voxel == "#" for voxel in row]]] for row in rows])


def blobs(seed, n, level):
    """Shapes on a small grid, of which some are equal."""
    return np.random.default_rng(seed).random((n, 2, 2, 3)) < level


def all_pairs(a, b, distance):
    """Brute force, voxel by voxel."""
    a, b = a.reshape(len(a), 1, -1), b.reshape(1, len(b), -1)
    if distance == "hamming":
        return (a != b).sum(-1).astype(float)
    union = (a | b).sum(-1)
    return np.where(union == 0, 0, 1 - (a & b).sum(-1) / np.maximum(union, 1))


def own_side(own, other, distance):
    """Share of `own` whose nearest is its own, a tie one half: a plain search, in place of scikit-learn's."""
    score = 0.0
    for place, shape in enumerate(own):
        near = all_pairs(shape[None], np.delete(own, place, 0), distance).min()
        far = all_pairs(shape[None], other, distance).min()
        score += 1.0 if near < far else 0.5 if near == far else 0.0
    return score / len(own)


# Oracle: brute force in NumPy, one shape after the other; scikit-learn is no dependency of the tests.
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("block", [None, 7])
def test_nearest_and_matching_agree_with_brute_force(distance, block):
    real, fake = blobs(0, 40, 0.4), blobs(1, 33, 0.5)
    nearest = jax.jit(functools.partial(one_nearest, distance=distance, block=block))(real, fake)
    np.testing.assert_allclose(nearest.real, own_side(real, fake, distance), rtol=1e-6)
    np.testing.assert_allclose(nearest.fake, own_side(fake, real, distance), rtol=1e-6)
    np.testing.assert_allclose(nearest.mean, (nearest.real + nearest.fake) / 2)
    pairs = all_pairs(real, fake, distance)
    found = jax.jit(functools.partial(matching, distance=distance, block=block))(real, fake)
    np.testing.assert_allclose(found.coverage, (pairs == pairs.min(0)).any(1).mean(), rtol=1e-6)
    np.testing.assert_allclose(found.distance, pairs.min(1).mean(), rtol=1e-5)


def test_nearest_by_hand():
    """The first real is nearest to its copy; the second is at 1 and the third at 2 from the first real and its copy."""
    real, fake = line("##....", "#.....", ".##..."), line("##....", "...###", "...##.")
    nearest = one_nearest(real, fake)
    np.testing.assert_allclose(nearest.real, (0 + 0.5 + 0.5) / 3, rtol=1e-6)
    np.testing.assert_allclose(nearest.fake, 2 / 3, rtol=1e-6)
    found = matching(real, fake)
    # "...##." is nearest to "#.....", at 3, "...###" too, at 4.
    np.testing.assert_allclose(found.coverage, 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(found.distance, (0 + 1 + 2) / 3, rtol=1e-6)
    # By overlap: 1 - 1/1, 1 - 1/2, 1 - 1/3.
    np.testing.assert_allclose(matching(real, fake, "iou").distance, (0 + 1 / 2 + 2 / 3) / 3, rtol=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_equal_sets_and_sets_apart(distance):
    """Closed form: every copy is nearer than any other shape; two clusters apart are told apart in full."""
    eye = np.eye(8, dtype=bool).reshape(8, 2, 2, 2)
    same = one_nearest(eye, eye, distance)
    assert (float(same.real), float(same.fake)) == (0, 0)
    assert tuple(map(float, matching(eye, eye, distance))) == (1, 0)
    left, right = line("##......", "###.....", "####...."), line("......##", ".....###", "....####")
    apart = one_nearest(left, right, distance)
    assert (float(apart.real), float(apart.fake), float(apart.mean)) == (1, 1, 1)


def test_duplicates_favour_no_side():
    """Two sets of one shape only cannot be told apart: each half is one half, and each real is covered."""
    real = line("##..", "##..", "##..")
    same = one_nearest(real, real[:2])
    assert (float(same.real), float(same.fake)) == (0.5, 0.5)
    assert float(matching(real, real[:1]).coverage) == 1


def test_empty_shapes_overlap_with_each_other():
    empty = np.zeros((2, 1, 1, 4), bool)
    assert float(matching(empty, empty, "iou").distance) == 0
    assert float(matching(empty, ~empty, "iou").distance) == 1


# Oracle: draws of one distribution, whose accuracy is (n - 1) / (2 n - 1) in expectation.
def test_two_draws_of_one_distribution_are_not_told_apart():
    draws = np.random.default_rng(0).random((600, 4, 4, 4)) < 0.3
    nearest = one_nearest(draws[:300], draws[300:])
    assert abs(float(nearest.real) - 0.5) < 0.1
    assert abs(float(nearest.fake) - 0.5) < 0.1


def test_whole_numbers_stay_whole_in_large_cubes():
    """Closed form: one voxel of 64^3 apart, in shapes that fill half of the cube."""
    full = np.random.default_rng(0).random((1, 64, 64, 64)) < 0.5
    other = full.copy()
    other[0, 3, 5, 7] ^= True
    assert float(matching(full, other).distance) == 1


@pytest.mark.parametrize("block", [None, 3])
def test_distinct_shapes_are_counted(block):
    shapes = np.concatenate([blobs(3, 20, 0.05), blobs(4, 20, 0.05)])
    assert int(jax.jit(functools.partial(distinct, block=block))(shapes)) == len({each.tobytes() for each in shapes})


def test_occupied_and_undecided_by_hand():
    p = jnp.array([0.1, 0.2, 0.5, 0.6, 0.8, 0.9, 0.21, 1.0]).reshape(1, 2, 2, 2)
    assert occupied(p).ravel().tolist() == [False, False, False, True, True, True, False, True]
    assert int(occupied(p, 0.1).sum()) == 7
    assert float(undecided(p)) == 3 / 8
    assert float(undecided(p, 0.05, 0.15)) == 1 / 8


# Oracle: the definition, p = (1, 0), q = (1/2, 1/2): 1/2 (log2 4/3) + 1/2 (1/2 log2 2/3 + 1/2 log2 2).
def test_divergence_in_closed_form():
    p, q = jnp.array([0.8, 0.0]).reshape(1, 1, 1, 2), jnp.array([[1.0, 0.0], [0.0, 1.0]]).reshape(2, 1, 1, 2)
    expected = (np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5) / 2
    np.testing.assert_allclose(divergence(p, q), expected, rtol=1e-6)
    np.testing.assert_allclose(divergence(q, p), expected, rtol=1e-6)
    assert float(divergence(p, p / 2)) == 0
    assert float(divergence(p, 1 - jnp.ceil(p))) == 1


def test_too_few_shapes_are_one_sentence():
    one = np.ones((1, 2, 2, 2), bool)
    with pytest.raises(UserError, match="at least 2 a side, got 1 real, 1 fake"):
        one_nearest(one, one)
    with pytest.raises(UserError, match="at least 1 a side, got 1 real, 0 fake"):
        matching(one, one[:0])
