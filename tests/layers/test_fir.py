import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.layers import fir, resample

X = jax.random.normal(jax.random.key(0), (2, 6, 8, 3))
KERNEL = jax.random.normal(jax.random.key(1), (3, 3, 3, 2))
CROOKED = (0.5, -1.0, 2.0, 3.0, 0.25)


def _filtered(x, taps, up, down, pads, axis):
    """Oracle: pixels and zeros written out, NumPy's convolution of each row, every `down`-th of it."""

    def of_row(row):
        spread = np.zeros(up * len(row))
        spread[::up] = row
        padded = np.pad(spread, [max(pad, 0) for pad in pads])
        padded = padded[max(-pads[0], 0) : len(padded) - max(-pads[1], 0)]
        return np.convolve(padded, taps, "valid")[::down]

    return np.apply_along_axis(of_row, axis, np.asarray(x, np.float64))


@pytest.mark.parametrize("taps", [(2.0,), (1.0, 2.0, 1.0), fir.BINOMIAL, CROOKED])
@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2), (3, 2), (2, 3), (2, 2), (4, 1)])
@pytest.mark.parametrize("pads", [(0, 0), (3, 2), (-1, 4)])
def test_a_filter_is_its_definition(taps, up, down, pads):
    wanted = _filtered(_filtered(X, taps, up, down, pads, 1), taps, up, down, pads, 2)
    np.testing.assert_allclose(fir.filtered(X, taps, up, down, pads), wanted, atol=2e-5)


# Oracle: the resampling of [1, 3, 3, 1] that there is, and nearest neighbours and means.
def test_known_filters():
    np.testing.assert_allclose(fir.upsampled(X), resample.upsample(X), atol=1e-6)
    np.testing.assert_allclose(fir.downsampled(X), resample.downsample(X), atol=1e-6)
    np.testing.assert_allclose(fir.upsampled(X, (1.0, 1.0)), resample.repeated(X, 2), atol=1e-6)
    means = X.reshape(2, 3, 2, 4, 2, 3).mean((2, 4))
    np.testing.assert_allclose(fir.downsampled(X, (1.0, 1.0)), means, atol=1e-6)


def _convolved(x, kernel, pad):
    """Oracle: a correlation written out, the zeros around x given."""
    x, kernel = np.pad(np.asarray(x, np.float64), ((0, 0), pad, pad, (0, 0))), np.asarray(kernel, np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("bhwikl,klio->bhwo", windows, kernel)


# Oracle: zeros between pixels, a correlation, and a filter at four times its weight (two an axis), in float64.
@pytest.mark.parametrize(("taps", "pads"), [(fir.BINOMIAL, (1, 1)), ((1.0, 2.0, 1.0), (1, 0))])
def test_convolving_and_enlarging(taps, pads):
    spread = np.zeros((2, 12, 16, 3))
    spread[:, ::2, ::2] = X
    wanted = _convolved(spread[:, :-1, :-1], KERNEL, (2, 2))
    normal = 2 * np.array(taps) / np.sum(taps)
    wanted = _filtered(_filtered(wanted, normal, 1, 1, pads, 1), normal, 1, 1, pads, 2)
    assert wanted.shape == (2, 12, 16, 2)
    np.testing.assert_allclose(fir.convolved_up(X, KERNEL, taps), wanted, atol=2e-5)


# Oracle: a filter, a correlation and every second pixel of it, in float64.
def test_convolving_and_shrinking():
    normal = np.array(fir.BINOMIAL) / 8
    smooth = _filtered(_filtered(X, normal, 1, 1, (2, 2), 1), normal, 1, 1, (2, 2), 2)
    wanted = _convolved(smooth, KERNEL, (0, 0))[:, ::2, ::2]
    np.testing.assert_allclose(fir.convolved_down(X, KERNEL), wanted, atol=2e-5)


# Oracle: a kernel of one pixel and the filter commute.
def test_kernels_of_one_pixel():
    kernel = KERNEL[:1, :1]
    up, down = (jnp.einsum("bhwi,io->bhwo", f(X), kernel[0, 0]) for f in (fir.upsampled, fir.downsampled))
    np.testing.assert_allclose(fir.convolved_up(X, kernel), up, atol=1e-5)
    np.testing.assert_allclose(fir.convolved_down(X, kernel), down, atol=1e-5)


# Oracle: finite differences of the slope's square, in float64, within a loop.
def test_second_derivatives_in_loops():
    with jax.enable_x64(True):
        x, kernel, way = (jnp.asarray(a, jnp.float64) for a in (X[:, :4, :4], KERNEL, X[:, 2:6, 4:8]))

        def slope(kernel):
            def value(x):
                return jnp.tanh(fir.convolved_down(fir.convolved_up(x, kernel), kernel.swapaxes(2, 3))).sum()

            return jax.lax.map(lambda x: jnp.square(jax.grad(value)(x[None])).sum(), x).sum()

        along, step = way[0, :3, :3, :, None] * jnp.ones(2), 1e-5
        found = jnp.vdot(jax.jit(jax.grad(slope))(kernel), along)
        wanted = (slope(kernel + step * along) - slope(kernel - step * along)) / (2 * step)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_impossible_sizes_are_one_sentence():
    with pytest.raises(UserError, match="even sides, got 7x8"):
        fir.convolved_down(jnp.zeros((1, 7, 8, 3)), KERNEL)
    with pytest.raises(UserError, match="a filter takes 1 to 3 taps for 3 pixels, got 4"):
        fir.filtered(jnp.zeros((1, 3, 3, 1)), fir.BINOMIAL)
