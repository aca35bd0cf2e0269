import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.augment import noise

GREYS = jnp.broadcast_to(jnp.array([0.2, 0.4, 0.8]), (60, 60, 3))


# Oracles: the standard deviation asked for; the variance of Poisson's distribution.
@pytest.mark.parametrize("grey", [False, True])
def test_noise_has_its_spread(grey):
    bell = np.asarray(noise.gaussian(jax.random.key(0), GREYS, 0.1, grey) - GREYS)
    np.testing.assert_allclose(bell.std((0, 1)), 0.1, rtol=0.05)
    counted = np.asarray(noise.poisson(jax.random.key(0), GREYS, 2.0, grey) - GREYS)
    light = np.full(3, noise.luminance(GREYS)[0, 0]) if grey else np.array([0.2, 0.4, 0.8])
    np.testing.assert_allclose(counted.std((0, 1)), 2 * np.sqrt(light / 255), rtol=0.05)
    for each in (bell, counted):
        np.testing.assert_allclose(each.mean((0, 1)), 0, atol=0.01)
        apart = np.corrcoef(each.reshape(-1, 3).T)[0, 1]
        assert apart > 0.99 if grey else abs(apart) < 0.05


def test_luminance_keeps_white_and_takes_means_of_other_channels():
    np.testing.assert_allclose(noise.luminance(jnp.ones((2, 3))), 1, atol=1e-6)
    np.testing.assert_allclose(noise.luminance(jnp.array([[1.0, 0.0, 0.0]])), 0.299, atol=1e-6)
    np.testing.assert_allclose(noise.luminance(jnp.array([[0.2, 0.4]])), 0.3, atol=1e-6)
