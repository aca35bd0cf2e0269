"""The engine's promises, asked of the recipes that could break them: a feature of its own, or a loss of its own.

Toys have the engine's tests (tests/game); here a covering set of recipes has every feature that any recipe needs.
"""

import inspect

import chex
import jax
import numpy as np
import optax
import pytest

from jaxgan import recipes
from jaxgan.game import Aux, parallel, with_frozen, without_frozen
from jaxgan.game.optim import OptimisticState
from jaxgan.train.run import checkpoint
from tests.recipes import contract
from tests.recipes.contract import KEY

MODES = [
    ("gan", "jit"),
    ("gan/extragradient", "shard_map"),
    ("gan/packed", "shard_map"),
    ("gan/relativistic", "shard_map"),
    ("dcgan", "pmap"),
    ("cgan", "shard_map"),
    ("sngan/auxiliary", "shard_map"),
    ("sngan/projection", "shard_map"),
    ("biggan", "shard_map"),
    ("infogan", "shard_map"),
    ("r3gan", "shard_map"),
    ("pix2pix", "shard_map"),
    ("restore", "shard_map"),
    ("inpainting", "shard_map"),
    ("srgan", "shard_map"),
    ("esrgan", "shard_map"),
    ("cogan", "shard_map"),
    ("spade", "shard_map"),
    ("cyclegan", "shard_map"),
    ("stylegan2", "shard_map"),
    ("cyclegan/unet", "pmap"),
    ("voxel_gan/conv", "shard_map"),
]
ROUNDING = 1e-5
"""Of a first moment: smaller ones have no sign that means anything."""
RESUMED = (
    *("gan/packed", "gan/extragradient", "gan/relativistic", "cgan", "sngan", "cyclegan", "spade"),
    *("stylegan2", "esrgan", "voxel_gan/conv"),
)
OF_A_FAMILY = (
    *("gan", "dcgan", "sngan", "biggan", "biggan_deep", "infogan", "r3gan", "pix2pix", "cogan", "spade", "stylegan2"),
    *("restore", "srgan", "esrgan", "voxel_gan/conv"),
)
"""One recipe for each file of networks."""


def grouped(cases):
    return [pytest.param(*case, marks=pytest.mark.xdist_group(case[0])) for case in cases]


def needed(names):
    """Features of these cases, of abstract states."""
    found = set()
    for name in names:
        system = contract.build(name)
        found |= contract.features(system, jax.eval_shape(system.init, KEY))
    return found


def test_every_feature_is_in_the_covering_sets():
    everything = needed(contract.SMALL)
    assert {"batch_stats", "spectral", "labels", "repeat", "every", "own step"} <= everything
    assert needed({name for name, mode in MODES if mode != "jit"}) == everything
    assert needed(RESUMED) == everything


def test_every_loss_of_its_own_is_among_the_modes():
    """A recipe whose losses are those of `objectives` reports nothing itself."""
    own = {name for name in recipes.names() if getattr(recipes.load(name), "Aux", None) is Aux}
    assert own
    assert own <= {name.split("/")[0] for name, mode in MODES if mode != "jit"}


@pytest.mark.parametrize(("name", "mode"), grouped(MODES))
def test_parallel_modes_agree(name, mode):
    """One step on four devices against one: metrics, collections, and the optimisers' moments, which are the gradients.

    Not the parameters: Adam's first update is the sign of the gradient, which rounding can turn.
    """
    case, mesh = contract.case(name), parallel.make_mesh(jax.devices()[:4])
    system = contract.build(name, parallel.axis_name_of(mode))
    run = parallel.parallelize(system.step, mode, mesh, donate=False)
    state, key = parallel.place_state((case.state, KEY), mesh)
    after, metrics = jax.device_get(run(state, parallel.place_batch(case.batch, mesh), key))
    chex.assert_trees_all_close((metrics, rest(after)), (case.metrics, rest(case.after)), rtol=1e-4, atol=1e-5)
    for player in case.state.players:
        np.testing.assert_allclose(
            *(steps(case.state, each, case.after, player) for each in (after, case.after)), rtol=1e-2, atol=1e-6
        )


def steps(before, after, known, player):
    """How far each array of a player's parameters has moved at most, if its gradient is more than rounding."""
    moved = jax.tree.map(lambda a, b: np.abs(b - a).max(), *(each.players[player].params for each in (before, after)))
    moments = optax.tree_utils.tree_get(known.players[player].opt_state, "mu")
    pairs = zip(jax.tree.leaves(moved), jax.tree.leaves(moments), strict=True)
    return [step for step, moment in pairs if np.abs(moment).max() > ROUNDING]


