"""DCGAN: convolutional networks with batch normalisation (Radford et al. 2015).

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks, arXiv:1511.06434.
The game is that of Goodfellow et al. (2014) in its non-saturating form; the paper's contribution is networks and
settings with which it trains: strided convolutions, batch normalisation in both networks, Adam with rate 0.0002 and
beta1 0.5 (sections 3 and 4).
"""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxgan.game import Aux, GameState, Move, Round, System, apply, normal, policy, variables
from jaxgan.losses import adversarial
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgan.recipes.base import LatentConfig, check, latent_game


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """Settings of the paper, with networks sized for small images on two cores."""

    steps: int = 4_000
    g_width: int = 32
    """Channels of the generator's last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """Channels of the discriminator's first layer; each later one has twice as many."""


def build(config: Config, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    dtype = policy(config.precision).compute
    G = DCGANGenerator(config.image_shape, config.g_width, dtype=dtype, axis_name=axis_name)
    D = DCGANDiscriminator(config.d_width, dtype=dtype, axis_name=axis_name)
    loss = adversarial.non_saturating_gan

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        z = normal(rng, (config.z_dim,))
        x_fake, g_vars = apply(G, variables(params, vars, "g"), z, train=True, mutable=["batch_stats"])
        return x_fake, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array) -> tuple[Array, Any]:
        return apply(D, variables(params, vars, "d"), x, train=True, mutable=["batch_stats"])

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        # Real and fake images form separate batches, each with statistics of its own, as in the paper's training.
        real_logits, d_vars = judge(params, vars, batch["image"])
        fake_logits, d_vars = judge(params, {**vars, "d": d_vars}, x_fake)
        metrics = adversarial.scoreboard(real_logits, fake_logits)
        return loss.d(real_logits, fake_logits).mean(), Aux(metrics, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        fake_logits, _ = judge(params, vars, x_fake)
        return loss.g(fake_logits).mean(), Aux()

    rounds = (Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss))),)

    def init_players(g_key: Key[Array, ""], d_key: Key[Array, ""]) -> dict[str, Any]:
        return {
            "g": G.init(g_key, jnp.zeros((1, config.z_dim)), train=True),
            "d": D.init(d_key, jnp.zeros((1, *config.image_shape)), train=True),
        }

    def sample(
        state: GameState, keys: Key[Array, " n"], label: Int[Array, " n"] | None = None
    ) -> Float[Array, "n h w c"]:
        z = normal(keys, (config.z_dim,))
        return apply(G, state.players["g"].variables(averaged=True), z, train=False)

    return latent_game(config, {"g": G, "d": D}, rounds, init_players, sample, axis_name)
