"""The step as a function of its state: traced once, its state donated, mapped over seeds, the same for the same key."""

import chex
import jax
import jax.numpy as jnp
import optax

from jaxgan.game import Ema, Move, Round, adam, init_state, make_train_step
from tests.game import toy

SGD = {"g": optax.sgd(0.05), "d": optax.sgd(0.2)}
# Both sides are float32 and differ in the order of sums only.
CLOSE = {"rtol": 2e-5, "atol": 2e-6}


def test_one_trace_donation_and_arrays_only():
    rounds = (toy.ROUND, Round(moves=(Move("d", toy.r1, name="r1"),), every=2))
    optimizers = {"g": adam(1e-3), "d": adam(1e-3, lazy_every=2)}
    ema = {"g": Ema()}
    step = make_train_step(rounds, optimizers, ema=ema)
    traced = chex.assert_max_traces(step, n=1)

    def init(seed):
        return init_state(rounds, optimizers, toy.variables(0), ema=ema, batch=toy.batch())

    abstract = jax.eval_shape(init, 0)
    state = init(0)
    chex.assert_trees_all_equal_shapes_and_dtypes(abstract, state)
    jitted = jax.jit(traced, donate_argnums=0)
    first = state
    for t in range(4):
        state, _ = jitted(state, toy.batch(seed=t), toy.RNG)
    chex.assert_trees_all_equal_shapes_and_dtypes(abstract, state)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(first))
    chex.clear_trace_counter()


def test_vmap_over_seeds_equals_single_runs():
    rounds = (toy.ROUND, Round(moves=(Move("d", toy.r1, name="r1"),), every=2))
    step = make_train_step(rounds, SGD, ema={"g": Ema()})
    states = [init_state(rounds, SGD, toy.variables(seed), ema={"g": Ema()}, batch=toy.batch()) for seed in range(3)]
    keys = jax.random.split(toy.RNG, 3)
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    many = jax.jit(jax.vmap(step, in_axes=(0, None, 0)))
    for t in range(3):
        stacked, _ = many(stacked, toy.batch(seed=t), keys)
        states = [step(state, toy.batch(seed=t), key)[0] for state, key in zip(states, keys, strict=True)]
    chex.assert_trees_all_close(stacked, jax.tree.map(lambda *leaves: jnp.stack(leaves), *states), **CLOSE)


def test_same_key_same_step_and_another_key_another():
    step = make_train_step((toy.ROUND,), SGD)
    state = init_state((toy.ROUND,), SGD, toy.variables())
    chex.assert_trees_all_equal(step(state, toy.batch(), toy.RNG), step(state, toy.batch(), toy.RNG))
    one, other = (step(state, toy.batch(), jax.random.key(s))[1]["g/loss"] for s in (1, 2))
    assert one != other


def test_the_state_owns_its_arrays():
    """Donating a state deletes nothing of the caller's; numbers become arrays that promote as arrays do."""
    given = toy.variables()
    state = init_state((toy.ROUND,), SGD, given, ema={"g": Ema()})
    jax.jit(make_train_step((toy.ROUND,), SGD, ema={"g": Ema()}), donate_argnums=0)(state, toy.batch(), toy.RNG)
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(given))
    numbers = init_state((Round(moves=(Move("g", toy.g_loss),)),), SGD, {"g": {"params": {"b": 1.0}}})
    assert numbers.players["g"].params["b"].dtype == jnp.float32
    assert not numbers.players["g"].params["b"].weak_type
