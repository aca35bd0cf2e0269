"""Bicubic resampling against MATLAB's `imresize` written out in NumPy, float64, one output pixel at a time."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.layers import bicubic


def cubic(t):
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, np.where(t <= 2, far, 0))


def imresize_axis(x, scale):
    """Along the first axis: MATLAB's contributions, positions counted from 1, the index mirrored with its edge."""
    n, stretch = len(x), min(scale, 1)
    mirror = np.concatenate([np.arange(n), np.arange(n)[::-1]])
    made = []
    for i in range(1, int(np.ceil(n * scale)) + 1):
        centre = i / scale + 0.5 * (1 - 1 / scale)
        taps = np.arange(np.floor(centre - 2 / stretch), np.ceil(centre + 2 / stretch) + 1)
        weights = stretch * cubic(stretch * (centre - taps))
        made.append(np.tensordot(weights / weights.sum(), x[mirror[(taps.astype(int) - 1) % (2 * n)]], 1))
    return np.stack(made)


def imresize(x, scale):
    return imresize_axis(imresize_axis(x.astype(np.float64), scale).swapaxes(0, 1), scale).swapaxes(0, 1)


@pytest.mark.parametrize("size", [(24, 36), (17, 30), (5, 8)])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_shrinking_is_matlabs(factor, size):
    x = np.random.default_rng(0).uniform(size=(*size, 2)).astype(np.float32)
    made = bicubic.shrink(jnp.asarray(x)[None], factor)[0]
    assert made.shape[:2] == tuple(-(-side // factor) for side in size)
    np.testing.assert_allclose(made, imresize(x, 1 / factor), atol=2e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarging_is_matlabs(factor):
    x = np.random.default_rng(1).uniform(size=(7, 9, 2)).astype(np.float32)
    np.testing.assert_allclose(bicubic.enlarge(jnp.asarray(x)[None], factor)[0], imresize(x, factor), atol=2e-6)


# Oracle: by hand; between two centres a straight line, at the edges the edge.
def test_bilinear_lines_are_straight():
    made = bicubic.bilinear(jnp.array([0.0, 4.0]).reshape(1, 1, 2, 1), 2)
    np.testing.assert_allclose(made[0, 0, :, 0], [0, 1, 3, 4])
    assert made.shape == (1, 2, 4, 1)


@pytest.mark.parametrize("resize", [bicubic.shrink, bicubic.enlarge])
def test_a_factor_below_one_is_refused(resize):
    with pytest.raises(UserError, match="by a factor of 1 or more, got 0"):
        resize(jnp.zeros((1, 4, 4, 1)), 0)
