import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from laboratory import stacked

from jaxgan import data, fields


@pytest.fixture(autouse=True)
def _bundled(fashion, monkeypatch):
    """What is decoded already is not decoded again."""
    monkeypatch.setattr(data, "load", {"fashion_mnist_10k": fashion}.__getitem__)


# Oracle: the bundled labels. Channels are images of the data, and the classifier knows what most of them show.
def test_channels_are_bundled_images_that_the_classifier_knows(fashion):
    images, key = jnp.asarray(stacked.clothes()), jax.random.key(1)
    batch = stacked.stack(images, key, 40)
    rows = np.asarray(jax.random.randint(key, (40, 3), 0, len(images)))
    np.testing.assert_allclose((np.asarray(batch[7, :, :, 1]) + 1) * 127.5, images[rows[7, 1]], atol=1e-3)
    labels = data.resident(fashion, fields.only(fashion.spec, "label"))[0]["label"][rows]
    assert (np.asarray(stacked.classes(batch)) == labels).mean() > 0.9


# Oracle: by hand. One stack repeated is one mode of 1000: KL = log 1000.
def test_a_collapsed_generator_has_one_mode():
    one = stacked.stack(jnp.asarray(stacked.clothes()), jax.random.key(0), 1)
    found = stacked.count(iter([jnp.repeat(one, 20, 0)] * 2))
    assert found.covered == 1
    np.testing.assert_allclose(found.reverse_kl, np.log(1000))


# Oracle: by hand. It is looked at after a quarter of the steps and at the end, and goes on from the first look.
def test_training_is_looked_at_twice():
    config = dataclasses.replace(stacked.BASE, steps=8, batch_size=4, g_width=2, d_width=2, z_dim=4)
    system = stacked.build(stacked.Condition(config))
    advance, images = stacked.advancing(system), jnp.asarray(stacked.clothes()[:50])
    (early, first), (late, last) = ((n, jax.device_get(s)) for n, s in stacked.train(system, images, 0, advance))
    assert (early, late) == (first.step, last.step) == (2, 8)
    init_key, key, _ = jax.random.split(jax.random.key(0), 3)
    whole = advance(jax.jit(system.init)(init_key), images, key, 8)
    chex.assert_trees_all_equal(jax.device_get(whole.players), last.players)
    assert next(stacked.sampling(system)(whole, 3, 0)).shape == (3, 28, 28, 3)
