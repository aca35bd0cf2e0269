"""KID and CMMD against torch-fidelity, torchmetrics and the formulas written out in NumPy."""

import functools

import jax
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.kernel import cmmd, kernel_distance, polynomial_mmd
from tests.metrics.feature_sets import TYPES, golden, independent, run, wide

RTOL = {np.float32: 2e-6, np.float64: 1e-10}


def textbook_mmd(x, y):
    """The definition, with all pairs in memory, in the type of the features."""

    def kernel(a, b):
        return (a @ b.T / np.asarray(a.shape[1], a.dtype) + 1) ** 3

    def off_diagonal(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return off_diagonal(kernel(x, x)) + off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean()


@pytest.mark.parametrize("dtype", TYPES)
def test_kernel_distance_is_torch_fidelitys(dtype):
    """Oracle: torch-fidelity 0.4.0 in float64, kid_features_to_metric(fakes, reals)."""
    found = run(kernel_distance, *golden()[:2], dtype=dtype, subsets=50, subset_size=100)
    np.testing.assert_allclose(found, (0.188678573508, 0.062891194650), rtol=max(RTOL[dtype], 1e-9))


@pytest.mark.parametrize("dtype", TYPES)
def test_kernel_distances_of_other_settings_and_data(dtype):
    """Oracles: torch-fidelity over subsets, torchmetrics' poly_mmd for the estimate of all (it takes equal numbers)."""
    (real, fake, _), known = wide(), independent()["wide"]
    # In float32 what counts is the mean of the kernel, (25 + 1)^3 here, of which the value is a three-hundredth.
    close = {"atol": 1e-7 * 26**3, "rtol": 0} if dtype == np.float32 else {"rtol": 1e-10}
    found = run(kernel_distance, real, fake, dtype=dtype, subsets=20, subset_size=60)
    np.testing.assert_allclose(found, known["kid_20_of_60"], **close)
    n = min(len(real), len(fake))
    np.testing.assert_allclose(run(polynomial_mmd, real[:n], fake[:n], dtype=dtype), known["mmd_first"], **close)


def test_full_estimate_of_sides_of_different_size():
    """Oracles: the definition in float64 and its value for these data, and torchmetrics' for the first 500 of each."""
    real, fake, _ = golden()
    found = run(polynomial_mmd, real, fake)
    np.testing.assert_allclose(found, 0.190680810975, rtol=1e-11)
    np.testing.assert_allclose(found, textbook_mmd(*golden().double()[:2]), rtol=1e-12)
    np.testing.assert_allclose(run(polynomial_mmd, real, fake, dtype=np.float32), found, rtol=2e-6)
    np.testing.assert_allclose(run(polynomial_mmd, real[:500], fake[:500]), 0.194794692535, rtol=1e-11)


@pytest.mark.parametrize(("scale", "left"), [(0.1, 1e-9), (0.01, 5e-12)])
def test_float32_sees_what_is_left_between_equal_distributions(scale, left):
    """Oracle: the definition in float64; in float32 it is wrong by far more than ours. A pair's kernel is about 1."""
    rng = np.random.RandomState(3)
    mixing = rng.randn(256, 256) * np.arange(1, 257) ** -0.5
    real, fake = (np.maximum(rng.randn(1000, 256) @ mixing - 0.5, 0).astype(np.float32) * scale for _ in range(2))
    truth = textbook_mmd(real.astype(float), fake.astype(float))
    ours = abs(float(polynomial_mmd(real, fake)) - truth)
    assert ours < left < 0.1 * abs(truth)
    assert ours < 0.05 * abs(textbook_mmd(real, fake) - truth)


def test_it_is_symmetric_and_blind_to_order():
    real, fake = wide().real[:173], wide().fake
    rng = np.random.RandomState(0)
    value = run(polynomial_mmd, real, fake)
    np.testing.assert_allclose(run(polynomial_mmd, fake, real), value, rtol=1e-12)
    shuffled = run(polynomial_mmd, rng.permutation(real), rng.permutation(fake))
    np.testing.assert_allclose(shuffled, value, rtol=1e-12)


def test_a_set_and_itself_have_the_closed_form():
    """The diagonal counts in the cross term only: 2 / (n - 1) (mean k(x, x') - mean k(x, x)), below 0."""
    real = golden().double().real[:50]
    kernel = (real @ real.T / 64 + 1) ** 3
    expected = 2 / 49 * (kernel.mean() - np.trace(kernel) / 50)
    np.testing.assert_allclose(run(polynomial_mmd, real, real), expected, rtol=1e-10)
    assert expected < 0


def test_blocks_do_not_change_the_value():
    """Blocks of one row, and such as divide neither side (210 and 173 images); without, one block holds all."""
    real, fake, _ = wide()
    whole = run(polynomial_mmd, real, fake)
    for block in (1, 64):
        np.testing.assert_allclose(run(polynomial_mmd, real, fake, block=block), whole, rtol=1e-9)


def test_memory_does_not_hold_all_pairs():
    """Two sets of 50,000 have 10 GB of pairs in float32; XLA's account of the compiled program says what is held."""
    features = jax.ShapeDtypeStruct((50_000, 32), np.float32)
    assert polynomial_mmd.lower(features, features).compile().memory_analysis().temp_size_in_bytes < 500e6


def test_gradients_are_those_of_differences():
    real, fake, _ = golden().double()
    with double():
        check_grads(functools.partial(polynomial_mmd, real[:9, :5]), (fake[:7, :5],), order=1, modes=["rev"])


def test_cmmd_is_its_published_formula():
    """Oracles: value of the published code's formula for these data, and scikit-learn's rbf_kernel for the others."""
    np.testing.assert_allclose(run(cmmd, *golden()[:2]), 5.5527464259, rtol=1e-10)
    for dtype in TYPES:
        found = run(cmmd, *wide()[:2], dtype=dtype)
        np.testing.assert_allclose(found, independent()["wide"]["cmmd_sigma_10"], rtol=RTOL[dtype])


def test_cmmd_of_a_set_and_itself_is_zero():
    real = wide().double().real
    rows = real / np.linalg.norm(real, axis=1, keepdims=True)
    assert abs(run(cmmd, rows, rows, dtype=np.float32)) < 1e-5


def test_what_cannot_be_is_said():
    real, fake, _ = wide()
    with pytest.raises(UserError, match=r"subset_size of KID .* 173 .*, got 174"):
        kernel_distance(real, fake, subset_size=174)
    with pytest.raises(UserError, match="subsets of KID"):
        kernel_distance(real, fake, subsets=0, subset_size=10)
    with pytest.raises(UserError, match="KID takes at least 2 images"):
        polynomial_mmd(real, fake[:1])
    with pytest.raises(UserError, match="sigma"):
        cmmd(real, fake, sigma=0.0)
