"""The Inception Score against torch-fidelity and where its value is known."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.inception_score import inception_score
from tests.metrics.feature_sets import SETS, golden, independent


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (3.902285564405, 0.214607259254)),
        ({"splits": 1}, (3.960578658040, 0.0)),
        ({"seed": None}, (3.878430445847, 0.135959666601)),
    ],
)
def test_it_is_torch_fidelitys(settings, expected):
    """Oracle: torch-fidelity 0.4.0, isc_features_to_metric, which computes in float64 from float32 logits."""
    np.testing.assert_allclose(inception_score(golden().logits, **settings), expected, rtol=1e-10)


@pytest.mark.parametrize("name", SETS)
def test_splits_that_do_not_divide_and_another_seed(name):
    """Oracle: torch-fidelity; 1000 and 173 images in 7 splits."""
    found = inception_score(SETS[name]().logits, splits=7, seed=5)
    np.testing.assert_allclose(found, independent()[name]["inception_score_7_seed_5"], rtol=1e-12)


def test_sure_and_even_is_the_number_of_classes():
    logits = 1000 * np.tile(np.eye(12), (10, 1))  # probabilities underflow to 0 exactly
    np.testing.assert_allclose(inception_score(logits, splits=2, seed=None), (12, 0), atol=1e-12)
    some = logits[logits[:, :5].any(1)]  # seven classes that no image has any probability of
    np.testing.assert_allclose(inception_score(some, splits=2, seed=None), (5, 0), atol=1e-12)


def test_all_images_alike_are_one():
    logits = np.tile(np.linspace(-3, 3, 9, dtype=np.float32), (20, 1))
    np.testing.assert_allclose(inception_score(logits), (1, 0), atol=1e-12)


def test_a_constant_on_all_logits_of_an_image_changes_nothing():
    logits = golden().double().logits
    shift = np.linspace(-500, 500, len(logits))[:, None]
    np.testing.assert_allclose(inception_score(logits + shift), inception_score(logits), rtol=1e-10)


def test_one_split_is_blind_to_order():
    logits = golden().logits
    np.testing.assert_allclose(
        inception_score(logits[::-1], splits=1), inception_score(logits, splits=1), rtol=1e-12, atol=1e-12
    )


def test_what_cannot_be_is_said():
    logits = golden().logits
    with pytest.raises(UserError, match="splits of the Inception Score must be at least 1, got 0"):
        inception_score(logits, splits=0)
    with pytest.raises(UserError, match="at least 11 images"):
        inception_score(logits[:10], splits=11)
