"""The original GAN: two fully connected networks play the min-max game (Goodfellow et al. 2014).

Generative Adversarial Networks, arXiv:1406.2661. The discriminator ascends, and the generator descends,

    V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))]                                   (equation 1)

or the generator ascends E_z[log D(G(z))] instead, which has the same fixed point and stronger gradients early on
(section 3).
"""

from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxgan.game import Aux, GameState, Move, Round, System, apply, normal, policy, variables
from jaxgan.losses import adversarial
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator
from jaxgan.recipes.base import LatentConfig, check, latent_game


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The course's networks: G 100-256-512-784, D 784-512-256-1."""

    steps: int = 20_000
    loss: Literal["non_saturating", "minimax"] = "non_saturating"
    """The generator's objective: -log D(G(z)), or log(1 - D(G(z))) of the min-max game."""
    g_widths: tuple[int, ...] = (256, 512)
    """Units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """Units of the discriminator's hidden layers."""


LOSSES = {"non_saturating": adversarial.non_saturating_gan, "minimax": adversarial.minimax}


def build(config: Config, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`."""
    check(config)
    dtype = policy(config.precision).compute
    G = MLPGenerator(config.image_shape, config.g_widths, dtype=dtype)
    D = MLPDiscriminator(config.d_widths, dtype=dtype)
    loss = LOSSES[config.loss]

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        z = normal(rng, (config.z_dim,))
        return apply(G, variables(params, vars, "g"), z), Aux()

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_logits = apply(D, variables(params, vars, "d"), batch["image"])
        fake_logits = apply(D, variables(params, vars, "d"), x_fake)
        return loss.d(real_logits, fake_logits).mean(), Aux(adversarial.scoreboard(real_logits, fake_logits))

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        fake_logits = apply(D, variables(params, vars, "d"), x_fake)
        return loss.g(fake_logits).mean(), Aux()

    rounds = (Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss))),)

    def init_players(g_key: Key[Array, ""], d_key: Key[Array, ""]) -> dict[str, Any]:
        return {
            "g": G.init(g_key, jnp.zeros((1, config.z_dim))),
            "d": D.init(d_key, jnp.zeros((1, *config.image_shape))),
        }

    def sample(
        state: GameState, keys: Key[Array, " n"], label: Int[Array, " n"] | None = None
    ) -> Float[Array, "n h w c"]:
        return apply(G, state.players["g"].variables(averaged=True), normal(keys, (config.z_dim,)))

    return latent_game(config, {"g": G, "d": D}, rounds, init_players, sample, axis_name)
