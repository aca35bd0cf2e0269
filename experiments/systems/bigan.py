"""BiGAN: a generator and an encoder, its inverse, against a discriminator of pairs of an image and a latent vector.

Donahue et al. 2017, arXiv:1605.09782. D tells (x, E(x)) from (G(z), z). G and E share a loss, so they are one player;
it minimises D's loss with the labels swapped (section 3.4). At the optimum E inverts G (theorem 2)."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxgan.fields import Field, only
from jaxgan.game import Aux, Verb, normal, variables
from jaxgan.losses.adversarial import non_saturating_gan, scoreboard
from jaxgan.recipes.common.base import LatentConfig, adams, system_of
from jaxgan.recipes.common.wiring import take_turns


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    z_dim: int = 50  # Numbers that an image is encoded in
    width: int = 256  # Units of each hidden layer


def mlp(width, *last):
    return nn.Sequential([nn.Dense(width), nn.leaky_relu, nn.Dense(width), nn.leaky_relu, *last])


def build(config, spec, axis_name=None):
    image, code = only(spec, "image"), {"z": Field("vector", (config.z_dim,))}
    size, z_dim = spec["image"].size, config.z_dim
    ends = ((nn.Dense(size), nn.tanh), (nn.Dense(z_dim),), (nn.Dense(1),))
    G, E, D = (mlp(config.width, *end) for end in ends)

    def play(params, vars, batch, rng):
        x, z = batch["image"].reshape(len(rng), size), normal(rng, (z_dim,))
        pairs = (x, E.apply(params["g"]["E"], x)), (G.apply(params["g"]["G"], z), z)
        return [jnp.concatenate(pair, axis=1) for pair in pairs], Aux()

    def logits(params, vars, pairs):
        return [D.apply(variables(params, vars, "d"), pair)[:, 0] for pair in pairs]

    def d_loss(params, vars, pairs, batch, rng):
        real, fake = logits(params, vars, pairs)
        return non_saturating_gan.d(real, fake).mean(), Aux(scoreboard(real, fake))

    def ge_loss(params, vars, pairs, batch, rng):
        real, fake = logits(params, vars, pairs)
        return non_saturating_gan.d(fake, real).mean(), Aux()

    def init(key):
        nets = {"G": (G, z_dim), "E": (E, size), "d": (D, size + z_dim)}
        made = {name: net.init(jax.random.fold_in(key, n), jnp.zeros((1, n))) for name, (net, n) in nets.items()}
        return {"d": made.pop("d"), "g": {"params": made}}

    def decode(state, z):
        return G.apply(state.players["g"].variables(averaged=True)["params"]["G"], z).reshape(-1, *spec["image"].fixed)

    def encode(state, image):
        return E.apply(state.players["g"].variables(averaged=True)["params"]["E"], image.reshape(len(image), size))

    sample = Verb(lambda state, given, keys: {"image": decode(state, normal(keys, (z_dim,)))}, image)
    read = Verb(lambda state, given, keys: {"z": encode(state, **given)}, code, image)
    again = Verb(lambda state, given, keys: {"image": decode(state, encode(state, **given))}, image, image, ("image",))
    verbs = {"sample": sample, "encode": read, "reconstruct": again}
    rounds = take_turns(play, d_loss, ge_loss)
    return system_of(config, image, rounds, init, adams(config), verbs=verbs, axis_name=axis_name)
