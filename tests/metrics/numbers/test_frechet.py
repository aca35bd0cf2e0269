"""Oracles: torch-fidelity 0.4.0 and torchmetrics 1.9.0 on the golden features; closed forms; mpmath's 60 digits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import linalg

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.frechet import (
    Factored,
    factor_covariance,
    factor_features,
    frechet_distance,
    frechet_terms,
    prepare,
)
from jaxgan.metrics.numbers.gaussian import Gaussian, gaussian
from tests.metrics.feature_sets import golden

REAL, FAKE, _ = golden()
GOLDEN = 22.4814749793  # torch-fidelity 22.481474979283746, torchmetrics ...28366
GOLDEN_40 = 62.0812500653  # of the first 40 rows each, exact; the eigenvalue form of torchmetrics is off by 1.3e-6


def rotation(d, seed=0):
    return np.linalg.qr(np.random.RandomState(seed).randn(d, d))[0]


def sides(features):
    """The same side in the three forms that a distance takes."""
    return [features, gaussian(features), prepare(features)]


@pytest.mark.parametrize("real", range(3))
@pytest.mark.parametrize("fake", range(3))
def test_other_libraries(real, fake):
    assert abs(frechet_distance(sides(REAL)[real], sides(FAKE)[fake]).value - GOLDEN) < 1e-9


@pytest.mark.parametrize("real", range(3))
@pytest.mark.parametrize("fake", range(3))
def test_fewer_images_than_features(real, fake):
    """Exact where the product of the covariances has no inverse and no real square root by rounding."""
    assert abs(frechet_distance(sides(REAL[:40])[real], sides(FAKE[:40])[fake]).value - GOLDEN_40) < 1e-9


@pytest.mark.parametrize("n", [2, 40, 1000])
def test_identical_sets(n):
    found = frechet_distance(REAL[:n], REAL[:n])
    assert 0 <= found.value < 1e-9
    assert 0 <= frechet_distance(REAL[:n], gaussian(REAL[:n])).value < 1e-9


def test_terms_add_up_and_ddof():
    found = frechet_distance(REAL, FAKE)
    difference = REAL.mean(0, dtype=np.float64) - FAKE.mean(0, dtype=np.float64)
    np.testing.assert_allclose(found.mean_term, (difference**2).sum(), rtol=1e-12)
    assert found.value == found.mean_term + found.covariance_term
    for ddof in (0, 1):
        a, b = (Gaussian(x.mean(0, dtype=np.float64), np.cov(x.T.astype(float), ddof=ddof), 0) for x in (REAL, FAKE))
        np.testing.assert_allclose(frechet_distance(REAL, FAKE, ddof).value, frechet_distance(a, b).value, rtol=1e-10)


@pytest.mark.parametrize("condition", [1e0, 1e6, 1e12])
def test_commuting_covariances(condition):
    """S1 = Q diag(a) Q^T and S2 = Q diag(b) Q^T are sum (sqrt a - sqrt b)^2 apart."""
    d, q = 256, rotation(256)
    a = np.geomspace(10 / condition, 10, d)
    b = np.random.RandomState(3).permutation(a)
    found = frechet_distance(*(Gaussian(np.zeros(d), (q * each) @ q.T, 0) for each in (a, b)))
    assert abs(found.value - ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()) < 1e-8


def test_equal_covariances_are_the_distance_of_the_means():
    covariance = np.cov(REAL.T.astype(float))
    found = frechet_distance(Gaussian(np.zeros(64), covariance, 0), Gaussian(np.full(64, 0.5), covariance, 0))
    np.testing.assert_allclose(found.value, 16, atol=1e-9)


def test_one_dimension():
    """(m1 - m2)^2 + (s1 - s2)^2."""
    found = frechet_distance(Gaussian(np.ones(1), np.full((1, 1), 4.0), 0), Gaussian(np.zeros(1), np.eye(1) * 9, 0))
    np.testing.assert_allclose(found, (2.0, 1.0, 1.0), rtol=1e-12)


def test_invariances():
    q, real, fake = rotation(64), REAL.astype(float), FAKE.astype(float)
    with double():
        turned = frechet_distance(real @ q + 3, fake @ q + 3).value
        np.testing.assert_allclose(turned, frechet_distance(real, fake).value, rtol=1e-10)
        np.testing.assert_allclose(frechet_distance(3 * real, 3 * fake).value, 9 * turned, rtol=1e-10)
    np.testing.assert_allclose(frechet_distance(fake, real).value, turned, rtol=1e-10)


def test_against_sixty_digits():
    """mpmath 1.3.0 at 60 digits: trace of the root of R S2 R with R^2 = S1, both covariances at 60 digits too."""
    rng = np.random.RandomState(5)
    a, b = rng.randn(12, 8), rng.randn(6, 8)  # the second is rank-deficient, the first is not
    exact = 5.2196019964607183473
    for n in (0, 6):
        found = frechet_distance(Gaussian(np.zeros(8), np.cov(a.T), 12), Gaussian(np.zeros(8), np.cov(b.T), n))
        assert abs(found.value - exact) < 1e-12


def test_rank_from_the_number_of_images():
    """Products of float32 leave eigenvalues of 1e-8 where there are none, if nobody says how many images there were."""
    few, all_ = (FAKE[:40] - FAKE[:40].mean(0)).astype(np.float32), gaussian(REAL)
    exact = frechet_distance(all_, FAKE[:40]).value
    noisy = (few.T @ few / np.float32(39)).astype(np.float64)
    errors = [abs(frechet_distance(all_, Gaussian(gaussian(FAKE[:40]).mean, noisy, n)).value - exact) for n in (0, 40)]
    assert errors[1] < 1e-5 < errors[0]


@pytest.mark.parametrize("n", [1000, 40])
def test_as_pytorch_fid(n):
    """Its formula: the trace of scipy's root of S1 S2, of which it takes the real part."""
    (m1, s1), (m2, s2) = ((x[:n].mean(0, dtype=float), np.cov(x[:n].T.astype(float))) for x in (REAL, FAKE))
    root = linalg.sqrtm(s1 @ s2).real
    theirs = ((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * np.trace(root)
    assert abs(frechet_distance(Gaussian(m1, s1, 0), Gaussian(m2, s2, 0)).value - theirs) < 1e-3


def test_both_factors_of_a_covariance():
    """Cholesky's where it can be trusted, the spectral one elsewhere; both give the covariance back."""
    with double():
        for covariance, triangular in (
            (np.cov(REAL.T.astype(float)), True),
            (np.cov(REAL[:40].T.astype(float)), False),
        ):
            factor = np.asarray(factor_covariance(np.zeros(64), covariance).factor)
            np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-12)
            assert np.allclose(factor, np.tril(factor)) == triangular


def distance32(x, y):
    return sum(frechet_terms(factor_features(x), factor_features(y)))


def test_float32_inside_jit():
    assert abs(float(jax.jit(distance32)(REAL, FAKE)) - GOLDEN) < 1e-3
    reference = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), prepare(REAL))
    mixed = jax.jit(lambda x: sum(frechet_terms(Factored(*reference), factor_features(x))))(FAKE)
    assert abs(float(mixed) - GOLDEN) < 1e-3


