"""3D-GAN's gate, and who moves behind it. Oracles: the state before and after, by hand."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.game import adam
from jaxgan.recipes import voxel_gan
from tests.recipes import contract


def recognised(share):
    case = contract.case("voxel_gan/conv")
    return dataclasses.replace(case.state, extras={"recognised": jnp.float32(share)})


@pytest.mark.parametrize(("share", "moves"), [(0.8, True), (0.81, False)])
def test_d_rests_after_a_batch_that_it_recognised_too_well(share, moves):
    case = contract.case("voxel_gan/conv")
    after, metrics = case.step(recognised(share), case.batch, contract.KEY)
    assert metrics["gate"] == float(moves)
    before = case.state.players["d"]
    moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), before.params, after.players["d"].params)
    assert any(jax.tree.leaves(moved)) is moves
    count = next(x for x in jax.tree.leaves(after.players["d"].opt_state) if x.dtype == jnp.int32)
    assert count == int(moves)  # Adam's moments rest too
    board = 0.5 * (metrics["accuracy_real"] + metrics["accuracy_fake"])
    assert after.extras["recognised"] == board


def test_an_optimiser_at_rest_is_the_optimiser_elsewhere():
    rule, params = adam(0.1), {"w": jnp.ones(3)}
    held = voxel_gan.still_without_gradient(rule)
    grads = {"w": jnp.array([1.0, 0.0, -2.0])}
    for a, b in zip(
        *(jax.tree.leaves(each.update(grads, each.init(params), params)) for each in (rule, held)), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    state = held.update(grads, held.init(params), params)[1]
    updates, after = held.update({"w": jnp.zeros(3)}, state, params)
    assert optax.tree.norm(updates) == 0
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True):
        np.testing.assert_array_equal(a, b)


# Oracle: the paper's counts (tests/nets/test_voxel.py) without spare weights, which a base of 4 voxels has none of.
@pytest.mark.parametrize(("name", "side", "sizes"), [("paper", 64, (17_569_664, 11_048_832)), ("conv32", 32, None)])
def test_presets_build(name, side, sizes):
    system = voxel_gan.build(voxel_gan.PRESETS[name], {"voxels": Field("voxels", (side,) * 3)})
    players = jax.eval_shape(system.init, contract.KEY).players
    counted = tuple(sum(leaf.size for leaf in jax.tree.leaves(players[player].params)) for player in ("g", "d"))
    assert counted == sizes or (sizes is None and max(counted) < 1e6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gate": 1.5}, "--gate takes a share of at most 1, got 1.5"),
        ({"occupancy": 1.0}, "--occupancy takes a share below 1"),
        ({"network": "conv", "d_norm": "batch", "r1_gamma": 1.0}, "--d-norm batch takes --r1-gamma 0"),
    ],
)
def test_impossible_settings_are_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build("voxel_gan", **changes)
