"""Lines through metrics of several numbers of images: values that are known, and a bias that is."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.extrapolate import at_infinity, inception_score_at_infinity, subset_sizes
from jaxgan.metrics.numbers.inception_score import inception_score
from tests.metrics.feature_sets import golden


def test_a_line_is_found():
    found = at_infinity(lambda part: 3 + 7 / len(part), golden().fake)
    assert (found.value, found.slope) == (pytest.approx(3), pytest.approx(7))
    assert len(found.sizes) == 15
    np.testing.assert_allclose(found.values, 3 + 7 / found.sizes)


def test_least_squares():
    """Oracle: the normal equations of values on 1 / n, where no line fits."""
    sizes = [100, 250, 400, 800]
    found = at_infinity(lambda part: float(np.log(len(part))), golden().fake, sizes=sizes)
    design = np.stack([np.ones(4), 1 / np.array(sizes)], axis=1)
    expected = np.linalg.solve(design.T @ design, design.T @ np.log(sizes))
    np.testing.assert_allclose((found.value, found.slope), expected, rtol=1e-9)


def test_sizes():
    """Oracle: linspace(min(5000, max(n // 10, 2)), n, 15), as dgm-eval takes them."""
    assert subset_sizes(50_000).tolist() == np.linspace(5000, 50_000, 15).astype(int).tolist()
    assert subset_sizes(1000).tolist() == np.linspace(100, 1000, 15).astype(int).tolist()
    assert subset_sizes(5).tolist() == [2, 3, 4, 5]


def test_images_are_drawn_once_and_by_seed():
    seen = []

    def metric(part):
        seen.append(part[:, 0])
        return float(part.sum())

    rows = np.arange(20.0)[:, None]
    first, again, other = (at_infinity(metric, rows, sizes=[5, 20], seed=seed) for seed in (3, 3, 4))
    assert first.value == again.value != other.value
    assert all(len(set(part)) == len(part) for part in seen)
    assert sorted(seen[1]) == list(range(20))


def test_a_known_bias_is_removed():
    """Oracle: the squared length of a mean of n normal vectors has expectation d / n, and 0 for n to infinity."""
    features = np.random.RandomState(0).randn(20_000, 200)
    found = at_infinity(lambda part: float(np.sum(part.mean(0) ** 2)), features, sizes=range(200, 2001, 50))
    assert abs(found.value) < 0.2 * found.values.min()
    assert found.slope == pytest.approx(200, rel=0.1)


def test_inception_score_at_infinity_is_above_that_of_few():
    """Oracle: the score of many more logits of the same distribution."""
    logits = np.random.RandomState(1).randn(6000, 50) * 8
    found = inception_score_at_infinity(logits[:600], points=4)
    truth = inception_score(logits, splits=1).mean
    assert found.slope < 0
    assert abs(found.value - truth) < 0.5 * abs(found.values[-1] - truth)
    assert found.sizes.tolist() == np.linspace(60, 600, 4).astype(int).tolist()


def test_what_cannot_be_is_said():
    with pytest.raises(UserError, match="at least 2 numbers of images, got 1 points of 800 images"):
        at_infinity(len, golden().fake, points=1)
    with pytest.raises(UserError, match="at least 2 numbers of images, got 15 points of 1 images"):
        at_infinity(len, golden().fake[:1])
    for sizes in ([10, 10], [0, 10], [10, 801]):
        with pytest.raises(UserError, match="from 1 to 800, got"):
            at_infinity(len, golden().fake, sizes=sizes)
