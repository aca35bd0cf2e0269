"""Networks that never move: seen by plays and losses, asked for no gradient, the same bit for bit after any step."""

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
    init_state,
    make_extragradient_step,
    make_train_step,
    parallel,
    with_frozen,
    without_frozen,
)
from tests.game import toy

SGD = {"g": optax.sgd(0.1), "d": optax.sgd(0.1)}
TEACHER = {"teacher": {"w": np.array([[0.1, 1 / 3], [-0.7, 0.2]], np.float32), "seen": np.int32(7)}}


@jax.custom_jvp
def undifferentiated(w):
    """Its derivative is an error."""
    return w


@undifferentiated.defjvp
def _(primals, tangents):
    raise AssertionError("a gradient was asked for")


def distil(params, vars, x_fake, batch, rng):
    w = undifferentiated(vars["frozen"]["teacher"]["w"])
    return ((x_fake - batch["x"] @ w) ** 2).sum(-1).mean(), Aux({"w": jnp.abs(w).sum()})


def distil_itself(params, vars, x_fake, batch, rng):
    """Of `g`, whose parameters move."""
    return undifferentiated(params["g"]["w"]).sum(), Aux()


GAME = (
    Round(play=toy.play, moves=(Move("d", toy.d_loss), Move("g", distil))),
    Round(play=toy.play, moves=(Move("g", lambda *given: (distil(*given)[0], Aux()), name="lazy"),), every=2),
)
BATCH = jax.eval_shape(toy.batch)


def start(frozen):
    return init_state(GAME, SGD, toy.variables(), ema={"g": Ema(0.1)}, batch=BATCH, frozen=frozen)


@pytest.mark.parametrize(
    ("mode", "devices", "make", "accumulate"),
    [
        ("jit", 1, make_extragradient_step, 1),
        ("jit", 4, make_train_step, 1),
        ("pmap", 2, make_train_step, 1),
        ("shard_map", 2, make_train_step, 2),
        ("shard_map", 4, make_extragradient_step, 1),
    ],
)
def test_frozen_networks_are_the_same_bit_for_bit_in_all_modes(mode, devices, make, accumulate):
    mesh = parallel.make_mesh(jax.devices()[:devices])
    step = make(GAME, SGD, ema={"g": Ema(0.1)}, axis_name=parallel.axis_name_of(mode), accumulate=accumulate)
    run = parallel.parallelize(step, mode, mesh)
    state = parallel.place_state(start(TEACHER), mesh)
    for t in range(3):
        state, metrics = run(state, parallel.place_batch(toy.batch(seed=t), mesh), toy.RNG)
    assert set(state.players) == {"g", "d"}
    assert all(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(state.frozen))
    chex.assert_trees_all_equal(jax.device_get(state.frozen), TEACHER)
    np.testing.assert_allclose(metrics["w"], np.abs(TEACHER["teacher"]["w"]).sum(), rtol=1e-6)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_no_gradient_is_asked_for(accumulate):
    """The derivative of what reads the frozen network raises; negative control: so it does for what moves."""
    state = start(TEACHER)
    jax.eval_shape(make_train_step(GAME, SGD, accumulate=accumulate), state, toy.batch(), toy.RNG)
    moving = (Round(play=toy.play, moves=(Move("g", distil_itself),)),)
    with pytest.raises(AssertionError, match="a gradient was asked for"):
        jax.eval_shape(make_train_step(moving, SGD, accumulate=accumulate), state, toy.batch(), toy.RNG)


def test_a_player_learns_from_a_frozen_network_as_from_a_constant():
    """Oracle: `jax.grad` of the loss with the teacher written into it."""
    rounds = (Round(play=toy.play, moves=(Move("g", distil),)),)
    state = init_state(rounds, SGD, toy.variables(), frozen=TEACHER)
    state, _ = jax.jit(make_train_step(rounds, SGD))(state, toy.batch(), toy.RNG)
    x, z = toy.batch()["x"], toy.noise(0, 0, range(16))
    g = toy.params()["g"]
    grads = jax.grad(lambda g: ((toy.generate(g, z) - x @ TEACHER["teacher"]["w"]) ** 2).sum(-1).mean())(g)
    chex.assert_trees_all_close(state.players["g"].params, toy.sgd(g, grads, 0.1), rtol=2e-5, atol=2e-6)


def test_a_checkpoint_has_none_and_they_come_back():
    state = start(TEACHER)
    bare = without_frozen(state)
    assert bare.frozen == {}
    saved = {jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(bare)}
    assert not [path for path in saved if "teacher" in path]
    assert len(saved) == len(jax.tree.leaves(state)) - 2
    chex.assert_trees_all_equal(with_frozen(bare, TEACHER), state)


def test_a_system_may_begin_with_shapes_and_get_the_arrays_later():
    """Lazy rounds need to know frozen networks to name their metrics; `init` need not hold them."""
    shapes = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, TEACHER))
    state = start(shapes)
    assert state.frozen == {}
    chex.assert_trees_all_equal(with_frozen(state, TEACHER), start(TEACHER))
    assert "lazy/loss" in state.held["round_1"]


def test_the_state_has_arrays_of_its_own():
    given = jax.tree.map(jnp.asarray, TEACHER)
    step = jax.jit(make_train_step(GAME, SGD), donate_argnums=0)
    state, _ = step(start(given), toy.batch(), toy.RNG)
    chex.assert_trees_all_equal(given, jax.device_get(state.frozen))


def test_a_step_reuses_the_memory_of_what_never_moves():
    """With donation the frozen arrays go through a step in place: no copy of a large network."""
    state = start({"teacher": {"w": jnp.ones((2, 2)), "more": jnp.ones((256, 256))}})
    before = state.frozen["teacher"]["more"].unsafe_buffer_pointer()
    state, _ = jax.jit(make_train_step(GAME, SGD), donate_argnums=0)(state, toy.batch(), toy.RNG)
    assert state.frozen["teacher"]["more"].unsafe_buffer_pointer() == before


def test_frozen_is_no_name_of_a_player_and_nothing_that_a_loss_updates():
    rounds = (Round((Move("frozen", lambda *_: (jnp.float32(0), Aux())),)),)
    with pytest.raises(UserError, match="a player may not be named 'frozen'"):
        make_train_step(rounds, {"frozen": optax.sgd(1.0)})
    rounds = (Round((Move("g", lambda params, *_: (params["g"]["b"].sum(), Aux(vars={"frozen": {}}))),)),)
    with pytest.raises(UserError, match="brings the player 'frozen'"):
        make_train_step(rounds, SGD)(start(TEACHER), toy.batch(), toy.RNG)
