"""What holds of every recipe."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan import recipes
from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.recipes import base
from jaxgan.train import checkpoint
from tests.recipes import contract

KEY = contract.KEY
every_recipe = pytest.mark.parametrize("case", contract.CASES)
# What hardly depends on options is asked of a recipe once; compiling is most of what these tests cost.
once_a_recipe = pytest.mark.parametrize("case", contract.RECIPES)
MODES = [
    *(("gan", mode) for mode in ("jit", "shard_map")),
    *(("dcgan", mode) for mode in ("pmap", "shard_map")),
    *((case, "shard_map") for case in ("gan/relativistic", "gan/packed", "cgan")),
    ("sngan/projection", "shard_map"),
]


def test_every_recipe_is_here():
    assert {case.split("/")[0] for case in contract.CASES} == set(recipes.names())


def params(state):
    return {name: player.params for name, player in state.players.items()}


def unmoved(before, after):
    """Paths of the parameters that are the same, bit for bit."""
    pairs = zip(jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True)
    return [jax.tree_util.keystr(path, simple=True, separator="/") for (path, a), b in pairs if np.array_equal(a, b)]


@every_recipe
def test_state_steps_and_checkpoint(case, tmp_path):
    """Arrays only; one trace; finite; every player moves; a restored run goes on bit for bit."""
    system = contract.build(case)
    abstract = jax.eval_shape(system.init, KEY)
    step = jax.jit(chex.assert_max_traces(system.step, n=1))
    state = first = contract.start(case)
    chex.assert_trees_all_equal_shapes_and_dtypes(abstract, state)
    assert set(state.players) == set(system.networks)
    for t in range(4):
        if t == 2:
            checkpoint.save(tmp_path, 2, state, {}, keep=1)
        state, metrics = step(state, contract.batch(case, t), KEY)
    chex.clear_trace_counter()
    chex.assert_trees_all_equal_shapes_and_dtypes(abstract, state)
    chex.assert_tree_all_finite((state, metrics))
    assert {"d_real", "d_fake"} <= set(metrics)
    for name in system.networks:
        assert metrics[f"{name}/grad_norm"] > 0
        assert set(unmoved(params(first)[name], params(state)[name])) <= set(contract.MAY_REST.get(case, ()))

    resumed = checkpoint.restore(tmp_path, 2, abstract)
    for t in (2, 3):
        resumed, _ = step(resumed, contract.batch(case, t), KEY)
    chex.assert_trees_all_equal(resumed, state)


@once_a_recipe
def test_each_move_changes_its_own_player_only_and_in_its_own_interest(case, monkeypatch):
    """With the other player at rest: a small step of D tells real from fake better, one of G raises D(G(z)).

    The second look has the first one's noise and images, so that only the move lies between them.
    """
    state = contract.start(case)  # before the patch: what it makes is kept for other tests
    sgd = optax.inject_hyperparams(optax.sgd)(learning_rate=0.0)
    monkeypatch.setattr(base, "optimizers_of", lambda config, own: dict.fromkeys(state.players, sgd))
    step = jax.jit(chex.assert_max_traces(contract.build(case).step, n=1))
    for moving, (real, fake) in {"g": (0, 1), "d": (1, -1)}.items():
        players = {
            name: dataclasses.replace(player, opt_state=rated(sgd.init(player.params), 1e-2 * (name == moving)))
            for name, player in state.players.items()
        }
        before = dataclasses.replace(state, players=players)
        after, before_metrics = step(before, contract.batch(case), KEY)
        for name in ("g", "d"):
            resting = unmoved(params(before)[name], params(after)[name])
            # Not every parameter must move at once: behind a layer of zeros there is no gradient yet.
            assert (len(resting) == len(jax.tree.leaves(params(before)[name]))) is (name != moving)
        _, after_metrics = step(dataclasses.replace(after, step=before.step), contract.batch(case), KEY)
        gain = [real * float(m["d_real"]) + fake * float(m["d_fake"]) for m in (before_metrics, after_metrics)]
        assert gain[1] > gain[0]
    chex.clear_trace_counter()


def rated(state, rate):
    """The state of an optimiser with an injected rate, at another one."""
    return state._replace(hyperparams={"learning_rate": jnp.float32(rate)})


def test_the_generators_objective_is_the_one_asked_for():
    """log(1 - D(G(z))) is negative, -log D(G(z)) positive."""
    losses = {}
    for case in ("gan", "gan/minimax"):
        _, metrics = jax.jit(contract.build(case).step)(contract.start(case), contract.batch(case), KEY)
        losses[case] = float(metrics["g/loss"])
    assert losses["gan/minimax"] < 0 < losses["gan"]


@every_recipe
def test_samples(case):
    system = contract.build(case)
    state = contract.start(case)
    keys = jax.random.split(jax.random.key(1), 5)
    images = system.sample(state, keys, contract.labels(case, 5))
    chex.assert_shape(images, (5, *system.config.image_shape))
    chex.assert_type(images, jnp.float32)
    assert -1 <= images.min() < images.max() <= 1
    np.testing.assert_array_equal(images, system.sample(state, keys, contract.labels(case, 5)))
    fewer = system.sample(state, keys[:3], contract.labels(case, 3))
    np.testing.assert_allclose(fewer, images[:3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(images[0], images[1])


@pytest.mark.parametrize("case", contract.CONDITIONAL)
def test_labels_matter_where_they_are_taken(case):
    system = contract.build(case)
    assert system.conditional
    # At the start a normalisation's gains and biases are the same for all classes.
    state, _ = jax.jit(system.step)(contract.start(case), contract.batch(case), KEY)
    keys = jax.random.split(jax.random.key(1), 4)
    zeros, ones = (system.sample(state, keys, jnp.full(4, label)) for label in (0, 1))
    assert not np.allclose(zeros, ones)
    with pytest.raises(UserError, match="one label per image"):
        system.sample(state, keys, None)
    with pytest.raises(UserError, match="needs labelled images"):
        contract.build(case, classes=0)
    one, other = (
        jax.jit(system.step)(state, {**contract.batch(case), "label": jnp.full(16, c)}, KEY)[1] for c in (0, 1)
    )
    assert one["d/loss"] != other["d/loss"]


@pytest.mark.parametrize(("case", "mode"), MODES)
def test_parallel_modes_agree(case, mode, monkeypatch):
    """Two steps of SGD on four devices against one, whole state, 1e-5."""
    optimizers = {name: optax.sgd(0.05) for name in contract.start(case).players}
    monkeypatch.setattr(base, "optimizers_of", lambda config, own: optimizers)

    def train(mode, devices):
        mesh = parallel.make_mesh(jax.devices()[:devices])
        system = contract.build(case, parallel.axis_name_of(mode))
        run = parallel.parallelize(system.step, mode, mesh)
        state, key = parallel.place_state((jax.jit(system.init)(KEY), KEY), mesh)
        for t in range(2):
            state, metrics = run(state, parallel.place_batch(contract.batch(case, t), mesh), key)
        return jax.device_get((state, metrics))

    chex.assert_trees_all_close(train(mode, 4), train("jit", 1), rtol=1e-5, atol=1e-5)


@once_a_recipe
def test_bfloat16_computes_in_half_and_keeps_state_whole(case):
    system, state = contract.build(case, precision="bfloat16"), contract.start(case)
    lowered = jax.jit(system.step).lower(state, contract.batch(case), KEY)
    assert "bf16" in lowered.as_text()
    after, _ = jax.eval_shape(system.step, state, contract.batch(case), KEY)
    chex.assert_trees_all_equal_dtypes(after, state)
    if case in ("dcgan", "wgan_gp"):  # batch statistics, and slopes of slopes
        chex.assert_tree_all_finite(lowered.compile()(state, contract.batch(case), KEY))


@once_a_recipe
def test_remat_is_heard_by_every_pass_of_every_network(case):
    """G plays once, D judges real and fake images, then the fakes again: at least four passes are recomputed."""
    passes = {}
    for remat in (False, True):
        system = contract.build(case, remat=remat)
        program = str(jax.make_jaxpr(system.step)(jax.eval_shape(system.init, KEY), contract.batch(case), KEY))
        passes[remat] = program.count("checkpoint[") + program.count("remat")
    assert passes[False] == 0
    assert passes[True] >= 4


@pytest.mark.parametrize(("case", "mode"), [("dcgan", "shard_map"), ("wgan_gp", "jit")])
def test_remat_changes_no_number(case, mode, monkeypatch):
    """Two steps in one loop on two devices; batch statistics, second derivatives, a scan within."""
    optimizers = {name: optax.sgd(0.05) for name in contract.start(case).players}
    monkeypatch.setattr(base, "optimizers_of", lambda config, own: optimizers)
    mesh = parallel.make_mesh(jax.devices()[:2])

    def train(remat):
        system = contract.build(case, parallel.axis_name_of(mode), remat=remat)

        def twice(state, batch, key):
            return jax.lax.fori_loop(0, 2, lambda _, state: system.step(state, batch, key)[0], state), {}

        state, key = parallel.place_state((jax.jit(system.init)(KEY), KEY), mesh)
        return parallel.parallelize(twice, mode, mesh)(state, parallel.place_batch(contract.batch(case), mesh), key)

    chex.assert_trees_all_close(train(True), train(False), rtol=1e-5, atol=1e-6)


@once_a_recipe
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"batch_size": 0}, "--batch-size must be above 0, got 0"),
        ({"steps": -1}, "--steps must be above 0, got -1"),
        ({"d_learning_rate": 0.0}, "--d-learning-rate must be above 0"),
        ({"beta1": 1.0}, "--beta1 must be at least 0 and below 1, got 1.0"),
        ({"accumulate": 3}, "--batch-size must be a multiple of --accumulate 3, got 16"),
        ({"ema_halflife_kimg": -1.0}, "--ema-halflife-kimg must be at least 0"),
        ({"ema_halflife_kimg": float("nan")}, "--ema-halflife-kimg must be at least 0, got nan"),
        ({"g_learning_rate": float("inf")}, "--g-learning-rate must be finite, got inf"),
    ],
)
def test_impossible_numbers_are_one_sentence(case, change, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build(case, **change)


def test_no_widths_at_all_is_one_sentence():
    with pytest.raises(UserError, match="--g-widths takes at least one number, got none"):
        contract.build("gan", g_widths=())


def test_an_unknown_recipe_gets_the_list_and_a_guess():
    with pytest.raises(UserError, match=r"there is no recipe 'dcgn'; the recipes are cgan, dcgan, gan.*'dcgan'\?"):
        recipes.load("dcgn")
