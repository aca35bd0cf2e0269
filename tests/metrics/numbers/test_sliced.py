"""MIND against POT, torch-fidelity's formula with PyTorch's random numbers, and closed forms."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.sliced import mind
from tests.metrics.feature_sets import TYPES, golden, independent, run, unit_directions, wide


def torch_draws(seed, larger, smaller, shape):
    """What torch-fidelity draws: `randperm(larger)[:smaller]`, then `randn(shape)` rows at unit length.

    PyTorch's generator on a CPU is the Mersenne twister that NumPy has too: a shuffle takes a word for each row, a
    normal number 24 bits, 16 of them at once by Box and Muller. Compared with PyTorch 2.13: rows equal, numbers to
    5e-7.
    """
    twister = np.random.RandomState(seed)

    def words(count):
        return twister.randint(0, 2**32, size=count, dtype=np.uint32).astype(np.int64)

    rows = np.arange(larger)
    for i, word in enumerate(words(larger - 1)):
        j = i + word % (larger - i)
        rows[[i, j]] = rows[[j, i]]
    uniform = ((words(np.prod(shape)) & 0xFFFFFF) / 2**24).reshape(-1, 2, 8)
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[:, 0])), 2 * np.pi * uniform[:, 1]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(shape)
    return rows[:smaller], normal / np.linalg.norm(normal, axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", TYPES)
def test_it_is_torch_fidelitys(dtype):
    """Oracle: the formula of torch-fidelity's metric_mind.py, its default seed and directions."""
    real, fake, _ = golden()
    rows, directions = torch_draws(2020, 1000, 800, (1000, 64))
    found = run(lambda *x: mind(*x, directions=directions), real[rows], fake, dtype=dtype)
    np.testing.assert_allclose(found, 5.03287, atol=5e-6)


@pytest.mark.parametrize("dtype", TYPES)
def test_given_directions(dtype):
    """Oracle: POT 0.9.7, sliced_wasserstein_distance, squared and times 3 d."""
    real, fake, _ = wide()
    directions = unit_directions(100, 320)
    found = run(lambda *x: mind(*x, directions=directions), real[:173], fake, dtype=dtype)
    np.testing.assert_allclose(found, independent()["wide"]["mind_first"], rtol=1e-6 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_shift_is_known_along_every_direction(dtype):
    """Sorted projections move by u . shift: 3 d mean_u (u . shift)^2, whose expectation is 3 ||shift||^2."""
    real = wide().real + 50  # far from the origin
    shift = np.linspace(-0.5, 1, 320)
    directions = unit_directions(30, 320)
    found = run(lambda *x: mind(*x, directions=directions), real, real + shift, dtype=dtype)
    np.testing.assert_allclose(
        found, 3 * 320 * np.mean((directions @ shift) ** 2), rtol=1e-5 if dtype == np.float32 else 1e-9
    )


def test_gaussians_that_differ_by_shift_and_scale():
    """Oracle: 3 (||shift||^2 + d (s - t)^2) for N(m, s^2 I) and N(m + shift, t^2 I), up to sampling."""
    rng = np.random.RandomState(0)
    real, fake = rng.randn(2000, 6), 1.5 * rng.randn(2000, 6) + np.linspace(0, 1, 6)
    expected = 3 * (np.sum(np.linspace(0, 1, 6) ** 2) + 6 * 0.25)
    assert run(lambda *x: mind(*x, directions=300), real, fake) == pytest.approx(expected, rel=0.1)


def test_a_set_and_itself_and_order():
    real, fake, _ = wide()
    assert run(mind, real, real[::-1]) < 1e-20
    np.testing.assert_allclose(run(mind, real[:173], fake[::-1]), run(mind, real[:173], fake), rtol=1e-12)


def test_the_larger_side_is_drawn_from():
    """Oracle: equal rows on both sides: whatever is drawn of 40 times the same 5 rows, sorted, is far from no fake."""
    rows = golden().double().real[:5]
    drawn = run(lambda *x: mind(*x, directions=64), np.tile(rows, (40, 1)), np.tile(rows, (20, 1)))
    assert drawn < run(lambda *x: mind(*x, directions=64), np.tile(rows, (40, 1)), np.tile(rows + 1, (20, 1)))
    swapped = run(lambda *x: mind(*x, directions=64), np.tile(rows, (20, 1)), np.tile(rows, (40, 1)))
    np.testing.assert_allclose(swapped, drawn, rtol=1e-9)


def test_seeds():
    real, fake, _ = wide()
    first, again, other = (run(lambda *x, s=s: mind(*x, seed=s, directions=50), real, fake) for s in (1, 1, 2))
    assert first == again != other
    assert other == pytest.approx(float(first), rel=0.3)


def test_blocks_do_not_change_the_value():
    real, fake, _ = wide()
    whole = run(lambda *x: mind(*x, directions=50), real, fake)
    for block in (1, 7):
        np.testing.assert_allclose(
            run(lambda *x, b=block: mind(*x, directions=50, block=b), real, fake), whole, rtol=1e-12
        )


def test_what_cannot_be_is_said():
    real, fake, _ = wide()
    with pytest.raises(UserError, match="directions of MIND must be at least 1, got 0"):
        mind(real, fake, directions=0)
    with pytest.raises(UserError, match="MIND takes at least 2 images"):
        mind(real[:1], fake)
