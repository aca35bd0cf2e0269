"""Pairs: a small pix2pix, which translates the source of a pair of pictures into its target.

Isola et al. 2017, arXiv:1611.07004. D judges patches of both; G minimises the game plus lambda E|y - G(x)|.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxgan.fields import Needs, any_size, only
from jaxgan.game import Aux, Verb, adam, variables
from jaxgan.layers import Conv
from jaxgan.losses.adversarial import mean, non_saturating_gan, scoreboard
from jaxgan.recipes.common.base import AtLeastZero, RecipeConfig, system_of
from jaxgan.recipes.common.wiring import take_turns

NEEDS = Needs({"source": "image", "target": "image"})
DATA = "fashion_outlines"


@dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    batch_size: int = 16  # Pairs per step
    width: int = 32  # Channels
    l1_weight: AtLeastZero = 100.0  # Weight lambda of the mean absolute difference
    learning_rate: float = 2e-4  # Adam's rate, for both players


def network(width, out, strides):
    layers = [layer for stride in strides for layer in (Conv(width, (3, 3), strides=stride), nn.leaky_relu)]
    return nn.Sequential([*layers, Conv(out, (3, 3))])


def build(config, spec, axis_name=None):
    source, target = spec["source"], spec["target"]
    G, D = network(config.width, target.fixed[2], (1, 1, 1)), network(config.width, 1, (2,))

    def play(params, vars, batch, rng):
        return jnp.tanh(G.apply(variables(params, vars, "g"), batch["source"])), Aux()

    def judge(params, vars, batch, y):
        return D.apply(variables(params, vars, "d"), jnp.concatenate([batch["source"], y], axis=-1))

    def d_loss(params, vars, y_fake, batch, rng):
        real, fake = judge(params, vars, batch, batch["target"]), judge(params, vars, batch, y_fake)
        return mean(non_saturating_gan.d(real, fake)) / 2, Aux(scoreboard(real, fake))

    def g_loss(params, vars, y_fake, batch, rng):
        l1 = jnp.abs(batch["target"] - y_fake).mean()
        return mean(non_saturating_gan.g(judge(params, vars, batch, y_fake))) + config.l1_weight * l1, Aux({"l1": l1})

    def init(key):
        x, y = (jnp.zeros((1, *field.fixed)) for field in (source, target))
        return {"g": G.init(key, x), "d": D.init(jax.random.fold_in(key, 1), jnp.concatenate([x, y], axis=-1))}

    def translate(state, given, keys):
        return {"target": jnp.tanh(G.apply(state.players["g"].variables(averaged=True), given["source"]))}

    verb = Verb(translate, {"target": any_size(target)}, {"source": any_size(source)}, truth=("target",))
    optimizers = {name: adam(config.learning_rate, 0.5) for name in ("g", "d")}
    rounds, verbs = take_turns(play, d_loss, g_loss), {"translate": verb}
    return system_of(config, only(spec, "source", "target"), rounds, init, optimizers, verbs=verbs, axis_name=axis_name)
