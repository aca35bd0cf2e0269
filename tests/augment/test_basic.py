import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import fields
from jaxgan.augment import basic
from jaxgan.errors import UserError

X = jax.random.normal(jax.random.key(1), (200, 5, 4, 2))
KEYS = jax.random.split(jax.random.key(0), 200)


# Oracle: numpy's reversal.
def test_flip_mirrors_about_half_of_the_images():
    y = np.asarray(basic.flip(KEYS, X))
    same = (y == np.asarray(X)).all((1, 2, 3))
    mirrored = (y == np.asarray(X)[:, :, ::-1]).all((1, 2, 3))
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


# Oracle: numpy's reflecting pad, cut at every possible place.
def test_shift_cuts_from_the_mirrored_surroundings():
    y, x = np.asarray(basic.shift(KEYS, X, 2)), np.asarray(X)
    places = set()
    for i in range(200):
        padded = np.pad(x[i], ((2, 2), (2, 2), (0, 0)), mode="reflect")
        found = [(r, c) for r in range(5) for c in range(5) if (padded[r : r + 5, c : c + 4] == y[i]).all()]
        assert len(found) == 1
        places.update(found)
    assert len(places) == 25
    np.testing.assert_array_equal(basic.shift(KEYS, X, 0), X)


def test_one_key_an_example():
    np.testing.assert_array_equal(basic.flip(KEYS[50:60], X[50:60]), basic.flip(KEYS, X)[50:60])
    np.testing.assert_array_equal(basic.shift(KEYS[50:60], X[50:60], 1), basic.shift(KEYS, X, 1)[50:60])


# Oracle: a flip is a permutation of pixels: the gradient of a weighted sum is the weights, moved back.
def test_gradients_flow_to_the_images():
    weights = jax.random.normal(jax.random.key(2), X.shape)
    gradient = jax.jit(jax.grad(lambda x: jnp.vdot(weights, basic.flip(KEYS, x))))(X)
    np.testing.assert_array_equal(gradient, basic.flip(KEYS, weights))
    shifted = jax.grad(lambda x: basic.shift(KEYS, x, 1).sum())(X)
    np.testing.assert_allclose(shifted.sum((1, 2, 3)), 40, rtol=1e-6)


@pytest.mark.parametrize("pixels", [-1, 4])
def test_impossible_shifts_are_named(pixels):
    with pytest.raises(UserError, match="takes 0 to 3 pixels"):
        basic.shift(KEYS, X, pixels)


# Oracle: numpy's reversal of each kind's left-right axis.
def test_all_pictures_of_an_example_are_mirrored_together():
    spec = {
        "source": fields.Field("label_map", (5, 4), ("a", "b")),
        "target": fields.image(5, 4, 3),
        "mask": fields.Field("mask", (5, 4, 1)),
        "film": fields.Field("video", (2, 5, 4, 3)),
        "label": fields.label(tuple("abc")),
        "voxels": fields.Field("voxels", (4, 4, 4)),
    }
    rng = np.random.default_rng(0)
    batch = {name: rng.integers(0, 99, (40, *field.shape)) for name, field in spec.items()}
    turned = basic.mirror(KEYS[:40], spec, {name: jnp.asarray(values) for name, values in batch.items()})
    axes = {"source": 1, "target": 1, "mask": 1, "film": 2}
    chosen = [not np.array_equal(turned["target"][i], batch["target"][i]) for i in range(40)]
    assert 8 < sum(chosen) < 32
    for name, values in batch.items():
        for i in range(40):
            expected = np.flip(values[i], axes[name]) if chosen[i] and name in axes else values[i]
            np.testing.assert_array_equal(turned[name][i], expected)
