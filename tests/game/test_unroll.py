"""Unrolled opponents: by hand, by finite differences, and in a game."""

import inspect
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import Aux, Move, Round, init_state, make_train_step, parallel
from jaxgan.game.unroll import unroll
from jaxgan.layers.spectral import SpectralDense
from jaxgan.losses import adversarial
from tests.game import toy

RATE = 0.3
ADAM = optax.adam(0.05, eps_root=1e-8)


def d_value(d, x, x_fake):
    return adversarial.mean(adversarial.binary_cross_entropy(toy.judge(d, x), toy.judge(d, x_fake)))


def g_value(d, x, x_fake, optimizer=RATE, steps=3, axis_name=None):
    answer = unroll(lambda d: d_value(d, x, x_fake), d, optimizer, steps, axis_name)
    return adversarial.mean(adversarial.non_saturating(toy.judge(answer, x_fake)))


# Oracle: theta_k = a + (1 - rate)^k (theta_0 - a), by hand, whose slope in a is 1 - (1 - rate)^k.
@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_descent_of_a_quadratic(steps):
    def answer(a):
        return unroll(lambda theta: 0.5 * jnp.sum((theta - a) ** 2), jnp.array([3.0, -1.0]), 0.1, steps)

    a, shrink = jnp.array([1.0, 2.0]), 0.9**steps
    np.testing.assert_allclose(answer(a), a + shrink * (jnp.array([3.0, -1.0]) - a), rtol=1e-5)
    np.testing.assert_allclose(jax.jacobian(answer)(a), (1 - shrink) * np.eye(2), atol=1e-6)


# Oracle: central differences in float64, through the critic's answer and through the fakes that it judges.
@pytest.mark.parametrize("optimizer", [RATE, ADAM], ids=["descent", "adam"])
def test_gradient_by_finite_differences(optimizer):
    with jax.enable_x64(True):
        d = jax.tree.map(lambda p: p.astype(jnp.float64), toy.params()["d"])
        x, x_fake, direction = jax.random.normal(jax.random.key(1), (3, 6, 2), jnp.float64)
        f = jax.jit(jax.value_and_grad(lambda x_fake: g_value(d, x + 1, x_fake, optimizer)))
        numeric = (f(x_fake + 1e-6 * direction)[0] - f(x_fake - 1e-6 * direction)[0]) / 2e-6
        exact = jnp.vdot(f(x_fake)[1], direction)
        np.testing.assert_allclose(exact, numeric, rtol=1e-6)
        stale = jnp.vdot(jax.grad(lambda x_fake: g_value(d, x + 1, x_fake, steps=0))(x_fake), direction)
        assert abs(stale - exact) > 1e-3


# Oracle: central differences in float64. The curvature of a singular value counts here, which no penalty asks for.
def test_gradient_through_a_spectrally_normalised_critic():
    with jax.enable_x64(True):
        layer = SpectralDense(3, dtype=jnp.float64, param_dtype=jnp.float64)
        x, x_fake, direction = jax.random.normal(jax.random.key(3), (3, 5, 4), jnp.float64)
        variables = layer.init(jax.random.key(0), x, train=False)

        def judge(d, x):
            return jnp.tanh(layer.apply({**variables, "params": d}, x, train=False)).sum(1)

        @jax.jit
        @jax.value_and_grad
        def f(x_fake):
            def loss(d):
                return adversarial.mean(adversarial.binary_cross_entropy(judge(d, x), judge(d, x_fake)))

            return judge(unroll(loss, variables["params"], RATE, 3), x_fake).sum()

        numeric = (f(x_fake + 1e-6 * direction)[0] - f(x_fake - 1e-6 * direction)[0]) / 2e-6
        np.testing.assert_allclose(jnp.vdot(f(x_fake)[1], direction), numeric, rtol=1e-6)


# Oracle: the same rate, known when the program is made.
def test_a_rate_may_be_traced():
    x, x_fake = jax.random.normal(jax.random.key(1), (2, 6, 2))
    expected = g_value(toy.params()["d"], x, x_fake, 0.3)
    found = jax.jit(lambda rate: g_value(toy.params()["d"], x, x_fake, rate))(0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def game(optimizer=RATE, axis_name=None):
    def d_loss(params, vars, x_fake, batch, rng):
        return d_value(params["d"], batch["x"], x_fake), Aux()

    def g_loss(params, vars, x_fake, batch, rng):
        return g_value(params["d"], batch["x"], x_fake, optimizer, axis_name=axis_name), Aux()

    rounds = (Round(play=toy.play, moves=(Move("d", d_loss), Move("g", g_loss))),)
    sgd = {"g": optax.sgd(0.05), "d": optax.sgd(0.2)}
    return make_train_step(rounds, sgd, axis_name=axis_name), init_state(rounds, sgd, toy.variables())


def test_a_game_equals_one_by_hand():
    """Oracle: three written steps of descent inside the generator's loss; the discriminator itself moves once."""
    step, state = game()
    batch = toy.batch()
    state, metrics = jax.jit(step)(state, batch, toy.RNG)
    z, d, g = toy.noise(0, 0, range(16)), toy.params()["d"], toy.params()["g"]
    of_d = jax.jit(jax.grad(lambda d, x_fake: d_value(d, batch["x"], x_fake)))
    d = toy.sgd(d, of_d(d, toy.generate(g, z)), 0.2)

    def of_g(g):
        x_fake, answer = toy.generate(g, z), d
        for _ in range(3):
            answer = toy.sgd(answer, of_d(answer, x_fake), RATE)
        return -jnp.log(jax.nn.sigmoid(toy.judge(answer, x_fake))).mean()

    loss, grads = jax.jit(jax.value_and_grad(of_g))(g)
    np.testing.assert_allclose(metrics["g/loss"], loss, rtol=2e-5)
    chex.assert_trees_all_close(state.players["d"].params, d, rtol=2e-5, atol=2e-6)
    chex.assert_trees_all_close(state.players["g"].params, toy.sgd(g, grads, 0.05), rtol=2e-5, atol=2e-6)


# Oracle: one device. The opponent's steps are taken on the mean gradient of all devices.
@pytest.mark.parametrize(("mode", "optimizer"), [("pmap", RATE), ("shard_map", ADAM)])
def test_four_devices_agree_with_one(mode, optimizer):
    step, state = game(optimizer)
    expected = jax.jit(step)(state, toy.batch(), toy.RNG)
    step, state = game(optimizer, parallel.axis_name_of(mode))
    run = parallel.parallelize(step, mode, parallel.make_mesh(jax.devices()[:4]), donate=False)
    found = run(state, toy.batch(), toy.RNG)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5), found, expected)


def test_impossible_arguments_are_named():
    for steps in (-1, float("nan"), 2.5):
        with pytest.raises(UserError, match="whole number of at least 0 steps"):
            inspect.unwrap(unroll)(jnp.sum, jnp.ones(2), 0.1, steps)
    with pytest.raises(UserError, match="rate"):
        unroll(jnp.sum, jnp.ones(2), 0.0, 1)
