"""A game small enough to write down by hand: affine generator, one-hidden-layer discriminator, points in the plane."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.game import Aux, Move, Round, normal
from jaxgan.losses import adversarial

RNG = jax.random.key(7)


def params(seed=0):
    g, d1, d2 = jax.random.split(jax.random.key(seed), 3)
    return {
        "g": {"w": jax.random.normal(g, (2, 2)), "b": jnp.array([0.3, -0.2])},
        "d": {"w1": jax.random.normal(d1, (2, 8)), "w2": jax.random.normal(d2, (8,)), "b": jnp.zeros(8)},
    }


def variables(seed=0):
    return {name: {"params": value} for name, value in params(seed).items()}


def batch(size=16, seed=1):
    return {"x": jax.random.normal(jax.random.key(seed), (size, 2)) + 2.0}


def generate(p, z):
    return jnp.tanh(z @ p["w"]) + p["b"]


def judge(p, x):
    return jnp.tanh(x @ p["w1"] + p["b"]) @ p["w2"]


def play(params, vars, batch, rng):
    return generate(params["g"], normal(rng, (2,))), Aux()


def d_loss(params, vars, x_fake, batch, rng):
    real, fake = judge(params["d"], batch["x"]), judge(params["d"], x_fake)
    return adversarial.binary_cross_entropy(real, fake).mean(), Aux({"d_fake": jax.nn.sigmoid(fake).mean()})


def g_loss(params, vars, x_fake, batch, rng):
    return adversarial.non_saturating(judge(params["d"], x_fake)).mean(), Aux()


def r1(params, vars, x_fake, batch, rng):
    gradient = jax.vmap(jax.grad(lambda x: judge(params["d"], x)))(batch["x"])
    return jnp.sum(gradient**2, -1).mean(), Aux({"r1": jnp.sum(gradient**2, -1).max()})


ROUND = Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss)))
D_ONLY = Round(play=play, moves=(Move("d", d_loss),))
G_ONLY = Round(play=play, moves=(Move("g", g_loss),))


def noise(step, round_index, rows, rng=RNG):
    """The latents that the engine gives `play`, by the rule in its documentation: run, step, round, use 0, row."""
    key = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(rng, step), round_index), 0)
    return jnp.stack([jax.random.normal(jax.random.fold_in(key, int(row)), (2,)) for row in np.asarray(rows)])


def sgd(tree, grads, rate):
    return jax.tree.map(lambda p, g: p - rate * g, tree, grads)


def losses_by_hand(x, z):
    """`(d_loss(d, g), g_loss(g, d))` on fixed examples and latents, straight from the equations."""

    def of_d(d, g):
        real, fake = jax.nn.sigmoid(judge(d, x)), jax.nn.sigmoid(judge(d, generate(g, z)))
        return -jnp.mean(jnp.log(real) + jnp.log(1 - fake))

    def of_g(g, d):
        return -jnp.mean(jnp.log(jax.nn.sigmoid(judge(d, generate(g, z)))))

    return of_d, of_g
