"""Several critics, an unrolled D and minibatch statistics as options of the toolbox's recipes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.cli import main
from jaxgan.errors import UserError
from jaxgan.game import normal, parallel
from jaxgan.game.random import example_keys
from jaxgan.game.unroll import unroll
from jaxgan.layers.minibatch import MinibatchStd
from jaxgan.losses.critics import several_critics
from jaxgan.recipes import dcgan
from tests.recipes import contract

KEY = contract.KEY


def step_of(name="gan", axis_name=None, **changes):
    """A system, its first state, a batch, and what one step makes of them."""
    system = contract.build(name, axis_name, **changes)
    state, batch = jax.jit(system.init)(KEY), contract.batch_of(system)
    if axis_name is None:
        return system, state, batch, *jax.jit(system.step)(state, batch, KEY)
    run = parallel.parallelize(system.step, "shard_map", parallel.make_mesh(jax.devices()[:2]), donate=False)
    return system, state, batch, *run(state, batch, KEY)


def fakes(system, state):
    """Those of the first play, by hand."""
    G, D = contract.networks(system)[:2]
    key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(KEY, 0), 0), 0)  # step, round, the play
    z = normal(example_keys(key, jnp.arange(system.config.batch_size)), (6,))
    return D, jax.jit(lambda g, z: G.apply(g, z, train=False))(state.players["g"].variables(), z)


def critic(params, index):
    return {"params": params[f"critic_{index}"]}


# Oracle: each critic applied by hand to the same images; `several_critics` of G's losses against them.
def test_several_critics_each_play_their_own_game():
    system, state, batch, after, metrics = step_of(critics=3)
    D, x_fake = fakes(system, state)
    before, moved = (each.players["d"].params for each in (state, after))
    assert sorted(before) == ["critic_0", "critic_1", "critic_2"]

    def logits(params, x):
        return [D.apply(critic(params, i), x, train=False) for i in range(3)]

    pairs = zip(logits(before, batch["image"]), logits(before, x_fake), strict=True)
    of_each = [(jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean() for real, fake in pairs]
    np.testing.assert_allclose(metrics["d/loss"], sum(of_each), rtol=1e-5)
    against = several_critics([jax.nn.softplus(-fake) for fake in logits(moved, x_fake)]).mean()
    np.testing.assert_allclose(metrics["g/loss"], against, rtol=1e-5)


# Oracle: the same critic moved by its own loss alone: no critic's gradient reaches another.
def test_critics_do_not_know_of_each_other():
    _, state, batch, after, _ = step_of(critics=2, penalty="r1", penalty_weight=0.5)
    single = contract.build("gan", penalty="r1", penalty_weight=0.5)
    alone = jax.jit(single.init)(KEY)
    for i in range(2):
        start = contract.with_params(alone, "d", state.players["d"].params[f"critic_{i}"])
        start = contract.with_params(start, "g", state.players["g"].params)
        moved, _ = jax.jit(single.step)(start, batch, KEY)
        of_many = after.players["d"].params[f"critic_{i}"]
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), moved.players["d"].params, of_many)


# Oracle: `unroll` called by hand on the discriminator that has moved.
def test_an_unrolled_discriminator_is_what_g_meets():
    system, state, batch, after, metrics = step_of(unroll=2, d_learning_rate=0.05)
    D, x_fake = fakes(system, state)

    def judge(d, x):
        return D.apply({"params": d}, x, train=False)

    def d_loss(d):
        return (jax.nn.softplus(-judge(d, batch["image"])) + jax.nn.softplus(judge(d, x_fake))).mean()

    rule = optax.adam(0.05, 0.5, eps_root=1e-8)
    d = after.players["d"].params
    answer = jax.jit(lambda d: unroll(d_loss, d, rule, 2))(d)
    wanted, plain = (jax.nn.softplus(-judge(each, x_fake)).mean() for each in (answer, d))
    np.testing.assert_allclose(metrics["g/loss"], wanted, rtol=1e-4)
    assert abs(wanted - plain) > 0.01


# Oracle: the network without statistics, the layer by hand, and the dense layer's kernel.
def test_minibatch_statistics_are_seen_before_the_logit():
    system, state, batch, _, metrics = step_of("dcgan", minibatch_std=4, d_norm="none")
    _, D = contract.networks(system)
    d = state.players["d"].params
    _, seen = D.apply({"params": d}, batch["image"], train=True, capture_intermediates=True)
    before = jax.nn.leaky_relu(seen["intermediates"]["Conv_0"]["__call__"][0], 0.2)
    features = MinibatchStd(4).apply({}, before)
    assert features.shape[-1] == before.shape[-1] + 1
    logits = (features.reshape(16, -1) @ d["Dense_0"]["kernel"])[:, 0]
    np.testing.assert_allclose(metrics["d_real"], jax.nn.sigmoid(logits).mean(), rtol=1e-5)


def test_names_of_parameters_stay_without_the_options():
    plain, same = (
        jax.eval_shape(contract.build("dcgan", **changes).init, KEY)
        for changes in ({}, {"critics": 1, "unroll": 0, "minibatch_std": 0})
    )
    assert jax.tree.structure(plain) == jax.tree.structure(same)
    assert "Conv_0" in plain.players["d"].params


# Oracle: one device. Everything at once: batch statistics, labels, packs, lazy penalties, n_critic.
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cgan", {"critics": 2, "minibatch_std": 4, "unroll": 1}),
        ("gan", {"critics": 2, "packing": 2, "penalty": "r1", "penalty_weight": 0.1, "penalty_every": 2}),
    ],
)
def test_two_devices_agree_with_one(name, changes):
    *_, alone, expected = step_of(name, **changes)
    *_, shared, found = step_of(name, parallel.axis_name_of("shard_map"), **changes)
    assert set(found) == set(expected)
    for metric in ("d/loss", "g/loss", "d/grad_norm", "g/grad_norm"):
        np.testing.assert_allclose(found[metric], expected[metric], rtol=1e-3, err_msg=metric)
    assert jax.tree.structure(alone) == jax.tree.structure(shared)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("gan", {"critics": 0}, "--critics must be above 0, got 0"),
        ("gan", {"unroll": -1}, "--unroll must be at least 0, got -1"),
        ("gan", {"unroll": 2, "accumulate": 2}, "--unroll looks ahead at .* so --accumulate takes 1"),
        ("gan", {"unroll": 2, "penalty": "r1", "penalty_every": 4}, "--unroll looks ahead at D's loss, from which"),
        ("dcgan", {"minibatch_std": 1}, "--minibatch-std takes groups of at least 2 images, .* got 1"),
        ("dcgan", {"minibatch_std": 3}, "--minibatch-std must divide the 16 images .* at a time, got 3"),
        ("dcgan", {"minibatch_std": 4, "packing": 8}, "--minibatch-std must divide the 2 images or packs"),
        ("wgan", {"minibatch_std": 4, "accumulate": 8}, "--minibatch-std must divide the 2 images"),
        ("cgan/mlp", {"minibatch_std": 4}, "--minibatch-std is of other networks than --network mlp"),
    ],
)
def test_what_cannot_be_joined_is_one_sentence(name, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build(name, **changes)


def test_accumulation_changes_the_weights_of_critics():
    with pytest.warns(UserWarning, match="--critics 2 compares .* with --accumulate 2 are 8 at a time"):
        contract.build("gan", critics=2, accumulate=2)


def test_all_three_from_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dcgan, "Config", dataclasses.make_dataclass("Config", (), bases=(dcgan.Config,), frozen=True))
    run = str(tmp_path / "run")
    sizes = "--steps 3 --batch-size 8 --g-width 2 --d-width 2 --samples 4 --image-size 8".split()
    assert main(["train", "dcgan", "--minibatch-std", "4", "--critics", "2", "--unroll", "1", *sizes, "--out", run]) == 0
    assert "step" in capsys.readouterr().out
    assert main(["train", "dcgan", "--critics", "two", *sizes, "--out", run]) == 2
    assert "--critics takes a whole number, got two" in capsys.readouterr().err


def test_the_command_line_knows_bounded_fields(capsys):
    """Their types are written with bounds, which the parser shows and reads as numbers."""
    with pytest.raises(SystemExit):
        main(["train", "dcgan", "--help"])
    said = capsys.readouterr().out
    assert "--unroll INT" in said
    assert "--label-noise FLOAT" in said
    assert "--penalty-weight-end {None}|FLOAT" in said
    assert main(["train", "dcgan", "--label-noise", "-1"]) == 2
    assert "--label-noise must be at least 0, got -1.0." in capsys.readouterr().err
