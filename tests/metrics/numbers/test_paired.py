import math

import jax
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers import paired
from jaxgan.metrics.numbers.image_quality import ssim
from jaxgan.metrics.numbers.paired import PAIRED, each_pair, paired_scores


@pytest.fixture(scope="module", autouse=True)
def _small_parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paired, "_PART", 4)
        yield
    jax.clear_caches()


# Oracle: closed forms of flat images: L1 is |a - b|, PSNR 20 log10(255 / |a - b|), SSIM the luminance term alone.
def test_closed_forms_of_flat_images():
    made, truth = np.array([100, 10, 0, 255, 60, 7], np.uint8), np.array([110, 15, 255, 0, 60, 7], np.uint8)
    made, truth = (np.broadcast_to(each[:, None, None, None], (6, 12, 12, 2)) for each in (made, truth))
    scores = each_pair(made, truth)
    a, b = made[:, 0, 0, 0].astype(float), truth[:, 0, 0, 0].astype(float)
    c1 = (0.01 * 255) ** 2
    apart = np.abs(a - b)
    assert set(scores) == set(PAIRED)
    np.testing.assert_allclose(scores["l1_levels"], apart)
    np.testing.assert_allclose(scores["l1"], apart / 255, rtol=1e-6)
    np.testing.assert_allclose(scores["psnr"][:4], 20 * np.log10(255 / apart[:4]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(scores["ssim"], (2 * a * b + c1) / (a * a + b * b + c1), rtol=1e-4)
    # Equal images: as if one number were one level off.
    np.testing.assert_allclose(scores["psnr"][4:], 10 * math.log10(255**2 * 12 * 12 * 2), rtol=1e-6)


# Oracle: numpy on all pairs at once, and `ssim`, which has oracles of its own, pair by pair.
def test_means_and_standard_errors_over_parts():
    rng = np.random.default_rng(0)
    made, truth = (rng.integers(0, 256, (6, 11, 13, 1), np.uint8) for _ in range(2))
    scores = paired_scores(made, truth)
    apart = np.abs(made.astype(float) - truth).mean((1, 2, 3))
    ratios = 10 * np.log10(255**2 / np.square(made.astype(float) - truth).mean((1, 2, 3)))
    similar = np.asarray(ssim(truth, made, data_range=255), np.float64)
    for key, values in {"l1_levels": apart, "l1": apart / 255, "psnr": ratios, "ssim": similar}.items():
        assert scores.pop(key) == pytest.approx(values.mean(), rel=1e-5)
        assert scores.pop(f"{key}_stderr") == pytest.approx(values.std(ddof=1) / math.sqrt(6), rel=1e-4)
    assert not scores


# Oracle: the order of what is nearer and what is farther, and the equal image, which nothing overtakes.
def test_directions():
    truth = np.full((1, 12, 12, 1), 90, np.uint8)
    one_off = truth.copy()
    one_off[0, 3, 3] += 1
    equal, near, far = (paired_scores(made, truth) for made in (truth, one_off, truth + 40))
    for key, score in PAIRED.items():
        worse = [equal[key], near[key], far[key]]
        assert worse == sorted(worse, reverse=score.better == "higher"), key
        assert worse[0] != worse[2]
    assert all(map(math.isfinite, equal.values()))
    assert "l1_stderr" not in equal


def test_small_images_have_no_windows():
    x = np.zeros((2, 10, 28, 1), np.uint8)
    assert set(each_pair(x, x)) == {"l1", "l1_levels", "psnr"}


def test_what_is_no_pair():
    x = np.zeros((2, 4, 4, 1), np.uint8)
    with pytest.raises(UserError, match=r"one to one, got shapes \[2, 4, 4, 1\] and \[1, 4, 4, 1\]"):
        paired_scores(x, x[:1])
    with pytest.raises(UserError, match="got none"):
        paired_scores(x[:0], x[:0])
