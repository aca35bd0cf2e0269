"""Sampling. Oracle: the verb itself, one example at a time."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.fields import Field, image
from jaxgan.game import GameState, Verb, normal
from jaxgan.show import given as givens
from jaxgan.show.sampling import BATCH, example_keys, make_batches, make_sampler
from jaxgan.show.sets import MOST


def make(state, given, keys):
    return {"image": jnp.tanh(state.extras["x"] * normal(keys, (4, 4, 1)))}


VERB = Verb(make, makes={"image": image(4, 4, 1)})
STATE = GameState(jnp.int32(0), {}, {"x": jnp.float32(0.5)}, {})


def sample(n, seed=1, verb=VERB, given=givens.nothing):
    return make_sampler(verb, n, seed, given)(STATE)["image"]


def test_image_i_is_the_same_whatever_n():
    many = sample(70)  # more than one batch
    np.testing.assert_array_equal(sample(3), many[:3])
    np.testing.assert_array_equal(sample(66), many[:66])
    assert not np.array_equal(sample(3, seed=2), many[:3])
    assert len({each.tobytes() for each in many}) == 70


def test_images_are_those_of_the_verb_as_they_are_stored():
    one = VERB(STATE, {}, example_keys(1, 3)[2:3])["image"][0]
    made = sample(3)
    assert made.dtype == np.uint8
    assert np.abs(made[2].astype(int) - np.round((np.asarray(one) + 1) * 127.5).astype(int)).max() <= 1


def test_labels_reach_the_verb():
    field = Field("label", (), tuple("abcde"))
    run = lambda state, given, keys: {"vector": given["label"][:, None] * jnp.ones((1, 3))}  # noqa: E731
    verb = Verb(run, {"vector": Field("vector", (3,))}, {"label": field})
    made = make_sampler(verb, 70, 1, givens.in_turn(verb.given))(STATE)["vector"]
    assert made[:, 0].tolist() == [i % 5 for i in range(70)]


def test_given_fields_are_seen_as_networks_see_them():
    verb = Verb(lambda state, given, keys: {"vector": given["image"][:, 0, 0]}, {"vector": Field("vector", (1,))})
    verb = dataclasses.replace(verb, given={"image": image(1, 1, 1)})
    given = givens.the_same({"image": np.full((1, 1, 1), 255, np.uint8)})
    assert make_sampler(verb, 2, 1, given)(STATE)["vector"].tolist() == [[1.0], [1.0]]


def test_the_first_batch_of_very_many_images():
    batches = make_batches(VERB, MOST, 1, givens.nothing)(STATE)
    first, second = (batch["image"] for batch in itertools.islice(batches, 2))
    np.testing.assert_array_equal(first[:3], sample(3))
    assert len(first) == len(second) == BATCH


def test_keys_of_samples_are_not_those_of_training():
    # Training folds the step into the run's key; the sample keys of the same seed must be others.
    training = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(1), jnp.arange(100))
    ours = jax.random.key_data(example_keys(1, 100))
    assert not {row.tobytes() for row in np.asarray(ours)} & {
        row.tobytes() for row in np.asarray(jax.random.key_data(training))
    }


def test_what_a_verb_does_not_make_is_one_sentence():
    verb = dataclasses.replace(VERB, makes={**VERB.makes, "mask": Field("mask", (4, 4, 1))})
    with pytest.raises(UserError, match="a verb makes image, mask, but its `run` gave no mask"):
        sample(1, verb=verb)


def test_a_verb_can_be_compiled_as_it_is():
    verb = Verb(make, makes={"image": image(4, 4, 1)})
    state = GameState(jnp.zeros((), jnp.int32), {}, {"x": jnp.float32(0.5)}, {})
    keys = jax.random.split(jax.random.key(0), 3)
    np.testing.assert_allclose(jax.jit(verb)(state, {}, keys)["image"], make(state, {}, keys)["image"], rtol=1e-6)
    assert repr(verb) == "Verb(given=[], makes=['image'], truth=[])"
