"""WGAN, WGAN-GP, LSGAN and R3GAN: what each adds to the game, against closed forms."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.game import normal
from jaxgan.game.random import example_keys
from jaxgan.losses.penalties import r1
from jaxgan.recipes import dcgan, r3gan
from tests.recipes import contract

KEY = contract.KEY


class Stepped(NamedTuple):
    """One step: its program, the states before and after, what it saw and said; D, and the fakes of its first play."""

    step: Any
    state: Any
    after: Any
    batch: Any
    metrics: Any
    judge: Any
    x_fake: Any


def _step(name, **changes):
    """One step of the smallest case, or of another configuration."""
    system = contract.build(name, **changes)
    G, D = contract.networks(system)
    if changes:
        state, batch = jax.jit(system.init)(KEY), contract.batch_of(system)
        step = contract.compiled(system.step, state, batch, KEY)
        after, metrics = step(state, batch, KEY)
    else:
        case = contract.case(name)
        state, batch, step, after, metrics = case.state, case.batch, case.step, case.after, case.metrics

    def apply(network, player, x):
        return network.apply(player.variables(), x, train=True, mutable=["batch_stats"])[0]

    judge = jax.jit(lambda state, x: apply(D, state.players["d"], x))
    z = normal(example_keys(jax.random.fold_in(ROUND_KEY, 0), jnp.arange(16)), (system.config.z_dim,))
    x_fake = jax.jit(lambda state, z: apply(G, state.players["g"], z))(state, z)
    return Stepped(step, state, after, batch, metrics, judge, x_fake)


ROUND_KEY = jax.random.fold_in(jax.random.fold_in(KEY, 0), 0)  # step 0, round 0


# Oracle: equations 2 and 3 of Huang et al. 2024 with each image's gradient taken alone.
def test_r3gan_pays_for_pairs_and_for_slopes():
    it = _step("r3gan")
    judged = jax.jit(jax.vmap(jax.value_and_grad(lambda x: it.judge(it.state, x[None])[0])))
    (real, real_slopes), (fake, fake_slopes) = judged(it.batch["image"]), judged(it.x_fake)
    pairs = np.log1p(np.exp(-(np.asarray(real, np.float64) - np.asarray(fake, np.float64)))).mean()
    squares = [(np.asarray(slopes, np.float64) ** 2).sum((1, 2, 3)).mean() for slopes in (real_slopes, fake_slopes)]
    np.testing.assert_allclose(it.metrics["d/loss"], pairs + 3.0 / 2 * sum(squares), rtol=1e-5)
    np.testing.assert_allclose(it.metrics["penalty"], 3.0 / 2 * sum(squares), rtol=1e-4)
    np.testing.assert_allclose([it.metrics["r1"], it.metrics["r2"]], [s / 2 for s in squares], rtol=1e-4)


# Oracle: the pair turned round, judged by the discriminator that has moved.
def test_r3gans_generator_pays_for_the_pairs_turned_round():
    it = _step("r3gan")
    real, fake = (it.judge(it.after, x) for x in (it.batch["image"], it.x_fake))
    np.testing.assert_allclose(it.metrics["g/loss"], jax.nn.softplus(real - fake).mean(), rtol=1e-5)


# Oracle: `penalties.r1`, which runs the critic by itself.
def test_one_pass_of_r3gan_gives_logits_and_penalty():
    def critic(x):
        return jnp.sin(x).sum((1, 2)) ** 2

    x = jax.random.normal(KEY, (3, 2, 4))
    logits, penalty = r3gan._logits_and_r1(critic, x)
    np.testing.assert_allclose(logits, critic(x), rtol=1e-6)
    np.testing.assert_allclose(penalty, r1(critic, x), rtol=1e-6)


# Oracle: half a cosine by hand: at step 1 of a burn-in of 4, gamma has gone (1 - cos(pi / 4)) / 2 of its way; and
# Adam's closed form with that rate for the first update, g / |g|.
def test_r3gans_schedules_follow_half_a_cosine():
    it = _step("r3gan")
    np.testing.assert_allclose(it.metrics["penalty"], 3.0 * (it.metrics["r1"] + it.metrics["r2"]), rtol=1e-5)
    _, later = it.step(it.after, it.batch, KEY)
    gamma = 3.0 + (1.0 - 3.0) * (1 - np.cos(np.pi / 4)) / 2
    np.testing.assert_allclose(later["penalty"], gamma * (later["r1"] + later["r2"]), rtol=1e-5)
    moved = jax.tree.map(lambda a, b: np.abs(b - a).max(), *(s.players["d"].params for s in (it.state, it.after)))
    np.testing.assert_allclose(max(jax.tree.leaves(moved)), 1e-3, rtol=1e-3)


# Oracle: Adam's second moments by hand at steps 0 and 1, with beta2 of half a cosine from 0.9 to 0.99 over 4 steps.
def test_r3gans_beta2_grows():
    gradients = (2.0, 0.5)
    optimizer = r3gan._optimizer(contract.config("r3gan", d_learning_rate=1.0, rate_end=1.0), 1.0)
    state = optimizer.init(jnp.zeros(()))
    moments = 0.0
    for t, g in enumerate(gradients):
        update, state = optimizer.update(jnp.asarray(g), state)
        beta2 = 0.9 + 0.09 * (1 - np.cos(np.pi * t / 4)) / 2
        moments = beta2 * moments + (1 - beta2) * g**2
        np.testing.assert_allclose(update, -g / np.sqrt(moments / (1 - beta2 ** (t + 1))), rtol=1e-4)


def test_r3gans_presets_are_configurations():
    assert set(r3gan.PRESETS) == {"cifar10", "ffhq64", "ffhq256"}
    for name, config in r3gan.PRESETS.items():
        size = int(name.removeprefix("ffhq")) if "ffhq" in name else 32
        spec = {"image": fields.image(size, size, 3), "label": fields.label(tuple("abcdefghij"))}
        system = r3gan.build(config, spec)
        assert abs(config.burn_in * config.batch_size / 2e7 - 1) < 1e-4
        assert config.max_width == 768
        assert ("label" in system.batch) == ("label" in system.verbs["sample"].given) == (name == "cifar10")


# Oracle: Radford et al. 2015, section 4 and figure 1: 128 images, rate 0.0002, 1024 channels at the base of 64 pixels,
# no dense hidden layers.
def test_dcgans_preset_is_the_papers():
    config = dcgan.PRESETS["paper"]
    assert (config.batch_size, config.g_learning_rate, config.d_learning_rate, config.beta1) == (128, 2e-4, 2e-4, 0.5)
    assert (config.z_dim, config.ema_halflife_kimg) == (100, 0.0)
    players = jax.eval_shape(dcgan.build(config, {"image": fields.image(64, 64, 3)}).init, KEY).players
    g, d = players["g"].params, players["d"].params
    assert g["Dense_0"]["kernel"].shape == (100, 4 * 4 * 1024)
    assert set(g) & set(d) == {"Dense_0", *(f"BatchNorm_{i}" for i in range(3))}
    assert not any("bias" in layer for name, layer in d.items() if "BatchNorm" not in name)


# Oracle: the limit itself, reached: weights drawn from N(0, 0.02) exceed it.
def test_wgans_critic_stays_within_the_clip():
    case = contract.case("wgan")
    largest = [max(jnp.abs(p).max() for p in jax.tree.leaves(s.players["d"].params)) for s in (case.state, case.after)]
    assert largest[0] > 0.01
    np.testing.assert_allclose(largest[1], 0.01, rtol=1e-6)
    assert max(jnp.abs(p).max() for p in jax.tree.leaves(case.after.players["g"].params)) > 0.01


# Oracle: minus the mean difference of logits; with one critic step, of the whole batch.
@pytest.mark.parametrize("changes", [{}, {"n_critic": 1}])
def test_wgans_critic_loss_is_minus_the_margin(changes):
    metrics = _step("wgan", **changes).metrics
    np.testing.assert_allclose(metrics["d/loss"], -metrics["margin"], atol=1e-7)


# Oracle: torch's RMSprop: v = 0.99 v + 0.01 g^2, and a step of rate g / (sqrt(v) + 1e-8).
def test_wgans_rmsprop():
    from jaxgan.recipes import wgan

    optimizer = wgan._rmsprop(0.1, 0.0)
    state, moment = optimizer.init(jnp.zeros(())), 0.0
    for g in (1e-6, 3e-6):
        update, state = optimizer.update(jnp.asarray(g), state)
        moment = 0.99 * moment + 0.01 * g**2
        np.testing.assert_allclose(update, -0.1 * g / (np.sqrt(moment) + 1e-8), rtol=1e-5)


def _wgan_gp_step(sides):
    system = contract.build("wgan_gp", sides=sides)
    return jax.jit(lambda key, batch: system.step(system.init(key), batch, key))(KEY, contract.batch_of(system))[1]


# Oracle: a critic x -> <w, x> has the slope |w| everywhere: the penalty is 10 (|w| - 1)^2, or 10 max(0, |w| - 1)^2.
@pytest.mark.parametrize(("sides", "scale"), [("two", 0.1), ("one", 0.1), ("two", 3.0), ("one", 3.0)])
def test_wgan_gps_penalty(sides, scale, monkeypatch):
    from flax import linen as nn

    from jaxgan.recipes import wgan_gp
    from jaxgan.recipes.common.dcgan import pair

    class Linear(nn.Module):
        @nn.compact
        def __call__(self, x, label=None, *, train):
            w = self.param("w", lambda key: scale * jnp.ones(x[0].size) / np.sqrt(x[0].size))
            return x.reshape(len(x), -1) @ w

    monkeypatch.setattr(wgan_gp, "pair", lambda *options: (pair(*options)[0], Linear()))
    monkeypatch.setattr(wgan_gp, "adams", lambda *_: dict.fromkeys(("g", "d"), optax.sgd(0.0)))
    metrics = _wgan_gp_step(sides)
    wanted = 0.0 if sides == "one" and scale < 1 else 10 * (scale - 1) ** 2
    np.testing.assert_allclose(metrics["penalty"], wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(metrics["d/loss"], wanted - metrics["margin"], rtol=1e-4, atol=1e-6)


def test_a_penalty_on_a_critic_with_batch_normalisation_is_warned_of():
    with pytest.warns(UserWarning, match="the gradient penalty .* with --d-norm batch .* depends on the others"):
        contract.build("wgan_gp", d_norm="batch")


# Oracle: equation 2 of Mao et al. 2017 in numpy, G's with the discriminator that has moved.
@pytest.mark.parametrize(("targets", "a", "b", "c"), [("binary", 0, 1, 1), ("pearson", -1, 1, 0)])
def test_lsgan(targets, a, b, c):
    it = _step("lsgan", **({} if targets == "binary" else {"targets": targets}))
    real, fake = (np.asarray(it.judge(it.state, x)) for x in (it.batch["image"], it.x_fake))
    wanted = 0.5 * ((real - b) ** 2).mean() + 0.5 * ((fake - a) ** 2).mean()
    np.testing.assert_allclose(it.metrics["d/loss"], wanted, rtol=1e-5)
    np.testing.assert_allclose(it.metrics["g/loss"], 0.5 * ((it.judge(it.after, it.x_fake) - c) ** 2).mean(), rtol=1e-4)


@pytest.mark.parametrize(
    ("case", "change", "sentence"),
    [
        ("r3gan", {"gamma": -1.0}, "--gamma must be above 0, got -1.0"),
        ("r3gan", {"beta2_end": 1.0}, "--beta2-end must be above 0 and below 1, got 1.0"),
        ("r3gan", {"burn_in": 0}, "--burn-in must be above 0, got 0"),
        ("wgan", {"clip": -0.01}, "--clip must be above 0, got -0.01"),
        ("wgan", {"n_critic": 0}, "--n-critic must be above 0, got 0"),
        ("wgan_gp", {"penalty_weight": -10.0}, "--penalty-weight must be above 0, got -10.0"),
        ("infogan", {"categories": 1}, "--categories must be at least 2, got 1"),
        ("cgan", {"g_widths": (5,)}, "--g-widths is of other networks than --network dcgan"),
        ("cgan/mlp", {"d_norm": "layer"}, "--d-norm is of other networks than --network mlp"),
        ("wgan_gp", {"beta2": 1.0}, "--beta2 must be above 0 and below 1, got 1.0"),
    ],
)
def test_impossible_numbers_are_one_sentence(case, change, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build(case, **change)
