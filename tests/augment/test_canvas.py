import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.augment import canvas
from jaxgan.errors import UserError

PICTURE = np.random.default_rng(0).random((6, 5, 2)).astype(np.float32)


def by_hand(line, new, mode):
    """A line in another size, pixel by pixel."""
    old = len(line)
    made = []
    for i in range(new):
        if mode == "area":
            made.append(line[i * old // new : -(-(i + 1) * old // new)].mean())
            continue
        at = (i + 0.5) * old / new - 0.5
        at = max(at, 0) if mode == "bilinear" else at
        start = int(np.floor(at))
        taps = (0, 1) if mode == "bilinear" else (-1, 0, 1, 2)
        away = [abs(at - start - k) for k in taps]
        weights = [1 - d for d in away] if mode == "bilinear" else [cubic(d) for d in away]
        made.append(sum(w * line[np.clip(start + k, 0, old - 1)] for w, k in zip(weights, taps, strict=True)))
    return np.array(made)


def cubic(d, a=-0.75):
    return (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a


# Oracle: each pixel by itself, in NumPy; the same program for all sizes. (PyTorch's `interpolate` agreed to 5e-7.)
@pytest.mark.parametrize("mode", canvas.MODES)
def test_resized_is_the_filter_by_hand(mode):
    resize = jax.jit(lambda made, size: canvas.resized(made, size, canvas.MODES.index(mode)))
    for height, width in ((3, 9), (8, 2), (6, 5)):
        made = resize(canvas.canvas(jnp.asarray(PICTURE), 8, 9), jnp.array([height, width]))
        across = np.apply_along_axis(by_hand, 1, PICTURE.astype(np.float64), width, mode)
        wanted = np.apply_along_axis(by_hand, 0, across, height, mode)
        np.testing.assert_allclose(made.pixels[:height, :width], wanted, atol=1e-6)
        assert made.size.tolist() == [height, width]
    np.testing.assert_allclose(made.pixels[:6, :5], PICTURE, atol=1e-6)  # its own size changes nothing


# Oracle: NumPy's pads.
def test_what_is_beyond_is_mirrored_or_the_edge():
    made = canvas.canvas(jnp.asarray(PICTURE), 9, 7)._replace(size=jnp.array([6, 5]))
    dirty = made._replace(pixels=made.pixels.at[6:].set(9).at[:, 5:].set(9))
    wanted = np.pad(PICTURE, ((3, 6), (3, 5), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(canvas.mirrored(dirty, 3), wanted)
    np.testing.assert_array_equal(canvas.clamped(dirty), np.pad(PICTURE, ((0, 3), (0, 2), (0, 0)), mode="edge"))


def test_a_sheet_that_is_too_small_is_refused():
    with pytest.raises(UserError, match="a canvas of 4x9 is smaller than its picture of 6x5"):
        canvas.canvas(jnp.asarray(PICTURE), 4, 9)
