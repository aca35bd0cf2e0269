"""Simultaneous moves, extragradient, optimism, clipping and schedules on games whose iterates are known."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import (
    Aux,
    Ema,
    Move,
    Round,
    adam,
    clipped,
    init_state,
    make_extragradient_step,
    make_train_step,
    optimistic,
    parallel,
    schedules,
)
from tests.game import toy

RATE = 0.1


def saddle(simultaneous):
    """min over x, max over y of x y: gradient descent circles around (0, 0) or flees it."""

    def of_x(params, vars, outcome, batch, rng):
        return params["x"] * params["y"], Aux()

    def of_y(params, vars, outcome, batch, rng):
        return -params["x"] * params["y"], Aux({"seen": vars["step"]})

    return (Round((Move("x", of_x), Move("y", of_y)), simultaneous=simultaneous),)


def play(rounds, optimizers, make=make_train_step, steps=5, start=(1.0, 0.5), **options):
    state = init_state(rounds, optimizers, {n: {"params": p} for n, p in zip("xy", start, strict=True)}, **options)
    step = jax.jit(make(rounds, optimizers, **options))
    path = []
    for _ in range(steps):
        state, metrics = step(state, jnp.zeros((4, 1)), toy.RNG)
        path.append([float(state.players[name].params) for name in "xy"])
    return state, metrics, np.array(path)


SGD = {"x": optax.sgd(RATE), "y": optax.sgd(RATE)}


def test_simultaneous_and_alternating_descent_are_linear_maps():
    """Oracle: powers of their 2 x 2 matrices. One has determinant 1 + rate^2 and diverges, the other 1 and circles."""
    together = np.array([[1, -RATE], [RATE, 1]])
    in_turn = np.array([[1, -RATE], [RATE, 1 - RATE**2]])
    for simultaneous, matrix in ((True, together), (False, in_turn)):
        _, metrics, path = play(saddle(simultaneous), SGD)
        expected = [np.linalg.matrix_power(matrix, t) @ [1.0, 0.5] for t in range(1, 6)]
        np.testing.assert_allclose(path, expected, rtol=1e-5)
        assert metrics["seen"] == 4  # losses read the number of steps done


def test_extragradient_is_the_linear_map_of_the_theory():
    """Oracle: w' = w - rate A (w - rate A w), whose eigenvalues 1 - rate^2 +- i rate lie within the unit circle."""
    A = np.array([[0.0, 1.0], [-1.0, 0.0]])
    matrix = np.eye(2) - RATE * A + RATE**2 * A @ A
    state, _, path = play(saddle(True), SGD, make_extragradient_step)
    np.testing.assert_allclose(path, [np.linalg.matrix_power(matrix, t) @ [1.0, 0.5] for t in range(1, 6)], rtol=1e-5)
    assert state.step == 5
    _, _, path = play(saddle(True), SGD, make_extragradient_step, steps=1000)
    assert np.linalg.norm(path[-1]) < 0.05 * np.linalg.norm(path[0])


def test_an_average_follows_the_true_steps_of_extragradient():
    """Oracle: the recursion of the average, over the path."""
    ema = {"x": Ema(0.01, rampup=None)}
    state, _, path = play(saddle(True), SGD, make_extragradient_step, ema=ema)
    average, weight = 1.0, 2 ** (-4 / 10)
    for x, _ in path:
        average = weight * average + (1 - weight) * x
    np.testing.assert_allclose(state.players["x"].ema, average, rtol=1e-5)


@pytest.mark.parametrize(
    ("mode", "make", "accumulate"),
    [
        ("pmap", make_train_step, 1),
        ("pmap", make_extragradient_step, 2),
        ("shard_map", make_train_step, 2),
        ("shard_map", make_extragradient_step, 1),
    ],
)
def test_parallel_modes_agree(mode, make, accumulate):
    """Four devices against one, a simultaneous game with averages, with and without accumulation."""
    rounds = (toy.ROUND._replace(simultaneous=True),)
    optimizers, ema = {"g": optax.sgd(0.1), "d": optax.sgd(0.2)}, {"g": Ema(0.05)}

    def train(mode, devices):
        mesh = parallel.make_mesh(jax.devices()[:devices])
        step = make(rounds, optimizers, ema=ema, axis_name=parallel.axis_name_of(mode), accumulate=accumulate)
        run = parallel.parallelize(step, mode, mesh)
        state = parallel.place_state(init_state(rounds, optimizers, toy.variables(), ema=ema), mesh)
        for t in range(2):
            state, metrics = run(state, parallel.place_batch(toy.batch(seed=t), mesh), toy.RNG)
        return jax.device_get((state, metrics))

    chex.assert_trees_all_close(train(mode, 4), train("jit", 1), rtol=2e-5, atol=2e-6)


