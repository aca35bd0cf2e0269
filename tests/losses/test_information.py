"""AC-GAN's and InfoGAN's terms at points where their values are known in closed form."""

from inspect import unwrap
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.losses import information

RNG = np.random.default_rng(0)
LOGITS, OTHER = RNG.normal(size=(2, 5, 4)).astype(np.float32) * 3
LABEL = np.array([0, 3, 1, 2, 3])


def minus_log_probability(logits, label):
    """By the definition, in float64."""
    p = np.exp(np.asarray(logits, np.float64))
    return -np.log(p[np.arange(len(label)), label] / p.sum(1))


def test_auxiliary_losses_equal_their_definitions():
    """Oracle: logarithms of probabilities in float64. D pays for real and for fake images, G for fakes."""
    label = jnp.asarray(LABEL)
    real, fake = jnp.asarray(LOGITS), jnp.asarray(OTHER)
    d, g = information.auxiliary_d(real, fake, label), information.auxiliary_g(fake, label)
    np.testing.assert_allclose(g, minus_log_probability(OTHER, LABEL), rtol=1e-5)
    np.testing.assert_allclose(d - g, minus_log_probability(LOGITS, LABEL), rtol=1e-5)


def test_gradient_of_the_cross_entropy():
    """Oracle: softmax minus one-hot."""
    gradient = jax.grad(lambda x: information.cross_entropy(x, jnp.asarray(LABEL)).sum())(jnp.asarray(LOGITS))
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    np.testing.assert_allclose(gradient, p - np.eye(4)[LABEL], atol=1e-6)


def test_logits_of_any_size_stay_finite_and_unknown_labels_do_not():
    """Oracle: the limit, a hundred thousand nats for a sure and wrong guess, none for a right one."""
    logits = jnp.array([[1e5, 0.0], [1e5, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(information.cross_entropy(logits, jnp.array([0, 1, 2])), [0, 1e5, np.nan])
    assert jnp.isnan(information.cross_entropy(logits, jnp.array([0, -1, 1]))[1])
    assert jnp.isnan(information.cross_entropy(jnp.zeros((1, 128)), jnp.array([-1], jnp.int8)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f, x: f.auxiliary_d(x, x[:2], jnp.zeros(3, int)), "class logits of real and fake images"),
        (lambda f, x: f.cross_entropy(x, jnp.zeros((3, 1), int)), "labels and rows of class logits"),
        (lambda f, x: f.gaussian_log_likelihood(x, x[:, :1]), "codes, means and logarithms of variances"),
    ],
)
def test_shapes_that_do_not_fit_are_named(call, words):
    plain = SimpleNamespace(**{name: unwrap(f) for name, f in vars(information).items() if callable(f)})
    with pytest.raises(UserError, match=words):
        call(plain, jnp.zeros((3, 4)))


def test_information_of_a_categorical_code():
    """Oracle: log k for a code that is read off every time, 0 for guessing, and I(c; x) of a channel for the best Q.

    The channel shows the right one of 4 codes with probability 0.7 and each other one with 0.1.
    """
    code = jnp.arange(4)
    np.testing.assert_allclose(information.categorical_information(1e3 * jnp.eye(4), code), np.log(4), rtol=1e-6)
    np.testing.assert_allclose(information.categorical_information(jnp.zeros((4, 4)), code), 0, atol=1e-6)
    channel = np.full((4, 4), 0.1) + 0.6 * np.eye(4)  # P(x|c) = P(c|x)
    # One guess for each of the 16 pairs of a code and an image.
    nats = information.categorical_information(jnp.log(jnp.asarray(np.tile(channel, (4, 1)))), jnp.repeat(code, 4))
    bound = np.sum(channel / 4 * np.asarray(nats).reshape(4, 4))
    np.testing.assert_allclose(bound, np.sum(channel / 4 * np.log(channel / 0.25)), rtol=1e-5)


def test_gaussian_log_likelihood_equals_its_definition():
    """Oracle: the logarithm of the density in float64, one factor a code."""
    code, mean, log_variance = RNG.normal(size=(3, 6, 2))
    arrays = [jnp.asarray(x, jnp.float32) for x in (code, mean, log_variance)]
    for given, variance in ((arrays, np.exp(log_variance)), (arrays[:2], np.ones_like(mean))):
        density = np.exp(-((code - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        expected = np.log(density.prod(1))
        np.testing.assert_allclose(information.gaussian_log_likelihood(*given), expected, rtol=1e-5)
        np.testing.assert_allclose(information.continuous_information(*given), expected + 2 * np.log(2), rtol=1e-4)


def test_the_best_mean_and_variance_are_those_of_the_codes():
    """Oracle: maximum likelihood: the slopes vanish at the codes' own mean and variance, and nowhere else."""
    code = jnp.asarray(RNG.uniform(-1, 1, (500, 1)), jnp.float32)

    def bound(mean, log_variance):
        spread = (jnp.full_like(code, x) for x in (mean, log_variance))
        return information.continuous_information(code, *spread).mean()

    slope = jax.grad(bound, (0, 1))
    np.testing.assert_allclose(slope(code.mean(), jnp.log(code.var())), 0, atol=1e-5)
    assert slope(code.mean() - 0.1, jnp.log(code.var()))[0] > 0 > slope(code.mean(), jnp.log(code.var()) + 0.1)[1]


def test_half_precision_is_summed_in_single():
    code, mean, log_variance = RNG.normal(size=(3, 6, 4))
    half = [jnp.asarray(x, jnp.bfloat16) for x in (code, mean, log_variance)]
    whole = [x.astype(jnp.float32) for x in half]
    np.testing.assert_array_equal(information.continuous_information(*half), information.continuous_information(*whole))
    label = jnp.arange(6) % 4
    np.testing.assert_array_equal(*(information.categorical_information(x[1], label) for x in (half, whole)))
    assert information.auxiliary_g(half[1], label).dtype == jnp.float32
