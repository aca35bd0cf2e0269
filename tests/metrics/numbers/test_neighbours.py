"""Precision, recall, density, coverage and authenticity against torch-fidelity, prdc and scikit-learn; exact counts."""

import jax
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.neighbours import (
    PrecisionRecall,
    authenticity,
    density_coverage,
    nearest,
    precision_recall,
)
from tests.metrics.feature_sets import TYPES, golden, independent, run, wide

COUNTED = {"rtol": 3e-7}  # a share of a count, rounded to float32 at worst: one image more or less is 1e-3


def differences(x, y):
    """Squared distances of all pairs, from differences in float64."""
    return np.square(x.astype(float)[:, None] - y.astype(float)[None]).sum(-1)


def by_definition(real, fake, k):
    """Precision, recall, density and coverage from all pairs."""

    def radii(x):
        others = differences(x, x)
        np.fill_diagonal(others, np.inf)
        return np.sort(others, axis=1)[:, k - 1]

    of_real, of_fake = radii(real), radii(fake)
    across = differences(real, fake)
    open_balls = across < of_real[:, None]
    return (
        (across <= of_real[:, None]).any(0).mean(),
        (across <= of_fake[None]).any(1).mean(),
        open_balls.sum() / (k * len(fake)),
        open_balls.any(1).mean(),
    )


@pytest.mark.parametrize(
    ("k", "dtype", "expected"),
    [(3, np.float32, (0.24875, 0.329)), (5, np.float64, (0.36625, 0.444))],
)
def test_precision_and_recall_of_golden_features(k, dtype, expected):
    """Oracle: torch-fidelity 0.4.0 and prdc 0.2, which agree."""
    np.testing.assert_allclose(run(precision_recall, *golden()[:2], dtype=dtype, k=k), expected, **COUNTED)


@pytest.mark.parametrize(
    ("k", "dtype", "expected"),
    [(5, np.float32, (0.19175, 0.418)), (3, np.float64, (398 / 2400, 0.28))],
)
def test_density_and_coverage_of_golden_features(k, dtype, expected):
    """Oracle: prdc 0.2."""
    np.testing.assert_allclose(run(density_coverage, *golden()[:2], dtype=dtype, k=k), expected, **COUNTED)


@pytest.mark.parametrize("dtype", TYPES)
def test_counts_of_other_settings_and_data(dtype):
    """Oracles: torch-fidelity (precision, recall, F), prdc (density, coverage), scikit-learn's neighbours (AuthPct)."""
    (real, fake, _), known = wide(), independent()["wide"]
    found = run(precision_recall, real, fake, dtype=dtype, k=4)
    np.testing.assert_allclose([*found, float(found.f1)], known["precision_recall_f1_k4"], **COUNTED)
    found = run(density_coverage, real, fake, dtype=dtype, k=4)
    np.testing.assert_allclose(found, known["density_coverage_k4"], **COUNTED)
    np.testing.assert_allclose(run(authenticity, real, fake, dtype=dtype), known["authenticity"], **COUNTED)


@pytest.mark.parametrize("dtype", TYPES)
def test_authenticity_of_golden_features(dtype):
    """Oracle: the formula of dgm-eval's AuthPct."""
    assert run(authenticity, *golden()[:2], dtype=dtype) == 97.75


@pytest.mark.parametrize("dtype", TYPES)
def test_nearest_images(dtype):
    """Oracle: scikit-learn's NearestNeighbors in float64."""
    (real, fake, _), known = wide(), independent()["wide"]
    found = run(nearest, real, fake, dtype=dtype, k=3)
    assert found.indices[:5].tolist() == known["nearest_3_of_first_5"]
    np.testing.assert_allclose(found.distances[-5:], known["nearest_distances_3_of_last_5"], rtol=1e-6)


def test_copies_are_found_at_no_distance():
    """In float32 the product form gives copies a distance above 0."""
    real, fake, _ = wide()
    found = run(nearest, real, fake, dtype=np.float32)
    assert found.indices[:10, 0].tolist() == list(range(20, 30))
    assert (found.distances[:10] == 0).all()
    assert (found.distances[10:] > 1).all()
    assert run(authenticity, real, fake[:10], dtype=np.float32) == 0


@pytest.mark.parametrize("dtype", TYPES)
def test_whole_numbers_tie_exactly(dtype):
    """Oracle: the definitions, from differences. On a lattice nearly every distance equals some radius."""
    rng = np.random.RandomState(1)
    real, fake = rng.randint(0, 4, (60, 3)).astype(float), rng.randint(1, 6, (45, 3)).astype(float)
    found = (*run(precision_recall, real, fake, dtype=dtype, k=2), *run(density_coverage, real, fake, dtype=dtype, k=2))
    np.testing.assert_allclose(found, by_definition(real, fake, 2), **COUNTED)


