"""The toolbox's options: what they change in a step, and which exclude each other."""

import dataclasses
import warnings
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import normal
from jaxgan.game.random import example_keys
from jaxgan.losses import adversarial, penalties
from jaxgan.losses.batches import pack
from jaxgan.recipes.common import objectives, toolbox
from tests.recipes import contract

KEY = contract.KEY


def build(**changes):
    return contract.build("gan", **changes)


class First(NamedTuple):
    """A first step: its state and metrics, the real images, the fakes of its play, and D applied by hand."""

    step: Any
    state: Any
    after: Any
    metrics: Any
    x_real: Any
    x_fake: Any
    judge: Any


def first_step(**changes):
    system = build(**changes)
    G, D = contract.networks(system)
    state, batch = jax.jit(system.init)(KEY), contract.batch_of(system)
    step = contract.compiled(system.step, state, batch, KEY)
    after, metrics = step(state, batch, KEY)
    key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(KEY, 0), 0), 0)  # step, round, the play
    z = normal(example_keys(key, jnp.arange(16)), (6,))
    x_fake = jax.jit(G.apply)(state.players["g"].variables(), z)
    judge = jax.jit(lambda state, x: D.apply(state.players["d"].variables(), x))
    return First(step, state, after, metrics, batch["image"], x_fake, judge)


@pytest.mark.parametrize("name", ["lsgan", "hinge", "ra_non_saturating", "rp_non_saturating"])
def test_the_loss_is_the_one_asked_for(name):
    """Oracle: the game's losses of logits from networks applied by hand."""
    first = first_step(loss=name)
    game = adversarial.named(name)
    expected = game.d(*(first.judge(first.state, x) for x in (first.x_real, first.x_fake))).mean()
    np.testing.assert_allclose(first.metrics["d/loss"], expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["r1", "r2", "r1_r2"])
def test_the_penalty_is_added_with_its_weight(name):
    """Oracle: gradients of D by hand."""
    first = first_step(penalty=name, penalty_weight=3.0)

    @jax.jit
    def squared_slope(x):
        gradient = jax.vmap(jax.grad(lambda x: first.judge(first.state, x[None])[0]))(x)
        return 0.5 * jnp.square(gradient).sum((1, 2, 3)).mean()

    at = {"r1": (first.x_real,), "r2": (first.x_fake,), "r1_r2": (first.x_real, first.x_fake)}[name]
    expected = 3.0 * sum(squared_slope(x) for x in at)
    np.testing.assert_allclose(first.metrics["penalty"], expected, rtol=1e-5)
    logits = [first.judge(first.state, x) for x in (first.x_real, first.x_fake)]
    plain = adversarial.binary_cross_entropy(*logits).mean()
    np.testing.assert_allclose(first.metrics["d/loss"], plain + expected, rtol=1e-5)


def test_weight_and_rates_follow_their_cosines():
    """After half of the steps they are half-way."""
    options = {"penalty": "r1", "penalty_weight": 4.0, "penalty_weight_end": 0.0, "steps": 2, "rate_end": 0.5}
    first = first_step(**options)
    _, second = first.step(first.after, {"image": first.x_real}, KEY)
    r1 = jax.jit(lambda state: penalties.r1(lambda x: first.judge(state, x), first.x_real).mean())
    for weight, at, seen in ((4.0, first.state, first.metrics), (2.0, first.after, second)):
        np.testing.assert_allclose(seen["penalty"], weight * r1(at), rtol=1e-5)


def test_a_lazy_penalty_is_a_round_of_its_own():
    first = first_step(penalty="r1", penalty_weight=2.0, penalty_every=4)
    assert {"penalty/loss", "penalty/grad_norm"} <= set(first.metrics)
    again, held = first.step(first.after, contract.random_batch(contract.IMAGES, 16, 1), KEY)
    assert held["penalty/loss"] == first.metrics["penalty/loss"]
    assert again.step == 2


def test_packed_images_reach_the_discriminator_as_channels():
    first = first_step(packing=2)
    assert first.state.players["d"].params["Dense_0"]["kernel"].shape[0] == 2 * 8 * 8
    logits = [first.judge(first.state, pack(x, 2)) for x in (first.x_real, first.x_fake)]
    np.testing.assert_allclose(first.metrics["d/loss"], adversarial.binary_cross_entropy(*logits).mean(), rtol=1e-5)


def test_soft_labels_change_the_loss_of_real_images_only():
    first = first_step(label_smoothing=0.1)
    real, fake = (first.judge(first.state, x) for x in (first.x_real, first.x_fake))
    soft = 0.9 * jax.nn.softplus(-real) + 0.1 * jax.nn.softplus(real) + jax.nn.softplus(fake)
    np.testing.assert_allclose(first.metrics["d/loss"], soft.mean(), rtol=1e-5)


def test_rates_end_with_the_training(monkeypatch):
    """Oracle: how often a player updates in a step: n_critic times, and twice with extragradient."""
    seen = []
    monkeypatch.setattr(toolbox, "adam", lambda rate, b1, **kw: seen.append((rate, kw["moves"])) or optax.sgd(1.0))
    config = contract.config("gan", n_critic=5, rate_end=0.5)
    toolbox.optimizers(dataclasses.replace(config, steps=10 * config.steps, schedule_steps=config.steps))
    toolbox.optimizers(dataclasses.replace(config, n_critic=1, updates="extragradient"))
    (g, one), (d, five), (ahead, again), _ = seen
    assert (one, five, again) == (1, 5, 1)
    for rate, passes in ((g, config.steps), (d, config.steps), (ahead, 2 * config.steps)):
        np.testing.assert_allclose([rate(0), rate(passes - 1) > 1e-4, rate(passes)], [2e-4, 1, 1e-4], rtol=1e-5)


