"""DiffAugment, against NumPy replays of each image's draws; closed forms of its shares."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.augment import diff

X = jax.random.normal(jax.random.key(1), (40, 9, 8, 3))
KEYS = jax.random.split(jax.random.key(0), 40)


# Oracle: each image's three numbers, drawn again, and the formulas in float64.
def test_colour_is_brightness_saturation_contrast():
    y = np.asarray(diff.colour(KEYS, X))
    for key, x, made in zip(KEYS, np.asarray(X, np.float64), y, strict=True):
        brightness, saturation, contrast = np.asarray(jax.random.uniform(key, (3,)), np.float64)
        x = x + brightness - 0.5
        x = (x - x.mean(-1, keepdims=True)) * 2 * saturation + x.mean(-1, keepdims=True)
        x = (x - x.mean()) * (contrast + 0.5) + x.mean()
        np.testing.assert_allclose(made, x, rtol=1e-4, atol=1e-5)
    grey = diff.colour(KEYS, X[..., :1])  # of one channel, saturation changes nothing
    spread = np.asarray(grey.std((1, 2, 3)) / X[..., :1].std((1, 2, 3)))
    assert 0.5 <= spread.min() < 0.65
    assert 1.35 < spread.max() <= 1.5


# Oracle: NumPy's pad with zeros, cut at every possible place; a side of 9 or 8 moves by one pixel.
def test_translation_moves_zeros_in():
    y, x = np.asarray(diff.translation(KEYS, X)), np.asarray(X)
    places = set()
    for i in range(40):
        padded = np.pad(x[i], ((1, 1), (1, 1), (0, 0)))
        found = [(r, c) for r in range(3) for c in range(3) if np.allclose(padded[r : r + 9, c : c + 8], y[i])]
        assert len(found) == 1
        places.update(found)
    assert len(places) == 9


# Oracle: a rectangle clipped at the edges: of 17 places of an edge nine keep all 8 pixels, two each 7, 6, 5 and 4.
def test_cutout_is_a_hole_of_half_the_sides():
    x = jnp.ones((4000, 16, 16, 1))
    holes = np.asarray(diff.cutout(jax.random.split(jax.random.key(2), 4000), x))[..., 0] == 0
    for hole in holes[:40]:
        rows, columns = hole.any(1), hole.any(0)
        np.testing.assert_array_equal(hole, rows[:, None] & columns)
        assert rows.sum() <= 8 >= columns.sum()
        assert np.abs(np.diff(rows.astype(int))).sum() <= 2
    shares = holes.mean((1, 2))
    assert shares.min() == 1 / 16
    assert shares.max() == 1 / 4
    np.testing.assert_allclose(shares.mean(), (116 / 17 / 16) ** 2, atol=0.003)


def test_one_key_an_image_and_conditions_keep_their_colours():
    y = diff.diffaugment(KEYS, X, conditions=2)
    np.testing.assert_allclose(diff.diffaugment(KEYS[5:9], X[5:9], conditions=2), y[5:9], rtol=1e-5, atol=1e-6)
    kept = np.isin(np.asarray(y[..., :2]), np.append(np.asarray(X[..., :2]), 0))
    assert kept.all()
    assert not np.isin(np.asarray(y[..., 2]), np.append(np.asarray(X[..., 2]), 0)).all()


# Oracle: the slope of a square is twice the map's transpose of the map; T is affine.
@pytest.mark.parametrize("change", [diff.colour, diff.translation, diff.cutout, diff.diffaugment])
def test_slopes_of_every_order(change):
    keys, x, along = KEYS[:2], X[:2], X[2:4]
    moved = change(keys, x + along) - change(keys, x)
    _, slope = jax.jvp(lambda x: change(keys, x), (x,), (along,))
    np.testing.assert_allclose(slope, moved, atol=1e-5)
    curved = jax.grad(lambda x: jnp.square(jax.grad(lambda x: jnp.square(change(keys, x)).sum() / 2)(x)).sum())(x)
    assert np.isfinite(curved).all()
    assert np.abs(curved).max() > 0