def test_optimistic_descent_is_that_of_optax():
    """Oracle: `optax.optimistic_gradient_descent`, whose first step is plain too."""
    ours, theirs = optimistic(optax.sgd(RATE)), optax.optimistic_gradient_descent(RATE)
    gradients = jnp.array([1.0, -0.5, 3.0, 0.1])

    def run(optimizer):
        return jax.lax.scan(lambda s, g: optimizer.update(g, s, 0.0)[::-1], optimizer.init(jnp.float32(0)), gradients)

    np.testing.assert_allclose(run(ours)[1], run(theirs)[1], rtol=1e-6)


def test_optimism_converges_where_descent_flees():
    _, _, fled = play(saddle(True), SGD, steps=400)
    _, _, path = play(saddle(True), {n: optimistic(o) for n, o in SGD.items()}, steps=400)
    assert np.linalg.norm(path[-1]) < 0.3 < 3 < np.linalg.norm(fled[-1])


def test_optimistic_adam_steps_twice_the_new_less_the_last():
    """Oracle: Adam's own updates (algorithm 1 of Daskalakis et al. 2018)."""
    gradients, inner = [1.0, -0.5, 3.0], adam(1e-2)
    plain, state = [], inner.init(jnp.float32(0))
    for gradient in gradients:
        update, state = inner.update(jnp.float32(gradient), state)
        plain.append(float(update))
    ours, state = [], optimistic(inner).init(jnp.float32(0))
    for gradient in gradients:
        update, state = optimistic(inner).update(jnp.float32(gradient), state)
        ours.append(float(update))
    np.testing.assert_allclose(ours, 2 * np.array(plain) - np.array([plain[0], *plain[:-1]]), rtol=1e-5)


def test_weights_are_clipped():
    optimizer = clipped(optax.sgd(1.0), 0.01)
    params = {"w": jnp.array([0.0, 0.005, -0.01])}
    updates, _ = optimizer.update({"w": jnp.array([-3.0, 0.002, 0.5])}, optimizer.init(params), params)
    moved = optax.apply_updates(params, updates)
    np.testing.assert_allclose(moved["w"], [0.01, 0.003, -0.01], rtol=1e-6)
    with pytest.raises(UserError, match="a limit above 0, got 0"):
        clipped(optax.sgd(1.0), 0.0)


def test_adam_with_a_schedule_of_beta2():
    """Oracle: algorithm 1 of Kingma and Ba 2015 in numpy, with this step's beta2 everywhere, as PyTorch does."""
    beta2 = schedules.cosine(0.9, 0.99, 3)
    optimizer, gradients = adam(1e-2, b1=0.0, b2=beta2), [1.0, -0.5, 3.0, 0.1]
    state, v = optimizer.init(jnp.float32(0)), 0.0
    for t, gradient in enumerate(gradients):
        update, state = optimizer.update(jnp.float32(gradient), state)
        b2 = 0.9 + 0.09 * (1 - np.cos(np.pi * min(t / 3, 1))) / 2
        v = b2 * v + (1 - b2) * gradient**2
        np.testing.assert_allclose(update, -1e-2 * gradient / np.sqrt(v / (1 - b2 ** (t + 1))), rtol=1e-4)


def test_schedules():
    value = schedules.cosine(0.0, 4.0, 10)
    np.testing.assert_allclose([value(0), value(5), value(10), value(99)], [0.0, 2.0, 4.0, 4.0], atol=1e-6)
    quarter = 2 + 2 * (1 - np.cos(np.pi / 4)) / 2
    np.testing.assert_allclose(jax.jit(schedules.cosine(2.0, 4.0, 8))(jnp.int32(2)), quarter, rtol=1e-6)
    with pytest.raises(UserError, match=r"finite start and end, got nan and 1.0"):
        schedules.cosine(float("nan"), 1.0, 2)
    with pytest.raises(UserError, match="at least 1 step, got 0"):
        schedules.cosine(0.0, 1.0, 0)


def test_step_is_no_name_of_a_player():
    rounds = (Round((Move("step", lambda *_: (jnp.float32(0), Aux())),)),)
    with pytest.raises(UserError, match=r"a player may not be named 'step'"):
        make_train_step(rounds, {"step": optax.sgd(1.0)})


def test_a_rate_that_is_constant_and_then_falls():
    """Oracle: by hand; the last step of four that fall still has a quarter."""
    rate = schedules.constant_then_linear(0.8, 10, 0.4)
    np.testing.assert_allclose([rate(t) for t in (0, 6, 7, 9, 10, 99)], [0.8, 0.8, 0.6, 0.2, 0, 0], atol=1e-6)
    whole = schedules.constant_then_linear(0.8, 4, 1.0)
    np.testing.assert_allclose([whole(t) for t in (0, 1, 4)], [0.8, 0.6, 0], atol=1e-6)
    assert schedules.constant_then_linear(0.8, 10, 0.0) == 0.8
    for share, steps, sentence in ((1.1, 5, "from 0 to 1, got 1.1"), (0.5, 0, "at least 1 step, got 0")):
        with pytest.raises(UserError, match=sentence):
            schedules.constant_then_linear(1.0, steps, share)
