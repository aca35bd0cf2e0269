"""The price of the engine, in floating-point operations as XLA counts them in the compiled program."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan import fields
from jaxgan.game import Round, adam, make_train_step, normal
from jaxgan.game.random import example_keys
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgan.recipes import dcgan
from jaxgan.recipes.common import toolbox

SHAPE = (32, 32, 1)
PLAIN = {"g_units": 0, "d_units": 0, "d_biases": False, "g_learning_rate": 2e-4, "d_learning_rate": 2e-4}
CONFIG = dcgan.Config(batch_size=16, g_width=16, d_width=16, ema_halflife_kimg=0.0, **PLAIN)


def compiled(step, state):
    images = jax.random.normal(jax.random.key(1), (CONFIG.batch_size, *SHAPE))
    arguments = (state, {"image": images}, jax.random.key(0))
    program = jax.jit(step).lower(*arguments).compile()
    return program.cost_analysis()["flops"], program(*arguments)


def hand_fused(state, batch, rng):
    """The same step without the engine: the generator runs forward once, its fakes serve both players."""
    G, D = DCGANGenerator(SHAPE, CONFIG.g_width), DCGANDiscriminator(CONFIG.d_width)
    optimizer = adam(2e-4)
    g, d = state.players["g"], state.players["d"]
    for use in (state.step, 0, 0):  # the engine's key of this step, its first round, and that round's play
        rng = jax.random.fold_in(rng, use)
    z = normal(example_keys(rng, jnp.arange(CONFIG.batch_size)), (CONFIG.z_dim,))

    def generate(params):
        return G.apply({"params": params, **g.vars}, z, train=True, mutable=["batch_stats"])

    def judge(params, stats, x):
        return D.apply({"params": params, **stats}, x, train=True, mutable=["batch_stats"])

    def d_loss(params, x_fake):
        real, stats = judge(params, d.vars, batch["image"])
        fake, stats = judge(params, stats, x_fake)
        return (jax.nn.softplus(-real) + jax.nn.softplus(fake)).mean(), stats

    def g_loss(x_fake, d_params):
        return jax.nn.softplus(-judge(d_params, d.vars, x_fake)[0]).mean()

    x_fake, backward, g_vars = jax.vjp(generate, g.params, has_aux=True)
    (d_value, d_vars), d_grads = jax.value_and_grad(d_loss, has_aux=True)(d.params, x_fake)
    updates, d_opt = optimizer.update(d_grads, d.opt_state)
    d_params = optax.apply_updates(d.params, updates)
    g_value, cotangent = jax.value_and_grad(g_loss)(x_fake, d_params)
    updates, g_opt = optimizer.update(backward(cotangent)[0], g.opt_state)
    players = {
        "g": dataclasses.replace(g, params=optax.apply_updates(g.params, updates), vars=g_vars, opt_state=g_opt),
        "d": dataclasses.replace(d, params=d_params, vars=d_vars, opt_state=d_opt),
    }
    return dataclasses.replace(state, step=state.step + 1, players=players), {"d/loss": d_value, "g/loss": g_value}


def test_a_step_does_and_costs_what_a_hand_fused_step_does_and_two_rounds_cost_more(monkeypatch):
    """Negative control: the same game with a play for each player runs the generator forward twice."""
    system = dcgan.build(CONFIG, {"image": fields.image(*SHAPE)})
    state = jax.jit(system.init)(jax.random.key(0))
    hand_flops, (hand_state, hand_metrics) = compiled(hand_fused, state)
    flops, (next_state, metrics) = compiled(system.step, state)
    assert flops <= 1.01 * hand_flops
    for name, value in hand_metrics.items():
        np.testing.assert_allclose(metrics[name], value, rtol=1e-5)
    # Not the parameters: Adam's first update is the sign of the gradient, which rounding can turn.
    statistics = [{name: player.vars for name, player in s.players.items()} for s in (next_state, hand_state)]
    chex.assert_trees_all_close(*statistics, rtol=1e-5, atol=1e-7)

    def apart(rounds, *arguments, **options):
        single = tuple(Round(play=r.play, moves=(move,)) for r in rounds for move in r.moves)
        return make_train_step(single, *arguments, **options)

    monkeypatch.setattr(toolbox, "make_train_step", apart)
    assert compiled(dcgan.build(CONFIG, {"image": fields.image(*SHAPE)}).step, state)[0] > 1.05 * hand_flops
