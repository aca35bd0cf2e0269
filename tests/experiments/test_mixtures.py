import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from laboratory import mixtures, points
from laboratory.choices import LOSSES, chosen_loss
from laboratory.critics import PointCritic, PointGenerator
from laboratory.mixtures import PENALTIES, Cell, Setup

from jaxgan.game import Aux, Move, Round, adam, clipped, init_state, make_train_step, normal, variables
from jaxgan.losses import adversarial, penalties

SETUP = Setup(width=8, batch=8, samples=16)
TASK = points.ring(steps=12)


# Oracle: the library's games by name.
def test_a_chosen_loss_is_the_named_one():
    real, fake = jnp.asarray([[0.3, -1.2, 400.0], [0.1, 2.0, -300.0]])
    for index, name in enumerate(LOSSES):
        chosen, named = chosen_loss(jnp.asarray(index)), adversarial.named(name)
        np.testing.assert_array_equal(chosen.d(real, fake), named.d(real, fake))
        expected = named.g(fake, real) if named.relative else named.g(fake)
        np.testing.assert_array_equal(chosen.g(fake, real), expected)
        slopes = jax.grad(lambda r, chosen=chosen: chosen.d(r, fake).sum())(real)
        np.testing.assert_array_equal(slopes, jax.grad(lambda r, named=named: named.d(r, fake).sum())(real))


PLAIN = {
    "none": lambda critic, real, fake, rng: 0.0,
    "r1": lambda critic, real, fake, rng: mixtures.GAMMA * penalties.r1(critic, real),
    "r1_r2": lambda critic, real, fake, rng: mixtures.GAMMA * (penalties.r1(critic, real) + penalties.r1(critic, fake)),
    "wgan_gp": lambda critic, real, fake, rng: penalties.gradient_penalty(critic, real, fake, rng),
    "dragan": lambda critic, real, fake, rng: penalties.dragan(critic, real, rng, variance=mixtures.NOISE**2),
    "clipping": lambda critic, real, fake, rng: 0.0,
}


@functools.partial(jax.jit, static_argnums=(0, 1))
def by_hand(name, penalty, seed):
    """The same game as a user of the library writes it: a named loss, a penalty, the engine's step in a loop."""
    G, D, loss = PointGenerator(8), PointCritic(8), adversarial.named(name)
    g_key, d_key, data_key, rng, z_key = jax.random.split(jax.random.key(seed), 5)

    def judge(params, x):
        return D.apply({"params": params["d"]}, x)

    def play(params, vars, batch, rng):
        return G.apply(variables(params, vars, "g"), normal(rng, (1, 2))[:, 0]), Aux()

    def d_loss(params, vars, x_fake, batch, rng):
        extra = PLAIN[penalty](lambda x: judge(params, x), batch, x_fake, rng)
        return (loss.d(judge(params, batch), judge(params, x_fake)) + extra).mean(), Aux()

    def g_loss(params, vars, x_fake, batch, rng):
        real = (judge(params, batch),) if loss.relative else ()
        return loss.g(judge(params, x_fake), *real).mean(), Aux()

    rounds = [Round((Move("d", d_loss), Move("g", g_loss)), play)]
    falling = [optax.schedules.linear_schedule(rate, 0.0, 6, 6) for rate in (TASK.rate_g, TASK.rate_d)]
    optimizers = {"g": adam(falling[0], b2=0.99), "d": adam(falling[1], b2=0.99)}
    if penalty == "clipping":
        optimizers["d"] = clipped(optimizers["d"], PENALTIES["clipping"].limit)
    # One of several stacked critics gets the first of one key's children.
    players = {
        "g": G.init(g_key, jnp.zeros((1, 2))),
        "d": D.init(jax.random.split(d_key, 1)[0], jnp.zeros((4, 1, 1, 2))),
    }
    step = make_train_step(rounds, optimizers)

    def one(t, state):
        return step(state, points.draw(TASK, jax.random.fold_in(data_key, t), 8), rng)[0]

    state = jax.lax.fori_loop(0, 12, one, init_state(rounds, optimizers, players))
    return G.apply(state.players["g"].variables(), jax.random.normal(z_key, (16, 2)))[:, 0, 0]


# Oracle: the library used plainly, one game at a time. Two seeds of every game run in one program, on seven of the
# eight devices, among which 42 games can be divided.
@pytest.fixture(scope="module")
def together():
    names, games = mixtures.cells()
    games = mixtures.spread(games)
    assert len(games.loss.devices()) == 7
    trained = np.asarray(mixtures.program(SETUP)(TASK, games, jnp.asarray([3, 5])))
    return dict(zip(names, trained[:, :, 0], strict=True))


@pytest.mark.parametrize(
    "game",
    [
        ("non_saturating", "none"), ("minimax", "r1"), ("wasserstein", "wgan_gp"), ("hinge", "dragan"),
        ("rp_non_saturating", "r1_r2"), ("lsgan", "clipping"), ("ra_non_saturating", "r1"),
    ],
)  # fmt: skip
def test_the_program_is_the_library(together, game):
    assert all(np.isfinite(samples).all() for samples in together.values())
    np.testing.assert_allclose(together[game][1], by_hand(*game, seed=5), atol=1e-4)
    assert np.abs(together[game][0] - together[game][1]).max() > 0.1


# Oracle: `none` itself. Every remedy is a different game (its samples differ), and a finite one.
@pytest.mark.parametrize(
    "setup",
    [SETUP.__class__(**{**vars(SETUP), "remedy": remedy}) for remedy in ("minibatch_std", "mode_seeking")]
    + [SETUP.__class__(**{**vars(SETUP), "spectral": True})],
    ids=lambda setup: setup.remedy,
)
def test_every_remedy_changes_the_game(together, setup):
    samples = jax.jit(mixtures.train, static_argnums=0)(setup, TASK, Cell(1, PENALTIES["r1"]), jnp.asarray(3))
    assert np.isfinite(samples).all()
    assert np.abs(samples[0] - together["non_saturating", "r1"][0]).max() > 1e-3


# Oracle: moments of the mixture, in closed form, and the share within three deviations, 1 - exp(-9/2).
@pytest.mark.parametrize(("task", "variance"), [(points.ring(), 2 + 0.04**2), (points.grid(), 8 + 0.1**2)])
def test_points_have_the_moments_of_their_mixture(task, variance):
    drawn = np.asarray(points.draw(task, jax.random.key(0), 40_000))[:, 0, 0]
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), variance * np.eye(2), atol=0.01 * variance * 4)
    found = points.score(task, drawn)
    assert found.covered == task.modes
    assert found.high_quality == pytest.approx(1 - np.exp(-4.5), abs=0.003)
    assert found.reverse_kl < 0.002


# Oracle: by hand. One mode of eight: KL = log 8; samples that are not finite are near no mode.
def test_scores_of_a_collapsed_and_of_a_broken_generator():
    task = points.ring()
    one = np.repeat(np.asarray(task.centres)[3:4], 50, 0)
    assert points.score(task, one) == pytest.approx((1, 1.0, np.log(8)))
    assert points.score(task, np.full((5, 2), np.nan)).covered == 0
