"""One step in four forms on eight virtual devices, and what goes wrong without the cast."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxgan.errors import UserError
from jaxgan.game import (
    Aux,
    Ema,
    Move,
    Round,
    init_state,
    make_train_step,
    normal,
    parallel,
    rounds,
    variables,
)
from tests.game import toy

SGD = {"g": optax.sgd(0.1), "d": optax.sgd(0.1)}
EMA = {"g": Ema(halflife_kimg=0.1)}


class Critic(nn.Module):
    """A discriminator with batch statistics, over all devices when `axis_name` is given."""

    axis_name: str | None

    @nn.compact
    def __call__(self, x):
        x = nn.BatchNorm(use_running_average=False, axis_name=self.axis_name)(nn.Dense(8)(x))
        return nn.Dense(1)(nn.leaky_relu(x, 0.2))[:, 0]


def game(axis_name):
    """Critic steps on two microbatches, cross-replica statistics, a lazy round, an average: every kind of state."""
    D = Critic(axis_name)

    def d_loss(params, vars, x_fake, batch, rng):
        real, new = D.apply(variables(params, vars, "d"), batch["x"], mutable=["batch_stats"])
        fake, new = D.apply({"params": params["d"], **new}, x_fake, mutable=["batch_stats"])
        return (jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean(), Aux({"real": real.mean()}, vars={"d": new})

    def g_loss(params, vars, x_fake, batch, rng):
        fake, _ = D.apply(variables(params, vars, "d"), x_fake, mutable=["batch_stats"])
        return jax.nn.softplus(-fake).mean(), Aux(extras={"mean": vars["extras"]["mean"] * 0.9 + fake.mean()})

    def pull(params, vars, outcome, batch, rng):
        return ((toy.generate(params["g"], normal(rng, (2,))) - batch["x"]) ** 2).sum(-1).mean(), Aux()

    table = (
        Round(play=toy.play, moves=(Move("d", d_loss),), repeat=2),
        Round(play=toy.play, moves=(Move("g", g_loss),)),
        Round(moves=(Move("g", pull, name="pull"),), every=2),
    )

    def init(rng):
        players = {"g": {"params": toy.params()["g"]}, "d": D.init(rng, jnp.zeros((2, 2)))}
        extras = {"mean": jnp.zeros(())}
        shapes = jax.eval_shape(lambda: toy.batch(32))
        return init_state(table, SGD, players, ema=EMA, extras=extras, batch=shapes, axis_name=axis_name)

    return init, table


@functools.cache
def reference(devices=1, accumulate=1):
    return train("jit", devices, accumulate=accumulate)


def train(mode, devices, steps=3, accumulate=1):
    axis_name = parallel.axis_name_of(mode)
    init, table = game(axis_name)
    step = make_train_step(table, SGD, ema=EMA, axis_name=axis_name, accumulate=accumulate)
    mesh = parallel.make_mesh(jax.devices()[:devices])
    run = parallel.parallelize(step, mode, mesh)
    state, key = parallel.place_state((init(jax.random.key(0)), toy.RNG), mesh)
    for t in range(steps):
        state, metrics = run(state, parallel.place_batch(toy.batch(32, seed=t), mesh), key)
    return jax.device_get((state, metrics))


@pytest.mark.parametrize("mode", ["jit", "pmap", "shard_map"])
def test_eight_devices_equal_one(mode):
    """Whole state and metrics to 1e-5; noise, batch statistics, lazy and repeated rounds included."""
    chex.assert_trees_all_close(train(mode, 8), reference(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_accumulation_inside_a_mapped_step(mode):
    """Batch statistics differ between microbatches, so the reference accumulates over the same ones on one device."""
    state, metrics = train(mode, 2, accumulate=2)
    chex.assert_tree_all_finite((state, metrics))
    chex.assert_trees_all_close((state, metrics), reference(accumulate=2), rtol=1e-5, atol=1e-5)


def test_without_the_cast_gradients_are_eight_times_too_large(monkeypatch):
    """Negative control: under shard_map JAX sums gradients of replicated values itself; a mean comes too late."""

    def norms(steps=1):
        step = make_train_step((toy.ROUND,), SGD, axis_name=parallel.AXIS)
        mesh = parallel.make_mesh()
        state, key = parallel.place_state((init_state((toy.ROUND,), SGD, toy.variables()), toy.RNG), mesh)
        batch = parallel.place_batch(toy.batch(32), mesh)
        return parallel.parallelize(step, "shard_map", mesh)(state, batch, key)[1]["d/grad_norm"]

    right = norms()
    monkeypatch.setattr(rounds, "vary", lambda tree, axis_name: tree)
    np.testing.assert_allclose(norms(), 8 * right, rtol=1e-5)


def test_a_missing_mean_is_seen(monkeypatch):
    """Negative control: devices that never average their gradients do not agree with one device."""
    monkeypatch.setattr(rounds, "sync", lambda tree, axis_name: tree)
    with pytest.raises(AssertionError):
        chex.assert_trees_all_close(train("pmap", 8), reference(), rtol=1e-5, atol=1e-5)


def test_an_unknown_mode_is_one_sentence():
    with pytest.raises(UserError, match="parallel must be one of jit, pmap, shard_map, got 'ddp'"):
        parallel.parallelize(lambda s, b, r: (s, {}), "ddp", parallel.make_mesh())  # pyright: ignore
