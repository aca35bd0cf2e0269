"""Several critics, an unrolled D and minibatch statistics as options of the toolbox's recipes."""

import functools
from dataclasses import dataclass
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from annotated_types import Ge, Gt, Le, Lt

from jaxgan.cli import main
from jaxgan.errors import UserError
from jaxgan.game import normal, parallel
from jaxgan.game.random import example_keys
from jaxgan.game.unroll import unroll
from jaxgan.layers.minibatch import MinibatchStd
from jaxgan.losses.critics import several_critics
from jaxgan.options import check_fields
from jaxgan.train.run.load import load
from tests.recipes import contract

KEY = contract.KEY


@functools.cache
def step_of(name="gan", axis_name=None, **changes):
    """A system, its first state, a batch, and what one step makes of them: on two devices with an axis."""
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


MANY = {"critics": 2, "penalty": "r1", "penalty_weight": 0.5}


# Oracle: each critic applied by hand to the same images; `several_critics` of G's losses against them.
def test_several_critics_each_play_their_own_game():
    system, state, batch, after, metrics = step_of(**MANY)
    D, x_fake = fakes(system, state)
    before, moved = (each.players["d"].params for each in (state, after))
    assert sorted(before) == ["critic_0", "critic_1"]
    apply = jax.jit(lambda params, x: [D.apply({"params": params[name]}, x) for name in sorted(params)])
    pairs = zip(apply(before, batch["image"]), apply(before, x_fake), strict=True)
    of_each = [(jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean() for real, fake in pairs]
    np.testing.assert_allclose(metrics["d/loss"], sum(of_each) + 2 * metrics["penalty"], rtol=1e-5)
    against = several_critics([jax.nn.softplus(-fake) for fake in apply(moved, x_fake)]).mean()
    np.testing.assert_allclose(metrics["g/loss"], against, rtol=1e-5)


# Oracle: the game of one critic, from the same start: no critic's gradient reaches another.
def test_critics_do_not_know_of_each_other():
    _, state, batch, after, _ = step_of(**MANY)
    single = contract.build("gan", **{**MANY, "critics": 1})
    alone, step = jax.jit(single.init)(KEY), jax.jit(single.step)
    alone = contract.with_params(alone, "g", state.players["g"].params)
    for name, start in state.players["d"].params.items():
        moved, _ = step(contract.with_params(alone, "d", start), batch, KEY)
        pairs = (moved.players["d"].params, after.players["d"].params[name])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), *pairs)


LOOK = {"critics": 2, "unroll": 1, "d_learning_rate": 0.05}


# Oracle: `unroll` called by hand on the critics that have moved, and `several_critics` of what they become.
def test_unrolled_critics_are_what_g_meets():
    system, state, batch, after, metrics = step_of(**LOOK)
    D, x_fake = fakes(system, state)

    def judge(d, x):
        return [D.apply({"params": d[name]}, x) for name in sorted(d)]

    def d_loss(d):
        pairs = zip(judge(d, batch["image"]), judge(d, x_fake), strict=True)
        return sum((jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean() for real, fake in pairs)

    @jax.jit
    def by_hand(d):
        answer = unroll(d_loss, d, optax.adam(0.05, 0.5, eps_root=1e-8), 1)
        return [
            several_critics([jax.nn.softplus(-fake) for fake in judge(each, x_fake)]).mean() for each in (answer, d)
        ]

    wanted, plain = by_hand(after.players["d"].params)
    np.testing.assert_allclose(metrics["g/loss"], wanted, rtol=1e-4)
    assert abs(wanted - plain) > 0.01


# Oracle: one device.
def test_two_devices_agree_with_one():
    *_, alone, expected = step_of(**LOOK)
    *_, shared, found = step_of("gan", parallel.axis_name_of("shard_map"), **LOOK)
    assert jax.tree.structure(alone) == jax.tree.structure(shared)
    assert set(found) == set(expected)
    for metric in ("d/loss", "g/loss", "d/grad_norm", "g/grad_norm"):
        np.testing.assert_allclose(found[metric], expected[metric], rtol=1e-3, err_msg=metric)


# Oracle: the network without statistics, the layer by hand, and the dense layer's kernel.
def test_minibatch_statistics_are_seen_before_the_logit():
    system, state, batch, _, metrics = step_of("dcgan", minibatch_std=4, d_norm="none")
    _, D = contract.networks(system)
    d = state.players["d"].params
    _, seen = jax.jit(lambda d, x: D.apply({"params": d}, x, train=True, capture_intermediates=True))(d, batch["image"])
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
    one = parallel.make_mesh(jax.devices()[:1])
    monkeypatch.setattr(parallel, "make_mesh", lambda *_: one)
    monkeypatch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *_: path.write_text(""))
    np.save(tmp_path / "data.npy", np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), np.uint8))
    run, widths = str(tmp_path / "run"), ["--g-width", "2", "--d-width", "2", "--d-norm", "none"]
    options = ["--minibatch-std", "4", "--critics", "2", "--unroll", "1", *widths, "--data", str(tmp_path / "data.npy")]
    train = ["train", "dcgan", *options, "--batch-size", "8", "--samples", "4", "--out", run]
    assert main([*train, "--steps", "3"]) == 0
    assert load(run).system.config.critics == 2
    assert main([*train, "--critics", "two"]) == 2
    assert "--critics takes a whole number, got" in capsys.readouterr().err


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


@dataclass(frozen=True)
class Bounded:
    plain: float = 1.0
    at_least: Annotated[int, Ge(2)] = 2
    more: Annotated[float | None, Gt(1), Le(3)] = None
    parts: tuple[Annotated[float, Ge(0), Lt(1)], ...] = (0.5,)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"plain": 0.0}, "--plain must be above 0, got 0.0"),
        ({"plain": float("inf")}, "--plain must be finite, got inf"),
        ({"at_least": 1}, "--at-least must be at least 2, got 1"),
        ({"more": 1.0}, "--more must be above 1, got 1.0"),
        ({"more": 3.5}, "--more must be at most 3, got 3.5"),
        ({"parts": (0.0, 1.0)}, "--parts must be at least 0 and below 1, got 1.0"),
        ({"parts": (0.0, float("nan"))}, "--parts must be at least 0, got nan"),
        ({"parts": ()}, "--parts takes at least one number, got none"),
    ],
)
def test_bounds_stand_at_the_field(changes, sentence):
    check_fields(Bounded(at_least=3, more=3.0, parts=(0.0, 0.9)))
    with pytest.raises(UserError, match=f"^{sentence}"):
        check_fields(Bounded(**changes))
