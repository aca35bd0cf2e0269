"""ADA's pipe: what each change is, how often it happens, and slopes through it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.augment import ada

X = jax.random.normal(jax.random.key(1), (2, 9, 8, 3))
KEYS = jax.random.split(jax.random.key(0), 600)
SMOOTH = np.sin(np.linspace(0, 3, 16))[:, None, None] + np.cos(np.linspace(0, 2, 16))[None, :, None]


def matrix(x=(1, 0, 0), y=(0, 1, 0)):
    return jnp.array([x, y, (0, 0, 1)], jnp.float32)


# Oracle: the identity, through the enlarging and the shrinking of an orthogonal wavelet.
def test_nothing_happens_at_zero():
    np.testing.assert_allclose(ada.ada(KEYS[:2], X, jnp.float32(0)), X, atol=2e-5)


# Oracle: NumPy's reflecting pad, cut; what comes in is the mirror image.
def test_whole_pixels_are_exact():
    moved = ada.placed(X[0], matrix((1, 0, 2), (0, 1, -1)))
    padded = np.pad(np.asarray(X[0]), ((3, 3), (3, 3), (0, 0)), mode="reflect")
    np.testing.assert_allclose(moved, padded[2:11, 5:13], atol=2e-5)


# Oracle: NumPy's flips and quarter turns of a smooth picture, whose filter is not symmetric.
@pytest.mark.parametrize(
    ("of", "wanted"),
    [
        (matrix((-1, 0, 0)), SMOOTH[:, ::-1]),
        (matrix((0, 1, 0), (-1, 0, 0)), np.rot90(SMOOTH, -1)),
        (matrix((0, -1, 0), (1, 0, 0)), np.rot90(SMOOTH)),
    ],
)
def test_flips_and_turns(of, wanted):
    made = np.asarray(ada.placed(jnp.asarray(SMOOTH, jnp.float32), of))
    np.testing.assert_allclose(made, wanted, atol=0.05)
    np.testing.assert_allclose(made[4:-4, 4:-4], wanted[4:-4, 4:-4], atol=2e-3)


# Oracle: a smooth picture as a function, read at half the distance from the middle.
def test_enlarging_reads_between_pixels():
    places = (np.arange(16) - 7.5) / 2 + 7.5
    wanted = np.sin(places / 5)[:, None, None] + np.cos(places * 2 / 15)[None, :, None]
    made = np.asarray(ada.placed(jnp.asarray(SMOOTH, jnp.float32), matrix((0.5, 0, 0), (0, 0.5, 0))))
    np.testing.assert_allclose(made[3:-3, 3:-3], wanted[3:-3, 3:-3], atol=0.03)


# Oracle: probabilities that follow from the rules, of 4,000 images at p = 0.5.
def test_how_often():
    keys = jax.random.split(jax.random.key(0), 4_000)
    matrices = np.asarray(jax.vmap(lambda key: ada.place(key, (16, 16), jnp.float32(0.5)))(keys))
    linear = matrices[:, :2, :2]
    scales = np.sqrt(np.abs(np.linalg.det(linear)))
    assert abs((np.abs(scales - 1) > 1e-4).mean() - 0.5) < 0.03
    assert abs((np.linalg.det(linear) < 0).mean() - 0.25) < 0.03
    singular = np.linalg.svd(linear, compute_uv=False)
    assert abs((singular[:, 0] / singular[:, 1] > 1.001).mean() - 0.5) < 0.03
    assert 0.17 < np.log2(scales[np.abs(scales - 1) > 1e-4]).std() < 0.23
    straight = (np.abs(np.abs(linear).min(1)) < 1e-4).all(-1)
    assert abs(straight.mean() - 0.5) < 0.03  # neither of the two turns, each with 1 - sqrt(1/2)


# Oracle: rotations about grey: by 120 degrees channels change places; luma's flip and contrast by their formulas.
def test_colours():
    found = [np.asarray(ada.colours(key, jnp.float32(0.5), True), np.float64) for key in KEYS]
    for each in found[:50]:
        _, _, turned = np.linalg.svd(each[:, :3])
        greys = each[:, :3] @ np.ones(3)
        np.testing.assert_allclose(greys, greys[0], rtol=1e-4)
        assert np.isfinite(turned).all()
    assert abs(np.mean([abs(each[:, 3]).max() > 1e-6 for each in found]) - 0.5) < 0.07
    flipped = np.mean([(each[:, :3] @ np.ones(3))[0] < 0 for each in found])
    assert abs(flipped - 0.25) < 0.06
    third = np.eye(3)[[2, 0, 1]]
    angle = 2 * np.pi / 3
    turn = ada._GREY + np.cos(angle) * (np.eye(3) - ada._GREY) + np.sin(angle) * ada._CROSS
    np.testing.assert_allclose(turn, third, atol=1e-12)
    grey = ada.coloured(X[0, ..., :1], jnp.asarray(found[0], jnp.float32))
    gain, offset = found[0][:, :3].sum(1).mean(), found[0][:, 3].mean()
    np.testing.assert_allclose(grey, gain * X[0, ..., :1] + offset, rtol=1e-4, atol=1e-5)


# Oracle: T is affine in the image: its slope is a difference.
def test_slopes_of_every_order_and_one_key_an_image():
    change = jax.jit(lambda x: ada.ada(KEYS[:2], x, jnp.float32(0.8), 1))
    _, slope = jax.jvp(change, (X,), (jnp.flip(X, 0),))
    np.testing.assert_allclose(slope, change(X + jnp.flip(X, 0)) - change(X), atol=2e-4)
    curved = jax.grad(lambda x: jnp.square(jax.grad(lambda x: jnp.square(change(x)).sum() / 2)(x)).sum())(X)
    assert np.isfinite(curved).all()
    np.testing.assert_allclose(ada.ada(KEYS[1:2], X[1:], jnp.float32(0.8), 1), change(X)[1:], atol=1e-4)
