"""What a state takes over from another system's, by path. Oracle: the two states themselves."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.game import Aux, Ema, Move, Round, adam, by_path, init_state, make_train_step
from tests.game import toy

ADAM = {"g": adam(1e-2), "d": adam(1e-2)}


def state_of(variables, optimizers=None, step=0, ema=("g",), **more):
    rounds = (Round(moves=tuple(Move(name, lambda *_: (jnp.float32(0), Aux())) for name in optimizers or ADAM)),)
    state = init_state(rounds, optimizers or ADAM, variables, ema={name: Ema() for name in ema}, **more)
    return dataclasses.replace(state, step=jnp.int32(step))


def marked(state, value):
    """Every array of the players filled with one number."""
    return dataclasses.replace(state, players=jax.tree.map(lambda x: jnp.full_like(x, value), state.players))


def test_the_same_system_takes_all_of_the_players_and_nothing_else():
    old = marked(state_of(toy.variables(), step=9, extras={"p": 1.0}, local={"n": np.ones(4)}), 3)
    new = state_of(toy.variables(1), extras={"p": 0.0}, local={"n": np.zeros(2)}, frozen={"f": 2.0})
    state, report = by_path(old, new)
    chex.assert_trees_all_equal(state.players, old.players)
    chex.assert_trees_all_equal(dataclasses.replace(state, players={}), dataclasses.replace(new, players={}))
    assert len(report.taken) == len(jax.tree.leaves(new.players))
    assert report.kept == report.dropped == ()
    assert report.lines() == []
    assert "g/params/w" in report.taken
    assert "d/opt_state/0/mu/w1" in report.taken


def test_a_grown_network_keeps_its_new_layers_and_all_of_its_optimiser():
    """`d` grows by a layer and changes another's width; `g` stays; a player goes and one comes."""
    before = toy.variables() | {"e": {"params": {"v": jnp.ones(3)}, "batch_stats": {"mean": jnp.ones(3)}}}
    after = toy.variables(1) | {"f": {"params": {"v": jnp.ones(3)}}}
    after["d"] = {"params": {**after["d"]["params"], "w2": jnp.zeros(5), "w3": jnp.zeros(4)}}
    old = marked(state_of(before, ema=("g", "d")), 3)
    new = marked(state_of(after, ema=("g", "d")), 1)
    state, report = by_path(old, new)
    chex.assert_trees_all_equal(state.players["g"], old.players["g"])
    chex.assert_trees_all_equal(state.players["d"].opt_state, new.players["d"].opt_state)
    for tree in (state.players["d"].params, state.players["d"].ema):
        assert {name: float(leaf.ravel()[0]) for name, leaf in tree.items()} == {"w1": 3, "b": 3, "w2": 1, "w3": 1}
    chex.assert_trees_all_equal(state.players["f"], new.players["f"])
    assert {"d/params/w1", "d/ema/b", "g/opt_state/0/nu/w"} <= set(report.taken)
    assert {"d/params/w2", "d/params/w3", "d/opt_state/0/mu/w1", "f/params/v"} <= set(report.kept)
    assert {"d/params/w2", "d/opt_state/0/count", "e/params/v", "e/vars/batch_stats/mean"} <= set(report.dropped)
    assert not set(report.taken) & (set(report.kept) | set(report.dropped))
    assert len(report.taken) + len(report.kept) == len(jax.tree.leaves(new.players))
    assert len(report.taken) + len(report.dropped) == len(jax.tree.leaves(old.players))
    assert str(report).startswith(f"{len(report.taken)} arrays taken over, ")
    assert report.differing["d/params/w2"] == ("8", "5")
    everything, shapes, missing = report.lines()
    assert everything == (
        "taken over: d params 2 of 4, ema 2 of 4, opt_state 0 of 9; g params 2 of 2, ema 2 of 2, opt_state 5 of 5; "
        "f params 0 of 1"
    )
    assert shapes.startswith("anew, for the shape differs: d/params/w2 (8, here 5), d/ema/w2 (8, here 5), d/opt_state")
    assert missing.startswith("anew, for the old run has none: d/params/w3, f/params/v, d/ema/w3, d/opt_state/0/mu/w3,")


def test_the_first_five_arrays_are_named():
    old = state_of({"g": {"params": {f"w{i}": jnp.ones(2) for i in range(7)}}}, {"g": optax.sgd(0.1)}, ema=())
    new = state_of({"g": {"params": {f"w{i}": jnp.ones((2, 3)) for i in range(7)}}}, {"g": optax.sgd(0.1)}, ema=())
    _, report = by_path(old, new)
    named = ", ".join(f"g/params/w{i} (2, here 2 x 3)" for i in range(5))
    assert report.lines() == ["taken over: g params 0 of 7", f"anew, for the shape differs: {named} and 2 more"]


def test_the_first_update_after_growing_is_no_larger_than_the_rate():
    """Adam's first is the rate's; moments of zeros with another's count would give 16 times that."""

    def loss(params, vars, outcome, batch, rng):
        return jnp.stack([leaf.sum() for leaf in jax.tree.leaves(params["g"])]).sum(), Aux()

    rounds, optimizer = (Round(moves=(Move("g", loss),)),), {"g": adam(1e-2)}
    step = jax.jit(make_train_step(rounds, optimizer))
    old = init_state(rounds, optimizer, {"g": {"params": {"a": jnp.zeros(2)}}})
    for _ in range(3):
        old, _ = step(old, toy.batch(), toy.RNG)
    new = init_state(rounds, optimizer, {"g": {"params": {"a": jnp.zeros(2), "b": jnp.zeros(2)}}})
    start, _ = by_path(old, new)
    after, _ = step(start, toy.batch(), toy.RNG)
    moved = jax.tree.map(lambda a, b: a - b, after.players["g"].params, start.players["g"].params)
    np.testing.assert_allclose(jax.tree.leaves(moved), -1e-2 * np.ones((2, 2)), rtol=1e-3)
    np.testing.assert_allclose(start.players["g"].params["a"], -3e-2, rtol=1e-3)


@pytest.mark.parametrize("optimizer", [optax.sgd(0.1), optax.sgd(0.1, momentum=0.9)])
def test_another_optimiser_begins_anew(optimizer):
    old = marked(state_of(toy.variables()), 3)
    new = state_of(toy.variables(1), {"g": optimizer, "d": optimizer})
    state, report = by_path(old, new)
    chex.assert_trees_all_equal(state.players["g"].params, old.players["g"].params)
    chex.assert_trees_all_equal(state.players["g"].opt_state, new.players["g"].opt_state)
    assert "g/opt_state/0/mu/w" in report.dropped


def test_an_average_that_was_not_kept_begins_at_the_parameters_taken():
    old, new = marked(state_of(toy.variables(), ema=()), 3), marked(state_of(toy.variables(1)), 1)
    state, report = by_path(old, new)
    chex.assert_trees_all_equal(state.players["g"].ema, old.players["g"].params)
    assert "g/ema/w" in report.taken
    assert report.dropped == ()


def test_another_dtype_is_another_array():
    old = state_of({"g": {"params": {"w": jnp.ones(2, jnp.bfloat16)}}}, {"g": optax.sgd(0.1)})
    new = state_of({"g": {"params": {"w": jnp.zeros(2)}}}, {"g": optax.sgd(0.1)})
    state, report = by_path(old, new)
    chex.assert_trees_all_equal(state, new)
    assert set(report.kept) == set(report.dropped) == {"g/params/w", "g/ema/w"}
    assert report.lines()[1] == (
        "anew, for the shape differs: g/params/w (bfloat16, here float32), g/ema/w (bfloat16, here float32)"
    )
