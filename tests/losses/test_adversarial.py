"""The min-max game at the points where its value and gradients are known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.losses import adversarial

LOGITS = jnp.linspace(-8.0, 8.0, 33)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def test_value_is_minus_log_4_where_the_discriminator_cannot_tell():
    half = jnp.zeros((3, 2, 2, 1))
    np.testing.assert_allclose(adversarial.value(half, half), -np.log(4), rtol=1e-6)
    assert adversarial.value(half, half).shape == half.shape


def test_losses_equal_their_definitions():
    """Oracle: the formulas with logarithms of probabilities, in float64."""
    real, fake = LOGITS, LOGITS[::-1]
    d_loss = -np.log(sigmoid(real)) - np.log(1 - sigmoid(fake))
    np.testing.assert_allclose(adversarial.binary_cross_entropy(real, fake), d_loss, rtol=1e-5)
    np.testing.assert_allclose(adversarial.value(real, fake), -d_loss, rtol=1e-5)
    np.testing.assert_allclose(adversarial.saturating(fake), np.log(1 - sigmoid(fake)), rtol=1e-5)
    np.testing.assert_allclose(adversarial.non_saturating(fake), -np.log(sigmoid(fake)), rtol=1e-5)


def test_gradients_of_the_generators_losses():
    """Saturating: -D(G(z)); non-saturating: D(G(z)) - 1. One vanishes where D is sure, the other is largest there."""
    saturating = jax.vmap(jax.grad(adversarial.saturating))(LOGITS)
    non_saturating = jax.vmap(jax.grad(adversarial.non_saturating))(LOGITS)
    np.testing.assert_allclose(saturating, -sigmoid(LOGITS), rtol=1e-5)
    np.testing.assert_allclose(non_saturating, sigmoid(LOGITS) - 1, rtol=1e-4, atol=1e-7)
    sure = jax.grad(adversarial.saturating)(-30.0), jax.grad(adversarial.non_saturating)(-30.0)
    assert abs(sure[0]) < 1e-12 < 0.99 < abs(sure[1])


def test_the_optimal_discriminator_minimises_its_loss():
    """With densities p and q on three points, D* = p / (p + q) and V(D*, G) = 2 JSD(p, q) - log 4 (theorem 1)."""
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    logits = jnp.log(p / q)
    m = (p + q) / 2
    jsd = 0.5 * np.sum(p * np.log(p / m)) + 0.5 * np.sum(q * np.log(q / m))
    never = jnp.full(3, jnp.inf)  # a logit that adds nothing: sure, and right

    def loss(logits):
        of_real = adversarial.binary_cross_entropy(logits, -never)
        of_fake = adversarial.binary_cross_entropy(never, logits)
        return jnp.sum(p * of_real + q * of_fake)

    np.testing.assert_allclose(-loss(logits), 2 * jsd - np.log(4), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(loss)(logits), 0, atol=1e-7)


@pytest.mark.parametrize("game", [adversarial.minimax, adversarial.non_saturating_gan])
def test_extreme_logits_stay_finite(game):
    extreme = jnp.array([-1e4, 1e4])
    for loss in (lambda x: game.d(x, x), game.g):
        assert jnp.isfinite(loss(extreme)).all()
        assert jnp.isfinite(jax.grad(lambda x, loss=loss: loss(x).sum())(extreme)).all()


def test_scoreboard():
    board = adversarial.scoreboard(jnp.full((4,), 2.0), jnp.full((4,), -1.0))
    np.testing.assert_allclose(board["d_real"], sigmoid(2.0), rtol=1e-6)
    np.testing.assert_allclose(board["d_fake"], sigmoid(-1.0), rtol=1e-6)
    np.testing.assert_allclose(board["value"], np.log(sigmoid(2.0)) + np.log(1 - sigmoid(-1.0)), rtol=1e-6)
