import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.special

from jaxgan.augment import blur

PICTURE = np.random.default_rng(0).random((24, 30, 3)).astype(np.float32)


def turned(wide, high, angle):
    """x^T S^-1 x from the covariance itself."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(turn @ np.diag([wide**2, high**2]) @ turn.T)
    y, x = np.mgrid[-blur.REACH : blur.REACH + 1, -blur.REACH : blur.REACH + 1]
    at = np.stack([x, y], -1)
    return np.einsum("...i,ij,...j->...", at, inverse, at)


# Oracle: the formulas of the paper, with an inverted matrix.
@pytest.mark.parametrize(("wide", "high", "angle"), [(2.0, 2.0, 0.0), (3.0, 0.8, 0.6)])
@pytest.mark.parametrize("power", [1.0, 0.6, 2.5])
def test_bells_and_plateaus_are_the_papers(wide, high, angle, power):
    q = turned(wide, high, angle)
    for made, wanted in (
        (blur.gaussian(wide, high, angle, power), np.exp(-0.5 * q**power)),
        (blur.plateau(wide, high, angle, power), 1 / (1 + q**power)),
    ):
        np.testing.assert_allclose(made, wanted / wanted.sum(), atol=1e-6)


# Oracle: SciPy's Bessel function.
def test_the_bessel_function_holds_over_a_kernel():
    x = np.linspace(0, 48, 200, dtype=np.float32)
    np.testing.assert_allclose(blur.bessel(jnp.asarray(x)), scipy.special.j1(x), atol=5e-6)


@pytest.mark.parametrize("reach", [3, 10])
def test_ringing_is_a_low_pass_filter_of_its_reach(reach):
    cutoff = 1.2
    y, x = np.mgrid[-blur.REACH : blur.REACH + 1, -blur.REACH : blur.REACH + 1]
    radius = np.hypot(x, y)
    with np.errstate(invalid="ignore"):
        wanted = cutoff * scipy.special.j1(cutoff * radius) / (2 * np.pi * radius)
    wanted[radius == 0] = cutoff**2 / (4 * np.pi)
    wanted = np.where(np.maximum(abs(x), abs(y)) <= reach, wanted, 0)
    np.testing.assert_allclose(blur.sinc(cutoff, reach), wanted / wanted.sum(), atol=1e-6)


# Oracle: SciPy's correlation, mirrored without repeating the edge.
def test_blurred_is_a_correlation():
    kernel = np.random.default_rng(1).random((blur.SIDE, blur.SIDE)).astype(np.float32)  # no symmetry
    made = blur.blurred(jnp.asarray(PICTURE), jnp.asarray(kernel / kernel.sum()))
    wanted = [scipy.ndimage.correlate(PICTURE[..., i], kernel / kernel.sum(), mode="mirror") for i in range(3)]
    np.testing.assert_allclose(made, np.stack(wanted, -1), atol=2e-6)
