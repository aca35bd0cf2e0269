"""The Vendi score against SciPy's spectrum and where the effective number is known."""

import math

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.vendi import vendi
from tests.metrics.feature_sets import SETS, TYPES, golden, independent, run, wide


@pytest.mark.parametrize("dtype", TYPES)
def test_golden_features(dtype):
    """Oracle: the formula of dgm-eval with SciPy's eigenvalues."""
    rtol = 1e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(run(vendi, golden().fake, dtype=dtype), 19.9471998203, rtol=rtol)


@pytest.mark.parametrize("name", SETS)
def test_orders_and_sizes(name):
    """Oracle: SciPy's eigenvalues of X X^T / n. One set has more images than features, one fewer."""
    found = [run(vendi, SETS[name]().fake, q=q) for q in (1, 2, 0.5)]
    np.testing.assert_allclose(found, independent()[name]["vendi_1_2_half"], rtol=1e-6)


@pytest.mark.parametrize("q", [0.5, 1, 2, math.inf])
def test_orthogonal_kinds_are_counted(q):
    """Seven directions, each five times, of any length: seven."""
    features = np.repeat(np.eye(9)[:7], 5, axis=0) * np.linspace(1, 30, 35)[:, None]
    np.testing.assert_allclose(run(vendi, features, q=q), 7, rtol=1e-5)


def test_one_kind_is_one():
    np.testing.assert_allclose(run(vendi, np.outer(np.linspace(1, 2, 11), np.linspace(-1, 3, 5))), 1, rtol=1e-9)


def test_unequal_kinds():
    """Oracle: exp of the entropy of the shares, and 1 over the largest."""
    features = np.repeat(np.eye(3), (6, 3, 1), axis=0)
    shares = np.array([0.6, 0.3, 0.1])
    np.testing.assert_allclose(run(vendi, features), np.exp(-np.sum(shares * np.log(shares))), rtol=1e-9)
    np.testing.assert_allclose(run(vendi, features, q=math.inf), 1 / 0.6, rtol=1e-12)


def test_order_of_images_and_rotation_do_not_matter():
    fake = wide().double().fake[:, :40]
    rotation = np.linalg.qr(np.random.RandomState(0).randn(40, 40))[0]
    np.testing.assert_allclose(run(vendi, fake[::-1] @ rotation), run(vendi, fake), rtol=1e-9)


def test_what_cannot_be_is_said():
    with pytest.raises(UserError, match="q of the Vendi score must be above 0, got 0"):
        vendi(golden().fake, q=0.0)
    with pytest.raises(UserError, match="at least 1 images"):
        vendi(golden().fake[:0])
