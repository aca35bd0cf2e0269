import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.modes import class_modes, joint, mixture_modes

RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1).astype(np.float32)
SIGMA = 0.02


# Oracle: by hand, points put at known distances from the centres.
def test_points_at_known_distances():
    offsets = np.array([[0, 0], [2.99 * SIGMA, 0], [0, -2.99 * SIGMA], [3.01 * SIGMA, 0]], np.float32)
    samples = np.concatenate([RING[0] + offsets, RING[3] + offsets[3:], np.zeros((3, 2), np.float32)])
    found = mixture_modes(samples, RING, SIGMA)
    assert found.covered == 1
    assert found.high_quality == pytest.approx(3 / 8)
    np.testing.assert_array_equal(found.counts, [3, 0, 0, 0, 0, 0, 0, 0])
    wider = mixture_modes(samples, RING, SIGMA, within=4.0)
    assert wider.covered == 2
    assert wider.high_quality == pytest.approx(5 / 8)


# Oracle: of a Gaussian in d = 2 dimensions 1 - exp(-9/2) lies within three standard deviations.
def test_samples_of_the_mixture_itself():
    rng = np.random.RandomState(0)
    samples = RING[rng.randint(8, size=20_000)] + SIGMA * rng.randn(20_000, 2).astype(np.float32)
    found = mixture_modes(samples, RING, SIGMA)
    assert found.covered == 8
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.002)
    assert found.counts.sum() == round(found.high_quality * 20_000)


# Oracle: closed form. A sample between two modes is near both, and counts once in the share.
def test_overlapping_modes():
    found = mixture_modes(np.zeros((2, 1), np.float32), np.array([[-1.0], [1.0]], np.float32), 1.0)
    assert (found.covered, found.high_quality, found.counts.tolist()) == (2, 1.0, [2, 2])


# Oracle: closed forms. m of k classes used equally: KL = log(k / m); all in one: log k.
@pytest.mark.parametrize("used", [1, 10, 250, 1000])
def test_reverse_kl_of_equally_used_classes(used):
    found = class_modes(np.repeat(np.arange(used), 3), 1000)
    assert found.covered == used
    assert found.reverse_kl == pytest.approx(np.log(1000 / used), abs=1e-12)
    assert found.counts.sum() == 3 * used


# Oracle: the definition, written out; its direction is not symmetric.
def test_reverse_kl_to_a_given_distribution():
    labels, target = np.array([0, 0, 0, 1]), np.array([0.5, 0.25, 0.25])
    expected = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.25)
    assert class_modes(labels, 3, target).reverse_kl == pytest.approx(expected)
    assert class_modes(labels, 3, np.array([1.0, 0.0, 0.0])).reverse_kl == np.inf
    assert class_modes(np.array([0, 1, 2, 1]), 3, np.array([0.25, 0.5, 0.25])).reverse_kl == 0


# Oracle: for n samples of the target the KL is (modes - 1) / (2 n) to first order: 0.019 for stacked MNIST.
def test_reverse_kl_of_the_data_themselves():
    labels = np.random.RandomState(0).randint(1000, size=26_000)
    found = class_modes(labels, 1000)
    assert found.covered == 1000
    assert found.reverse_kl == pytest.approx(999 / 52_000, rel=0.1)


# Oracle: decimal numbers.
def test_joint_classes_of_stacked_digits():
    np.testing.assert_array_equal(joint(np.array([[0, 0, 7], [1, 2, 3], [9, 9, 9]]), 10), [7, 123, 999])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mixture_modes(np.zeros((0, 2), np.float32), RING, SIGMA), "0, 2"),
        (lambda: mixture_modes(np.zeros((4, 3), np.float32), RING, SIGMA), "dimension"),
        (lambda: class_modes(np.array([0, 10]), 10), "0 to 9"),
        (lambda: class_modes(np.array([-1]), 10), "0 to 9"),
        (lambda: class_modes(np.array([], np.int64), 10), "no sample"),
        (lambda: class_modes(np.array([0]), 2, np.array([0.5, 0.6])), "sum to one"),
        (lambda: class_modes(np.array([0]), 2, np.array([1.0])), "2 modes"),
        (lambda: joint(np.array([[10, 0]]), 10), "0 to 9"),
    ],
)
def test_mistakes_get_a_sentence(call, words):
    with pytest.raises(UserError, match=words):
        call()
