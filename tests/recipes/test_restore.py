"""Restore: its losses written out, what it is shown, and what its verb takes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import data as datasets
from jaxgan.augment import blur
from jaxgan.augment.jpeg import compressed
from jaxgan.augment.noise import luminance
from jaxgan.data.photographs import photograph
from jaxgan.errors import UserError
from jaxgan.fields import image
from jaxgan.recipes import restore
from jaxgan.recipes.common.damage import SENSOR, damage
from tests.recipes import contract

FIELD = image(32, 32, 3)
STORED = np.stack([photograph(name)[80:112, 100:132] for name in ("astronaut", "chelsea")])
TRUTH = FIELD.inside(STORED)
KEYS = jax.random.split(jax.random.key(2), 2)
EXACT = {"noises": (25.0, 25.0), "blurs": (1.5, 1.5), "qualities": (20.0, 20.0)}


# Oracle: NumPy on the same logits.
def test_the_losses_are_those_of_the_docstring():
    config = contract.config("restore", gan_weight=0.5, pixel_weight=2.0)
    logits = {"real": jnp.array([[[0.3, -1.0]]]), "fake": jnp.array([[[0.5, 2.0]]])}
    target, made, bad = jnp.full((1, 2, 2, 3), 0.5), jnp.full((1, 2, 2, 3), 0.25), jnp.zeros((1, 2, 2, 3))

    def judge(params, vars, x, y, rng):
        assert x is bad
        return logits["real" if y is target else "fake"], {}

    d_loss, g_loss = restore._losses(config, judge)
    batch, vars, rng = {"target": target}, {"d": {}}, jax.random.split(contract.KEY, 1)
    d = float(d_loss({}, vars, (bad, made), batch, rng)[0])
    g, aux = g_loss({}, vars, (bad, made), batch, rng)
    one = lambda x: np.log1p(np.exp(-np.asarray(x))).mean()  # noqa: E731
    zero = lambda x: np.log1p(np.exp(np.asarray(x))).mean()  # noqa: E731
    np.testing.assert_allclose(d, 0.5 * (one(logits["real"]) + zero(logits["fake"])), rtol=1e-6)
    np.testing.assert_allclose(g, 0.5 * one(logits["fake"]) + 2 * 0.25, rtol=1e-6)
    np.testing.assert_allclose(aux.metrics["l1"], 0.25)


# Oracles: the standard deviation asked for; the functions of `augment`, which have tests of their own.
def test_what_is_done_to_pictures():
    made = {kind: np.asarray(damage(kind, FIELD, **EXACT)(KEYS, TRUTH)) for kind in ("denoise", "colourise", "jpeg")}
    for each in made.values():
        np.testing.assert_allclose(each, FIELD.inside(FIELD.outside(each)), atol=1e-6)  # a file's 8 bits
    inside = np.abs(TRUTH) < 0.3  # where little is clipped
    assert (made["denoise"] - TRUTH)[inside].std() == pytest.approx(2 * 25 / 255, rel=0.1)
    np.testing.assert_allclose(made["colourise"], luminance(TRUTH), atol=1.01 / 255)
    np.testing.assert_allclose(made["jpeg"][0], 2 * compressed((TRUTH[0] + 1) / 2, 20) - 1, atol=1e-5)
    soft = np.asarray(damage("deblur", FIELD, **EXACT)(KEYS, TRUTH))
    wanted = np.stack([blur.blurred(x, blur.gaussian(1.5, 1.5)) for x in TRUTH])
    assert (soft - wanted).std() == pytest.approx(2 * SENSOR / 255, rel=0.15)


def test_how_much_is_drawn_for_each_picture_between_the_ends():
    keys = jax.random.split(jax.random.key(0), 40)
    grey = jnp.zeros((40, *FIELD.fixed))
    made = jax.jit(damage("denoise", FIELD, (5.0, 50.0), (1.0, 1.0), (50.0, 50.0)))(keys, grey)
    found = np.asarray(made).std((1, 2, 3)) * 255 / 2
    assert 4.5 < found.min() < 12
    assert 43 < found.max() < 52
    alone = damage("denoise", FIELD, (5.0, 50.0), (1.0, 1.0), (50.0, 50.0))(keys[7:8], grey[7:8])
    np.testing.assert_allclose(alone[0], made[7], atol=1.01 / 127)


def test_rows_of_the_data_have_bad_pictures_that_stay_the_same():
    """What sheets and `jaxgan evaluate` are shown: made of the good picture alone."""
    system = contract.build("restore", spec={"target": FIELD})
    data = datasets.with_derived(datasets.of_arrays({"target": STORED}, {"target": FIELD}), system.derives)
    assert data.spec["source"] == FIELD
    rows = datasets.with_derived(datasets.of_arrays({"target": STORED[::-1]}, {"target": FIELD}), system.derives)
    first, again = data.tables[0].source[0], rows.tables[0].source[1]
    np.testing.assert_array_equal(first["source"], again["source"])
    assert first["source"].dtype == np.uint8
    assert 5 < np.abs(first["source"].astype(float) - first["target"]).mean() < 40
    assert datasets.with_derived(data, {}) is data


@pytest.mark.parametrize(("name", "channels"), [("restore", 3), ("restore/colourise", 1)])
def test_a_picture_of_any_size_is_restored(name, channels):
    case = contract.case(name)
    verb = case.system.verbs["translate"]
    x = jax.random.uniform(contract.KEY, (2, 11, 15, channels), minval=-0.5, maxval=0.5)
    made = jax.jit(lambda state, x: verb(state, {"source": x}, contract.keys(0)[:2])["target"])(case.after, x)
    assert made.shape == (2, 11, 15, 3)
    if channels == 1:  # colours beside a brightness that is kept
        unclipped = np.abs(made).max(-1) < 1
        assert unclipped.any()
        np.testing.assert_allclose(luminance(made)[unclipped], x[unclipped], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "shape", "sentence"),
    [
        ({"noise": (40.0, 10.0)}, (16, 16, 3), "--noise takes two numbers from 0 to 255, the smaller first, got"),
        ({"blur": (0.05, 1.0)}, (16, 16, 3), "--blur takes two numbers from 0.1 to 5, the smaller first, got"),
        ({"quality": (10.0, 101.0)}, (16, 16, 3), "--quality takes two numbers from 1 to 100"),
        ({"degradation": "colourise"}, (16, 16, 1), "colourise takes pictures with 3 channels, got 1"),
        ({"degradation": "jpeg"}, (16, 16, 2), "jpeg takes pictures with 1 or 3 channels, got 2"),
        ({"degradation": "real"}, (12, 16, 3), "real takes pictures of at least 16 pixels a side, got 12x16"),
    ],
)
def test_what_cannot_be_is_one_sentence(change, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build("restore", spec={"target": image(*shape)}, **change)
