import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.layers.resample import downsample, upsample

SIZES = [(7, 7), (14, 14), (28, 28), (4, 6), (1, 5)]
FILTER = np.convolve([1, 2, 1], [1, 1]) / 8  # sums to one


def _along(axis, f, x):
    return np.apply_along_axis(f, axis, np.asarray(x, np.float64))


def _spread_and_filter(row):
    """Zeros between the pixels, then the filter at twice its weight: every second pixel is a zero."""
    spread = np.zeros(2 * len(row))
    spread[::2] = row
    return np.convolve(spread, 2 * FILTER)[1:-2]


def _filter_and_pick(row):
    return np.convolve(row, FILTER)[2::2][: len(row) // 2]


def _image(size, channels=3):
    return jax.random.normal(jax.random.key(0), (2, *size, channels))


# Oracle: zeros between the pixels and an explicit FIR filter, in float64 numpy.
@pytest.mark.parametrize("size", SIZES)
def test_upsampling_is_its_filter(size):
    x = _image(size)
    wanted = _along(2, _spread_and_filter, _along(1, _spread_and_filter, x))
    assert wanted.shape == (2, 2 * size[0], 2 * size[1], 3)
    np.testing.assert_allclose(upsample(x), wanted, atol=1e-6)


# Oracle: an explicit FIR filter and every second pixel of the result, in float64 numpy.
@pytest.mark.parametrize("size", [(2 * h, 2 * w) for h, w in SIZES])
def test_downsampling_is_its_filter(size):
    x = _image(size)
    wanted = _along(2, _filter_and_pick, _along(1, _filter_and_pick, x))
    assert wanted.shape == (2, size[0] // 2, size[1] // 2, 3)
    np.testing.assert_allclose(downsample(x), wanted, atol=1e-6)


# Oracle: `jax.image.resize`, which differs at the border only, where it has no zeros outside.
def test_upsampling_is_bilinear_interpolation():
    x = _image((7, 6))
    wanted = jax.image.resize(x, (2, 14, 12, 3), "bilinear")
    np.testing.assert_allclose(upsample(x)[:, 1:-1, 1:-1], wanted[:, 1:-1, 1:-1], atol=1e-6)


# Oracle: <y, up(x)> = <4 down(y), x>: the two are each other's transpose, as the same symmetric filter makes them.
def test_the_two_are_transposes_of_each_other_and_so_are_their_gradients():
    x, y = _image((3, 4)), _image((6, 8))
    np.testing.assert_allclose(jnp.vdot(y, upsample(x)), jnp.vdot(4 * downsample(y), x), rtol=1e-5)
    np.testing.assert_allclose(jax.vjp(upsample, x)[1](y)[0], 4 * downsample(y), atol=1e-5)


# Oracle: 7 -> 14 -> 28 -> 14 -> 7 of a constant is the constant away from the border.
def test_constants_stay():
    x = jnp.ones((1, 7, 7, 1))
    large = upsample(upsample(x))
    assert large.shape == (1, 28, 28, 1)
    np.testing.assert_allclose(large[:, 6:-6, 6:-6], 1, rtol=1e-6)
    np.testing.assert_allclose(downsample(downsample(large))[:, 3, 3], 1, rtol=1e-6)


def test_odd_sides_are_one_sentence():
    with pytest.raises(UserError, match="images to halve must have even sides, got 7x4"):
        downsample(jnp.zeros((1, 7, 4, 1)))
