"""Noise belongs to an example, not to the way a batch is cut."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.game import draw, normal, random
from jaxgan.game.random import example_keys, global_rows

KEY = jax.random.key(3)


def test_a_row_has_the_same_noise_in_any_part_of_the_batch():
    whole = normal(example_keys(KEY, jnp.arange(8)), (5,))
    part = normal(example_keys(KEY, jnp.array([6, 1])), (5,))
    np.testing.assert_array_equal(part, whole[jnp.array([6, 1])])
    assert len(np.unique(whole)) == whole.size


def test_rows_of_devices_continue_each_other():
    rows = jax.vmap(lambda _: global_rows(4, "data"), axis_name="data")(jnp.arange(3))
    np.testing.assert_array_equal(rows.ravel(), np.arange(12))


def test_normal_noise_is_standard_normal_across_examples():
    """Oracle: mean and variance of 20,000 draws, five standard errors."""
    noise = normal(example_keys(KEY, jnp.arange(5000)), (4,))
    assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
    assert abs(noise.var() - 1) < 5 * np.sqrt(2 / noise.size)


def test_draw_passes_options_on():
    x = draw(jax.random.uniform, example_keys(KEY, jnp.arange(100)), (3,), minval=2.0, maxval=3.0)
    assert x.shape == (100, 3)
    assert 2 <= x.min() < x.max() <= 3
    flips = draw(jax.random.bernoulli, example_keys(KEY, jnp.arange(1000)), (), p=0.2)
    assert flips.shape == (1000,)
    assert 0.1 < flips.mean() < 0.3


@pytest.mark.parametrize(("key", "got"), [
    (0, "got 0"), (jax.random.split(KEY, 3), r"got keys \[3\]"), (np.zeros(2), "got array"), (None, "got None")
])  # fmt: skip
def test_what_is_no_key_is_one_sentence(key, got):
    with pytest.raises(UserError, match=rf"^a key takes what jax\.random\.key\(seed\) makes, {got}"):
        random.check_key(key)


@pytest.mark.parametrize(("keys", "got"), [
    (0, "got 0"), (jax.random.key(0), "got one key"), (jax.random.PRNGKey(0), "got one key")
])  # fmt: skip
def test_what_is_no_row_of_keys_is_one_sentence(keys, got):
    with pytest.raises(UserError, match=rf"^keys take one for each example, .*, {got}\.$"):
        random.check_keys(keys)


def test_keys_of_both_kinds_pass():
    random.check_key(jax.random.key(0))
    random.check_key(jax.random.PRNGKey(0))
    random.check_keys(jax.random.split(jax.random.key(0), 3))
    random.check_keys(jax.random.split(jax.random.PRNGKey(0), 3))


def test_steps_verbs_and_noise_ask_for_keys():
    """In a process of its own: here annotations are checked first."""
    code = """
import jax, jax.numpy as jnp
from jaxgan import fields, recipes
from jaxgan.errors import UserError
from jaxgan.game import normal
from jaxgan.losses.penalties import gradient_penalty, r1
recipe = recipes.load("gan")
system = recipe.build(recipe.Config(g_widths=(4,), d_widths=(4,)), {"image": fields.image(4, 4, 1)})
state, one = system.init(jax.random.key(0)), jax.random.key(1)
pair = (jnp.zeros((2, 3)), jnp.zeros((2, 3)))
for call in (
    lambda: system.init(0),
    lambda: system.step(state, {"image": jnp.zeros((64, 4, 4, 1))}, 0),
    lambda: system.verbs["sample"](state, {}, one),
    lambda: normal(one, (3,)),
    lambda: r1(lambda x: x[0].sum(1), pair),
    lambda: gradient_penalty(lambda x: x[0].sum(1), pair, pair, jax.random.split(one, 2)),
):
    try:
        call()
    except UserError as error:
        print(str(error).partition(",")[0])
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    key, keys = "a key takes what jax.random.key(seed) makes", "keys take one for each example"
    assert told.splitlines() == [key, key, keys, keys, *["a penalty takes one array of examples"] * 2]
