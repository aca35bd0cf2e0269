"""BEGAN: an autoencoder judges images by how badly it rebuilds them, and a controller balances the players.

Berthelot et al. 2017, arXiv:1703.10717, sections 3.3 and 3.4. With L(v) = |v - D(v)|, D minimises L(x) - k L(G(z)), G
minimises L(G(z)), k <- k + lambda (gamma L(x) - L(G(z))) within 0 and 1; convergence is L(x) + |gamma L(x) - L(G(z))|.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn

from jaxgan.game import Aux, Goal
from jaxgan.layers import Conv
from jaxgan.losses.reduce import batch_mean, example_means
from jaxgan.recipes.common.base import LatentConfig
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    gamma: float = 0.5  # E[L(G(z))] / E[L(x)] that the controller holds; more gives more diverse images
    lambda_k: float = 0.001  # The controller's rate
    width: int = 32  # Channels


class Decoder(nn.Module):  # figure 1: G, and with weights of its own the second half of D
    shape: tuple[int, ...]
    width: int

    @nn.compact
    def __call__(self, h, *, train):
        x = nn.Dense(self.shape[0] // 4 * (self.shape[1] // 4) * self.width)(h)
        x = x.reshape(-1, self.shape[0] // 4, self.shape[1] // 4, self.width)
        for _ in range(2):
            x = nn.elu(Conv(self.width, (3, 3))(x)).repeat(2, axis=1).repeat(2, axis=2)
        return Conv(self.shape[2], (3, 3))(x)


class Autoencoder(nn.Module):
    config: Config

    @nn.compact
    def __call__(self, x, *, train):
        h = x
        for channels in (self.config.width, 2 * self.config.width):
            h = nn.elu(Conv(channels, (3, 3), strides=2)(h))
        return Decoder(x.shape[1:], self.config.width)(nn.Dense(self.config.z_dim)(h.reshape(len(h), -1)), train=train)


def build(config, spec, axis_name=None):
    wires = wire(config, spec, Decoder(spec["image"].fixed, config.width), Autoencoder(config))

    def badly_rebuilt(params, vars, v, batch, rng):  # L(v)
        return example_means(jnp.abs(v - wires.judge(params, vars, v, batch, rng)[0]))

    def d_loss(params, vars, fakes, batch, rng):
        both = badly_rebuilt(params, vars, jnp.concatenate([batch["image"], fakes]), batch, rng)
        k, (real, fake) = vars["extras"]["k"], jnp.split(both, 2)
        balance = batch_mean(config.gamma * real - fake, axis_name)
        known = {"k": k, "convergence": real.mean() + jnp.abs(balance)}
        return (real - k * fake).mean(), Aux(known, extras={"k": jnp.clip(k + config.lambda_k * balance, 0.0, 1.0)})

    def g_loss(params, vars, fakes, batch, rng):
        return badly_rebuilt(params, vars, fakes, batch, rng).mean(), Aux()

    rounds = take_turns(wires.play, d_loss, g_loss)
    return latent_game(config, wires, rounds, axis_name, extras={"k": 0.0}, duels=(), goal=Goal("convergence"))
