"""Perceptual losses and distances. Each test names its oracle."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.seen_by import fashion_cnn, perceptual
from jaxgan.metrics.seen_by.perceptual import Perceptual, difference, distance, named

RNG = np.random.default_rng(0)
PAIR = tuple(jnp.asarray(RNG.uniform(-1, 1, (2, 28, 28, 3)), jnp.float32) for _ in range(2))


def doubled(params, x):
    """Two maps by hand: the picture times a number, and its first pixel."""
    return [params * x, x[:, :1, :1]]


HAND = Perceptual("by hand", "", doubled, jnp.float32(2.0), (0.5, 3.0))


def squared(a, b):
    return jnp.square(a - b).mean()


# Oracle: by hand.
def test_a_difference_is_the_weighted_sum_over_maps():
    a, b = (jnp.full((1, 2, 2, 1), x) for x in (0.75, 0.5))
    assert difference(HAND, HAND.params, squared, (a, b), "all") == 0.5 * 0.25 + 3 * 0.0625
    assert difference(HAND, HAND.params, squared, (a, b), "last") == 0.0625
    even = HAND._replace(weights=())
    assert difference(even, HAND.params, squared, (a, b), "all") == (0.25 + 0.0625) / 2


# Oracle: equation 1 of Zhang et al. 2018 in NumPy, all weights 1.
def test_a_distance_is_of_unit_vectors():
    wanted = np.zeros(2)
    for maps in zip(*(doubled(2.0, np.asarray(x)) for x in PAIR), strict=True):
        active = [np.maximum(each, 0) for each in maps]
        unit = [each / np.sqrt((each**2).sum(-1, keepdims=True) + 1e-10) for each in active]
        wanted += ((unit[0] - unit[1]) ** 2).sum(-1).mean((1, 2))
    np.testing.assert_allclose(distance(HAND, *PAIR), wanted, rtol=1e-5)


@pytest.mark.parametrize("name", ["fashion-cnn", "random"])
def test_distances_know_equal_pictures_and_their_order(name):
    """Oracle: the definition: 0 for equal pictures, more for more noise."""
    network = named(name)
    measure = jax.jit(lambda x: distance(network, PAIR[0], x))
    near, far = (measure(PAIR[0] + share * (PAIR[1] - PAIR[0])) for share in (0.1, 0.5))
    np.testing.assert_allclose(measure(PAIR[0]), 0, atol=1e-6)
    assert (near > 0).all()
    assert (near < far).all()


# Oracle: the extractor's own layers, which see 28 pixels.
def test_maps_of_the_classifier_are_its_layers():
    network, grey = named("fashion-cnn"), perceptual.luminance(PAIR[0])
    found = jax.jit(lambda x: [jax.nn.relu(each) for each in network.maps(network.params, x)])(PAIR[0])
    for ours, theirs in zip(found, fashion_cnn.layers(network.params, (grey + 1) * 127.5), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_pictures_that_differ_in_shape_or_channels_are_one_sentence():
    with pytest.raises(UserError, match=r"compared one to one, got shapes \[2, 28, 28, 3\] and \[2, 4, 4, 3\]\.$"):
        distance(HAND, PAIR[0], jnp.zeros((2, 4, 4, 3)))
    with pytest.raises(UserError, match="pictures with 1 or 3 channels, got 2"):
        perceptual.luminance(jnp.zeros((1, 4, 4, 2)))


# Oracle: the digests of the two networks as they were first used; another network would make numbers incomparable.
def test_the_networks_stay_what_they_are():
    assert named("fashion-cnn").digest.startswith("6a0f1632edd20c86")
    assert named("random").digest.startswith(RANDOM)


RANDOM = "751d9a42cb038218"