def test_optimistic_players_keep_their_last_update():
    state = jax.eval_shape(build(updates="optimistic").init, KEY)
    assert state.players["g"].opt_state.last["Dense_0"]["kernel"].shape == (6, 12)


@pytest.mark.parametrize("case", ["dcgan", "cgan"])
def test_a_penalty_on_batch_statistics_is_warned_of(case):
    with pytest.warns(UserWarning, match="--penalty r1 .* with --d-norm batch .* layer or none suits it better"):
        contract.build(case, penalty="r1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contract.build(case, penalty="r1", d_norm="layer")


@pytest.mark.parametrize("loss", ["wasserstein", "rp_wasserstein"])
def test_a_wasserstein_critic_whose_slope_is_free_is_warned_of(loss):
    with pytest.warns(UserWarning, match=f"--loss {loss} .* only while the slope of D is bounded"):
        build(loss=loss)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(loss=loss, penalty="gradient_penalty")


# Oracle: the better half of four fakes by the mean of their patches, by hand.
def test_top_k_of_patch_logits_weighs_whole_images():
    patches = jnp.array([[0.0, 1.0], [5.0, -1.0], [-2.0, 0.5], [1.0, 1.0]])
    _, g_loss = objectives.objectives(
        lambda params, vars, x, given, rng: (x, {}), adversarial.non_saturating_gan, top_k=lambda step: 0.5
    )
    loss, _ = g_loss({}, {"step": jnp.int32(0)}, patches, {}, jax.random.split(KEY, 4))
    expected = np.log1p(np.exp(-np.asarray(patches)[[1, 3]])).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"loss": "ra_hinge", "top_k": 1.0}, "--loss ra_hinge"),
        ({"top_k": 0.5, "penalty": "dragan"}, "--top-k 0.5 and --penalty dragan"),
    ],
)
def test_accumulation_of_a_game_of_whole_batches_is_warned_of(changes, named):
    size = contract.config("gan").batch_size
    sentence = f"^{named} compares the images of a batch, which with --accumulate 2 are {size // 2} at a time"
    with pytest.warns(UserWarning, match=sentence):
        contract.build("gan", accumulate=2, **changes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contract.build("gan", **changes)
        contract.build("gan", accumulate=2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"penalty_weight": -1.0}, "--penalty-weight must be above 0, got -1.0"),
        ({"label_noise": 0.6}, r"--label-noise must be at most 0.5, got 0.6"),
        ({"label_noise": -0.1}, "--label-noise must be at least 0, got -0.1"),
        ({"label_smoothing": 0.1, "loss": "hinge"}, "--label-smoothing softens .* got --loss hinge"),
        ({"packing": 2, "accumulate": 16}, "multiple of --packing 2 times --accumulate 16, got 16"),
        ({"label_smoothing": 0.99}, "--label-smoothing must be at most 0.5, got 0.99"),
        ({"packing": 3}, "--batch-size must be a multiple of --packing 3, got 16"),
        ({"packing": 2, "top_k": 0.5}, "--top-k chooses among single fakes"),
        ({"loss": "ra_hinge", "top_k": 0.5}, "--top-k chooses among single fakes, which --loss ra_hinge weighs"),
        ({"penalty_weight": 5.0}, "--penalty-weight takes a --penalty, got none"),
        ({"penalty_every": 4}, "--penalty-every takes a --penalty, got none"),
        ({"updates": "optimistic", "penalty": "r1", "penalty_every": 4}, "--updates optimistic repeats D's last move"),
        ({"updates": "extragradient", "n_critic": 2}, "--updates extragradient moves both players at once"),
        ({"top_k": 0.0}, "--top-k must be above 0"),
    ],
)
def test_options_that_cannot_be(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        build(**changes)


@pytest.mark.parametrize(
    ("field", "value", "takes"),
    [
        ("z_dim", "6", "a whole number; got '6'"),
        ("steps", 2.5, "a whole number; got 2.5"),
        ("batch_size", True, "a whole number; got True"),
        ("g_widths", 12, "whole numbers; got 12"),
        ("beta1", None, "a number; got None"),
    ],
)
def test_a_value_of_another_type_is_one_sentence(field, value, takes):
    config = contract.config("gan")
    object.__setattr__(config, field, value)
    with pytest.raises(UserError, match=rf"^--{field.replace('_', '-')} takes {takes}"):
        contract.module("gan").build(config, contract.spec("gan"))


@pytest.mark.parametrize("field", ["loss", "penalty", "updates"])
def test_a_choice_that_is_none(field):
    """From Python: the command line's parser has its own sentence."""
    config = contract.config("gan")
    object.__setattr__(config, field, "bce")  # the tests check the types of arguments themselves
    with pytest.raises(UserError, match=f"--{field} takes one of .*; got 'bce'"):
        contract.module("gan").build(config, contract.IMAGES)


def test_packing_and_classes_exclude_each_other():
    with pytest.raises(UserError, match="--packing joins images of several classes"):
        contract.build("cgan", packing=2)
