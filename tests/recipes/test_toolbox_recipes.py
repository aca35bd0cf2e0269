"""WGAN, WGAN-GP, LSGAN and R3GAN: what each adds to the game, against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.losses.penalties import r1
from jaxgan.recipes import r3gan
from tests.recipes import contract

KEY = contract.KEY


def _step(case, **changes):
    """The state before and after one step on this configuration, and its metrics."""
    system = contract.build(case, **changes)
    state = jax.jit(system.init)(KEY)
    after, metrics = jax.jit(system.step)(state, contract.batch(case), KEY)
    return system, state, after, metrics


def _judge(system, state, x):
    return system.networks["d"].apply(state.players["d"].variables(), x, train=True, mutable=["batch_stats"])[0]


def _fakes(system, state, batch):
    """The fakes of the first play, found by what D reports of them: the keys are the engine's own business."""
    keys = jax.vmap(lambda r: jax.random.fold_in(jax.random.fold_in(ROUND_KEY, 0), r))(jnp.arange(len(batch["image"])))
    z = jax.vmap(lambda key: jax.random.normal(key, (system.config.z_dim,)))(keys)
    return system.networks["g"].apply(state.players["g"].variables(), z, train=True, mutable=["batch_stats"])[0]


ROUND_KEY = jax.random.fold_in(jax.random.fold_in(KEY, 0), 0)  # step 0, round 0


# Oracle: equations 2 and 3 of Huang et al. 2024 with each image's gradient taken alone.
def test_r3gan_pays_for_pairs_and_for_slopes():
    system, state, _, metrics = _step("r3gan", gamma=3.0)
    batch = contract.batch("r3gan")
    x_fake = _fakes(system, state, batch)

    def logit(x):
        return _judge(system, state, x[None])[0]

    judged = jax.jit(jax.vmap(jax.value_and_grad(logit)))
    (real, real_slopes), (fake, fake_slopes) = judged(batch["image"]), judged(x_fake)
    pairs = np.log1p(np.exp(-(np.asarray(real, np.float64) - np.asarray(fake, np.float64)))).mean()
    squares = [(np.asarray(slopes, np.float64) ** 2).sum((1, 2, 3)).mean() for slopes in (real_slopes, fake_slopes)]
    np.testing.assert_allclose(metrics["d/loss"], pairs + 3.0 / 2 * sum(squares), rtol=1e-5)
    np.testing.assert_allclose(metrics["penalty"], 3.0 / 2 * sum(squares), rtol=1e-4)
    np.testing.assert_allclose([metrics["r1"], metrics["r2"]], [s / 2 for s in squares], rtol=1e-4)


# Oracle: the pair turned round, judged by the discriminator that has moved.
def test_r3gans_generator_pays_for_the_pairs_turned_round():
    system, state, after, metrics = _step("r3gan")
    batch = contract.batch("r3gan")
    real, fake = (_judge(system, after, x) for x in (batch["image"], _fakes(system, state, batch)))
    np.testing.assert_allclose(metrics["g/loss"], jax.nn.softplus(real - fake).mean(), rtol=1e-5)


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
    system, state, after, metrics = _step("r3gan", gamma=3.0, gamma_end=1.0, d_learning_rate=1e-3)
    np.testing.assert_allclose(metrics["penalty"], 3.0 * (metrics["r1"] + metrics["r2"]), rtol=1e-5)
    _, later = jax.jit(system.step)(after, contract.batch("r3gan"), KEY)
    gamma = 3.0 + (1.0 - 3.0) * (1 - np.cos(np.pi / 4)) / 2
    np.testing.assert_allclose(later["penalty"], gamma * (later["r1"] + later["r2"]), rtol=1e-5)
    moved = jax.tree.map(lambda a, b: jnp.abs(b - a), *(s.players["d"].params for s in (state, after)))
    np.testing.assert_allclose(max(leaf.max() for leaf in jax.tree.leaves(moved)), 1e-3, rtol=1e-3)


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
    for name, size in (("cifar10", 32), ("ffhq64", 64), ("ffhq256", 256)):
        config = r3gan.Config(image_shape=(size, size, 3), classes=10, steps=100_000, **r3gan.PRESETS[name])
        system = r3gan.build(config)
        assert config.steps > config.burn_in
        assert abs(config.burn_in * config.batch_size / 2e7 - 1) < 1e-4
        assert system.networks["g"].max_width == 768
        assert system.conditional == (name == "cifar10")