def test_a_set_and_itself():
    """Each open ball holds its centre and the k - 1 nearest, the k-th is on the boundary: density is 1 exactly."""
    real = wide().real
    np.testing.assert_array_equal(precision_recall(real, real), (1, 1))
    np.testing.assert_allclose(density_coverage(real, real), (1, 1), **COUNTED)


def test_the_boundary_belongs_to_precision_and_not_to_density():
    real = np.array([[0.0], [1.0], [3.0]])
    on_the_boundary = np.array([[-1.0], [5.0]])  # the balls of k = 1 are [-1, 1], [0, 2], [1, 5]
    assert run(precision_recall, real, on_the_boundary, k=1).precision == 1
    np.testing.assert_array_equal(run(density_coverage, real, on_the_boundary, k=1), (0, 0))


def test_a_tight_cluster_has_precision_and_no_recall():
    """The two are easily swapped; torch-fidelity's own test of this."""
    rng = np.random.RandomState(0)
    real, fake = rng.randn(200, 4), 0.05 * rng.randn(200, 4)
    found = run(precision_recall, real, fake)
    assert found.precision > 0.8
    assert found.recall < 0.3
    swapped = run(precision_recall, fake, real)
    np.testing.assert_array_equal(swapped, found[::-1])


def test_far_apart_nothing_is_covered():
    real = wide().real
    found = precision_recall(real, real + 100)
    np.testing.assert_array_equal(found, (0, 0))
    assert found.f1 == 0
    np.testing.assert_array_equal(density_coverage(real, real + 100), (0, 0))
    assert authenticity(real, real + 100) == 100


def test_f1_is_the_harmonic_mean():
    assert PrecisionRecall(jax.numpy.array(0.5), jax.numpy.array(0.25)).f1 == pytest.approx(1 / 3)


@pytest.mark.parametrize(("n", "m"), [(60, 60), (60, 90)])
def test_coverage_of_equal_distributions(n, m):
    """Oracle: E[coverage] = 1 - prod_{j < k} (n - 1 - j) / (n - 1 + m - j), whatever the distribution."""
    j = np.arange(5)
    expected = 1 - np.prod((n - 1 - j) / (n - 1 + m - j))
    rng = np.random.RandomState(0)
    drawn = [density_coverage(rng.rand(n, 3), rng.rand(m, 3)).coverage for _ in range(60)]
    standard_error = np.std(drawn) / np.sqrt(len(drawn))
    assert standard_error < 0.01
    assert abs(np.mean(drawn) - expected) < 3 * standard_error


@pytest.mark.parametrize("metric", [precision_recall, density_coverage, authenticity, nearest])
def test_blocks_do_not_change_the_counts(metric):
    """A block that divides neither side (210 and 173 images); without, one block holds all."""
    real, fake, _ = wide()
    whole = run(metric, real, fake, dtype=np.float32)
    blocked = run(metric, real, fake, dtype=np.float32, block=64)
    jax.tree.map(np.testing.assert_array_equal, blocked, whole)


def test_order_of_images_does_not_matter():
    real, fake, _ = wide()
    rng = np.random.RandomState(0)
    shuffled = rng.permutation(real), rng.permutation(fake)
    for metric in (precision_recall, density_coverage, authenticity):
        found = run(metric, *shuffled, dtype=np.float32)
        np.testing.assert_allclose(found, run(metric, real, fake, dtype=np.float32), **COUNTED)


@pytest.mark.parametrize("metric", [density_coverage, authenticity])  # every loop over pairs is in one of these
def test_memory_does_not_hold_all_pairs(metric):
    """Two sets of 50,000 have 10 GB of pairs in float32; XLA's account of the compiled program says what is held."""
    features = jax.ShapeDtypeStruct((50_000, 32), np.float32)
    assert metric.lower(features, features).compile().memory_analysis().temp_size_in_bytes < 800e6


def test_what_cannot_be_is_said():
    real, fake, _ = wide()
    with pytest.raises(UserError, match="k of precision and recall must be at least 1, got 0"):
        precision_recall(real, fake, k=0)
    with pytest.raises(UserError, match="density and coverage with k = 5 takes at least 6 images"):
        density_coverage(real, fake[:5])
    with pytest.raises(UserError, match="between 1 and the 210 real images, got 211"):
        nearest(real, fake, k=211)
    with pytest.raises(UserError, match="AuthPct takes at least 2 images"):
        authenticity(real[:1], fake)
