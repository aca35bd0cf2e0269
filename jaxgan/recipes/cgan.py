"""Conditional GAN: the label y enters both networks (Mirza and Osindero 2014).

Conditional Generative Adversarial Nets, arXiv:1411.1784. Both players see the label of the real image:

    V(D, G) = E_x[log D(x|y)] + E_z[log(1 - D(G(z|y)))]                                (equation 2)

played in its non-saturating form. The label, one-hot, is joined to the latent vector in G and to the image in D. The
paper's networks are fully connected (`--network mlp`); convolutional ones make better pictures and are the default.
"""

from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

from jaxgan.errors import UserError
from jaxgan.game import Aux, GameState, Move, Round, System, apply, normal, policy, variables
from jaxgan.losses import adversarial
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator
from jaxgan.recipes.base import LatentConfig, check, check_conditional, latent_game


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """Settings of DCGAN, which the paper predates, and the widths of both kinds of networks."""

    steps: int = 4_000
    network: Literal["dcgan", "mlp"] = "dcgan"
    """Convolutional networks, or the paper's fully connected ones."""
    g_width: int = 32
    """DCGAN: channels of the generator's last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """DCGAN: channels of the discriminator's first layer; each later one has twice as many."""
    g_widths: tuple[int, ...] = (256, 512)
    """MLP: units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """MLP: units of the discriminator's hidden layers."""


def build(config: Config, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    check_conditional(config, "cgan")
    G, D = _networks(config, axis_name)
    loss = adversarial.non_saturating_gan

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        z = normal(rng, (config.z_dim,))
        x_fake, g_vars = apply(
            G, variables(params, vars, "g"), z, label=batch["label"], train=True, mutable=["batch_stats"]
        )
        return x_fake, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array, label: Array) -> tuple[Array, Any]:
        return apply(D, variables(params, vars, "d"), x, label=label, train=True, mutable=["batch_stats"])

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_logits, d_vars = judge(params, vars, batch["image"], batch["label"])
        fake_logits, d_vars = judge(params, {**vars, "d": d_vars}, x_fake, batch["label"])
        metrics = adversarial.scoreboard(real_logits, fake_logits)
        return loss.d(real_logits, fake_logits).mean(), Aux(metrics, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        fake_logits, _ = judge(params, vars, x_fake, batch["label"])
        return loss.g(fake_logits).mean(), Aux()

    rounds = (Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss))),)

    def init_players(g_key: Key[Array, ""], d_key: Key[Array, ""]) -> dict[str, Any]:
        label = jnp.zeros(1, jnp.int32)
        return {
            "g": G.init(g_key, jnp.zeros((1, config.z_dim)), label=label, train=True),
            "d": D.init(d_key, jnp.zeros((1, *config.image_shape)), label=label, train=True),
        }

    def sample(
        state: GameState, keys: Key[Array, " n"], label: Int[Array, " n"] | None = None
    ) -> Float[Array, "n h w c"]:
        if label is None:
            raise UserError("cgan samples images of given classes: pass one label per image.")
        z = normal(keys, (config.z_dim,))
        return apply(G, state.players["g"].variables(averaged=True), z, label=label, train=False)

    return latent_game(config, {"g": G, "d": D}, rounds, init_players, sample, axis_name, conditional=True)


def _networks(config: Config, axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    shared: dict[str, Any] = {"classes": config.classes, "dtype": policy(config.precision).compute}
    if config.network == "mlp":
        return MLPGenerator(config.image_shape, config.g_widths, **shared), MLPDiscriminator(config.d_widths, **shared)
    return (
        DCGANGenerator(config.image_shape, config.g_width, axis_name=axis_name, **shared),
        DCGANDiscriminator(config.d_width, axis_name=axis_name, **shared),
    )