# Oracle: the limit itself, reached: weights drawn from N(0, 0.02) exceed it.
def test_wgans_critic_stays_within_the_clip():
    _, state, after, _ = _step("wgan")
    largest = [max(jnp.abs(p).max() for p in jax.tree.leaves(s.players["d"].params)) for s in (state, after)]
    assert largest[0] > 0.01
    np.testing.assert_allclose(largest[1], 0.01, rtol=1e-6)
    assert max(jnp.abs(p).max() for p in jax.tree.leaves(after.players["g"].params)) > 0.01


# Oracle: minus the mean difference of logits, of the fakes and images of the first microbatch.
@pytest.mark.parametrize("n_critic", [1, 2])
def test_wgans_critic_loss_is_minus_the_margin(n_critic):
    _, _, _, metrics = _step("wgan", n_critic=n_critic) if n_critic == 2 else _step_of_one("wgan")
    np.testing.assert_allclose(metrics["d/loss"], -metrics["margin"], atol=1e-7)


def _step_of_one(case):
    """As `_step` with one critic step: a batch of one microbatch."""
    system = contract.build(case, n_critic=1)
    state = jax.jit(system.init)(KEY)
    batch = jax.tree.map(lambda x: x[: system.config.batch_size], contract.batch(case))
    return system, state, *jax.jit(system.step)(state, batch, KEY)


# Oracle: torch's RMSprop: v = 0.99 v + 0.01 g^2, and a step of rate g / (sqrt(v) + 1e-8).
def test_wgans_rmsprop():
    from jaxgan.recipes import wgan

    optimizer = wgan._rmsprop(0.1, 0.0)
    state, moment = optimizer.init(jnp.zeros(())), 0.0
    for g in (1e-6, 3e-6):
        update, state = optimizer.update(jnp.asarray(g), state)
        moment = 0.99 * moment + 0.01 * g**2
        np.testing.assert_allclose(update, -0.1 * g / (np.sqrt(moment) + 1e-8), rtol=1e-5)


# Oracle: a critic x -> <w, x> has the slope |w| everywhere: the penalty is 10 (|w| - 1)^2, or 10 max(0, |w| - 1)^2.
@pytest.mark.parametrize(("sides", "scale"), [("two", 0.1), ("one", 0.1), ("two", 3.0), ("one", 3.0)])
def test_wgan_gps_penalty(sides, scale, monkeypatch):
    from flax import linen as nn

    from jaxgan.recipes import wgan_gp

    class Linear(nn.Module):
        @nn.compact
        def __call__(self, x, label=None, *, train):
            w = self.param("w", lambda key: scale * jnp.ones(x[0].size) / np.sqrt(x[0].size))
            return x.reshape(len(x), -1) @ w

    monkeypatch.setattr(wgan_gp, "DCGANDiscriminator", lambda *_, **__: Linear())
    monkeypatch.setattr(wgan_gp, "adams", lambda *_: dict.fromkeys(("g", "d"), optax.sgd(0.0)))
    _, _, _, metrics = _step("wgan_gp", sides=sides)
    wanted = 0.0 if sides == "one" and scale < 1 else 10 * (scale - 1) ** 2
    np.testing.assert_allclose(metrics["penalty"], wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(metrics["d/loss"], wanted - metrics["margin"], rtol=1e-4, atol=1e-6)


def test_a_penalty_on_a_critic_with_batch_normalisation_is_warned_of():
    with pytest.warns(UserWarning, match="the gradient penalty .* with --d-norm batch .* depends on the others"):
        contract.build("wgan_gp", d_norm="batch")


# Oracle: equation 2 of Mao et al. 2017 in numpy, G's with the discriminator that has moved.
@pytest.mark.parametrize(("targets", "a", "b", "c"), [("binary", 0, 1, 1), ("pearson", -1, 1, 0)])
def test_lsgan(targets, a, b, c):
    system, state, after, metrics = _step("lsgan", targets=targets)
    batch = contract.batch("lsgan")
    x_fake = _fakes(system, state, batch)
    real, fake = (np.asarray(_judge(system, state, x)) for x in (batch["image"], x_fake))
    wanted = 0.5 * ((real - b) ** 2).mean() + 0.5 * ((fake - a) ** 2).mean()
    np.testing.assert_allclose(metrics["d/loss"], wanted, rtol=1e-5)
    np.testing.assert_allclose(metrics["g/loss"], 0.5 * ((_judge(system, after, x_fake) - c) ** 2).mean(), rtol=1e-4)


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