@pytest.mark.parametrize("n", [40, 500])
def test_gradients_are_finite_between_identical_sets(n):
    gradient = jax.jit(jax.grad(distance32))(REAL[:n], REAL[:n])
    assert np.isfinite(np.asarray(gradient)).all()


def test_gradient_is_the_slope():
    """Central differences in float64."""
    with double():
        x, y = jnp.asarray(REAL[:40], jnp.float64), jnp.asarray(FAKE[:50], jnp.float64)
        direction = jnp.asarray(np.random.RandomState(1).randn(*x.shape))
        slope = (distance32(x + 1e-5 * direction, y) - distance32(x - 1e-5 * direction, y)) / 2e-5
        np.testing.assert_allclose((jax.grad(distance32)(x, y) * direction).sum(), slope, rtol=1e-6)


EYE = np.eye(3)


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (REAL, FAKE[:, :60], "64 numbers an image and 60"),
        (REAL[:1], FAKE, "at least 2 images"),
        (np.full((5, 3), np.nan), np.ones((5, 3)), "finite"),
        (Gaussian(np.zeros(3), np.full((3, 3), np.inf), 0), Gaussian(np.zeros(3), EYE, 0), "finite"),
        (Gaussian(np.zeros(3), np.eye(2), 0), Gaussian(np.zeros(3), EYE, 0), "3 x 3, got 2 x 2"),
        (Gaussian(np.zeros(3), EYE + np.eye(3, k=1), 0), Gaussian(np.zeros(3), EYE, 0), "symmetric"),
        (Gaussian(np.zeros(3), np.diag([1.0, 1.0, -1.0]), 0), Gaussian(np.zeros(3), EYE, 0), "eigenvalues"),
        (Gaussian(np.zeros(3), EYE, 2), Gaussian(np.zeros(3), EYE, 0), "a covariance of 2 images has rank 1 at most"),
    ],
)
def test_bad_input_is_one_sentence(real, fake, words):
    with pytest.raises(UserError, match=words):
        frechet_distance(real, fake)
