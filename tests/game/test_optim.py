"""Adam of the players, and its lazy correction."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import adam, clipped, dtype_of


def updates(optimizer, gradients):
    state, moved = optimizer.init(jnp.float32(0)), []
    for gradient in gradients:
        update, state = optimizer.update(jnp.float32(gradient), state)
        moved.append(float(update))
    return moved


def by_hand(gradients, rate, b1, b2):
    """Kingma and Ba 2015, algorithm 1, in numpy."""
    m = v = 0.0
    moved = []
    for t, g in enumerate(gradients, start=1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        moved.append(-rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8))
    return moved


GRADIENTS = [1.0, -0.5, 3.0, 0.1]


def test_adam_is_adam():
    np.testing.assert_allclose(updates(adam(1e-2), GRADIENTS), by_hand(GRADIENTS, 1e-2, 0.5, 0.999), rtol=1e-4)


def test_lazy_correction_rescales_rate_and_betas():
    c = 16 / 17
    expected = by_hand(GRADIENTS, 1e-2 * c, 0.5**c, 0.99**c)
    np.testing.assert_allclose(updates(adam(1e-2, b2=0.99, lazy_every=16), GRADIENTS), expected, rtol=1e-4)


def test_a_schedule_is_read_at_the_training_step():
    """With k = 1 a player makes two updates a step: updates 0, 1, 2, 3 are steps 0, 0.5, 1, 1.5."""
    schedule = optax.linear_schedule(1.0, 0.0, 2)
    lazy = updates(adam(schedule, b1=0.0, b2=0.0, lazy_every=1), [1.0] * 4)
    np.testing.assert_allclose(lazy, [-0.5 * rate for rate in (1.0, 0.75, 0.5, 0.25)], rtol=1e-5)


def test_a_schedule_knows_of_several_moves_a_step():
    """Oracle: counting. Five moves a step and one more every second: 11 updates in 2 steps, at 10/11 of the rate."""
    schedule = optax.linear_schedule(1.0, 0.0, 4)
    for lazy_every, per_step, c in ((None, 5, 1.0), (2, 5.5, 10 / 11)):
        rule = adam(schedule, b1=0.0, b2=0.0, lazy_every=lazy_every, moves=5)
        expected = [-c * (1 - n / per_step / 4) for n in range(22)]
        np.testing.assert_allclose(updates(rule, [1.0] * 22)[:20], expected[:20], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"learning_rate": 0.0}, "learning rate must be above 0 and finite, got 0.0"),
        ({"learning_rate": float("inf")}, "learning rate must be above 0 and finite, got inf"),
        ({"learning_rate": 1e-3, "b1": 1.0}, "b1 must be at least 0 and below 1, got 1.0"),
        ({"learning_rate": 1e-3, "b2": -0.1}, "b2 must be"),
        ({"learning_rate": 1e-3, "lazy_every": 0}, "lazy_every must be at least 1 step, got 0"),
        ({"learning_rate": 1e-3, "moves": 0}, "moves must be at least 1 in a step, got 0"),
    ],
)
def test_impossible_numbers(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        adam(**arguments)


# Oracle: the same numbers, known when the program is made.
def test_numbers_may_be_traced():
    def update(rate, b1, limit):
        rule = clipped(adam(rate, b1), limit)
        return rule.update(jnp.float32(1.0), rule.init(jnp.float32(0.5)), jnp.float32(0.5))[0]

    np.testing.assert_allclose(jax.jit(update)(1e-2, 0.5, 0.4), update(1e-2, 0.5, 0.4), rtol=1e-6)


def test_precisions():
    chex.assert_equal(dtype_of("float32"), jnp.float32)
    chex.assert_equal(dtype_of("bfloat16"), jnp.bfloat16)
    with pytest.raises(UserError, match="precision must be one of float32, bfloat16, got 'float16'"):
        dtype_of("float16")