def rest(state):
    """What is no parameter, no average, and no update: those of `optimistic` are signs of gradients too."""
    players = [(player.vars, _moments(player.opt_state)) for player in state.players.values()]
    return players, state.extras, state.local, state.held


def _moments(state):
    return _moments(state.inner) if isinstance(state, OptimisticState) else state


@pytest.mark.parametrize("name", grouped((each,) for each in RESUMED))
def test_a_restored_run_goes_on_bit_for_bit(name, tmp_path):
    case = contract.case(name)
    state, _ = case.step(case.after, contract.batch_of(case.system, 1), KEY)
    checkpoint.save(tmp_path, 2, without_frozen(state), {}, keep=1)
    resumed = checkpoint.restore(tmp_path, 2, jax.eval_shape(lambda: without_frozen(state)))
    resumed = with_frozen(resumed, state.frozen)
    for seed in (2, 3):
        state, resumed = (case.step(each, contract.batch_of(case.system, seed), KEY)[0] for each in (state, resumed))
    chex.assert_trees_all_equal(resumed, state)


def traced(name, **changes):
    """The step of abstract arguments, traced."""
    system, case = contract.build(name, **changes), contract.case(name)
    return jax.jit(system.step).trace(case.state, case.batch, KEY), case


@pytest.mark.parametrize("name", grouped((each,) for each in OF_A_FAMILY))
def test_remat_is_heard_by_every_pass_and_bfloat16_computes_in_half_and_keeps_state_whole(name):
    """G plays once, D judges real and fake images, then the fakes again: at least four passes are recomputed."""
    step, case = traced(name, remat=True, precision="bfloat16")
    assert recomputed(step.jaxpr) >= 4
    after, _ = step.out_info
    assert jax.tree.map(lambda x: x.dtype, after) == jax.tree.map(lambda x: x.dtype, case.state)
    assert "bf16" in step.lower().as_text()


def test_nothing_is_recomputed_or_halved_unasked():
    step, _ = traced("dcgan")
    assert recomputed(step.jaxpr) == 0
    assert "bf16" not in step.lower().as_text()


def recomputed(jaxpr):
    program = str(jaxpr)
    return program.count("checkpoint[") + program.count("remat")


@pytest.mark.parametrize("name", sorted(recipes.names()))
def test_networks_are_trained_by_what_hears_of_remat_and_precision(name):
    """By source: a network that is trained is made with the precision's type, and applied through `trained`."""
    source = inspect.getsource(recipes.load(name))
    assert any(way in source for way in ("trained(", "wire("))
    assert ".apply(" not in source
    assert all(".init(" in line for line in source.splitlines() if "train=True" in line)
    assert any(way in source for way in ("dtype_of(config.precision)", "pair(config, ", "= networks(config, "))


@pytest.mark.parametrize("name", grouped([("dcgan",), ("wgan_gp",)]))
def test_a_step_in_half_is_finite(name):
    """Batch statistics; slopes of slopes."""
    step, case = traced(name, precision="bfloat16")
    chex.assert_tree_all_finite(step.lower().compile()(case.state, case.batch, KEY))


@pytest.mark.parametrize(("name", "mode"), grouped([("dcgan", "shard_map"), ("wgan_gp", "jit")]))
def test_remat_changes_no_number(name, mode):
    """Two steps in one loop on two devices; batch statistics, second derivatives, a scan within.

    Against the step without, on one device; moments in place of parameters as above.
    """
    case, mesh = contract.case(name), parallel.make_mesh(jax.devices()[:2])
    step = contract.build(name, parallel.axis_name_of(mode), remat=True).step

    def twice(state, batch, key):
        return jax.lax.fori_loop(0, 2, lambda _, state: step(state, batch, key)[0], state), {}

    state, key = parallel.place_state((case.state, KEY), mesh)
    batch = parallel.place_batch(case.batch, mesh)
    after, _ = jax.device_get(parallel.parallelize(twice, mode, mesh, donate=False)(state, batch, key))
    wanted, _ = case.step(case.after, case.batch, KEY)
    chex.assert_trees_all_close(rest(after), rest(wanted), rtol=1e-3, atol=1e-5)
