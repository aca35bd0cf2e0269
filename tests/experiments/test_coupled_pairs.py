import coupled_pairs
import numpy as np
import pytest
from coupled_pairs import Seen

from jaxgan.errors import UserError
from jaxgan.made.outlines import negatives

RNG = np.random.default_rng(0)


# Oracle: by hand; a distance of equal covariances is that of the means, squared.
def test_what_pairs_are_like():
    features = RNG.normal(size=(4, 3)).astype(np.float32)
    made = {"a": Seen(np.array([0, 0, 1, 2]), features), "b": Seen(np.array([0, 1, 1, 2]), features)}
    truth = {"a": made["a"], "b": made["b"]._replace(features=features + np.float32([3, 0, 0]))}
    found = coupled_pairs.compare(made, truth)
    assert found.agreement == 3 / 4
    assert found.chance == (2 * 1 + 1 * 2 + 1 * 1) / 16
    assert found.a.tolist() == [2, 1, 1] + [0] * 7
    assert found.b.tolist() == [1, 2, 1] + [0] * 7
    np.testing.assert_allclose(found.distances, (0, 9), atol=1e-4)
    assert "agreement 0.750, chance 0.312; FD a, b" in coupled_pairs.line("x", found)


# Oracle: the definition: 255 - (255 - x) is x.
def test_the_negative_alone_is_turned_back():
    pictures = RNG.integers(1, 256, (20, 28, 28, 1), dtype=np.uint8)  # 0 would be a line
    found = coupled_pairs.see({"a": pictures, "b": 255 - pictures})
    np.testing.assert_array_equal(found["a"].features, found["b"].features)
    np.testing.assert_array_equal(found["a"].classes, found["b"].classes)


# Oracle: by hand; a line of one pixel across even cloth, and black ground that stays black.
def test_white_lines_are_filled():
    negative = np.full((1, 8, 8, 1), 255, np.uint8)
    negative[0, 2:, 2:] = 55
    negative[0, :, 5] = 255
    clothes = np.zeros_like(negative)
    clothes[0, 2:, 2:] = 200
    np.testing.assert_array_equal(coupled_pairs.turned_back(negative), clothes)


# Oracle: the bundled classifier names 94 % of the clothes right, and lines lead it astray in few.
def test_real_clothes_agree_with_their_negatives_and_not_with_others(fashion):
    clothes = coupled_pairs.columns(fashion)
    images, labels = clothes["image"][:300], clothes["label"][:300]
    found = coupled_pairs.see({"a": images, "b": negatives(images)})
    assert (found["a"].classes == labels).mean() > 0.9
    truth = found
    assert coupled_pairs.compare(found, truth).agreement > 0.85
    others = {**found, "b": Seen(*(np.roll(each, 1, axis=0) for each in found["b"]))}
    assert coupled_pairs.compare(others, truth).agreement < 0.2


def test_a_run_of_another_kind_is_refused(monkeypatch):
    class Run:
        def sample(self, n, seed):
            return np.zeros((n, 28, 28, 1), np.uint8)

    monkeypatch.setattr(coupled_pairs.jaxgan, "load", lambda run: Run())
    with pytest.raises(UserError, match="runs/x makes no pictures of a and b"):
        coupled_pairs.pairs_of("runs/x", 4, 0)
