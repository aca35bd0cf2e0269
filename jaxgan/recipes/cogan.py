"""CoGAN: two domains that share a latent space, from sets that were never paired (Liu and Tuzel 2016).

Coupled Generative Adversarial Networks, arXiv:1606.07536, equation 2. With generators G_a, G_b and critics D_a, D_b

    max over G_a, G_b, min over D_a, D_b of the sum over domains of E_x[-log D(x)] + E_z[-log(1 - D(G(z)))]

played in its non-saturating form. The first layers of the generators, which decide what a picture shows, and the last
layers of the discriminators are the same for both domains; only the layers next to the pixels belong to one of them.
So one latent vector makes a pair: the same thing in both domains, although no pair was ever seen. Each side of the game
is one player here, for it has one loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from annotated_types import Ge
from jaxtyping import Array, Key

from jaxgan.errors import UserError
from jaxgan.fields import Needs, Spec, only
from jaxgan.game import Aux, Duel, GameState, System, dtype_of, normal, variables
from jaxgan.losses import adversarial
from jaxgan.nets.cogan import DOMAINS, CoupledDiscriminator, CoupledGenerator
from jaxgan.recipes.common.base import AtLeastZero, LatentConfig, adams, check, system_of
from jaxgan.recipes.common.latents import SHOWS, latent_verbs, normal_latents, standing
from jaxgan.recipes.common.objectives import passes
from jaxgan.recipes.common.wiring import as_used, critic, take_turns, trained

NEEDS = Needs({"a": "image", "b": "image"}, apart=True)
DATA = "fashion_negatives"


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """DCGAN's settings with a faster generator, as InfoGAN's, and networks for small pictures on two cores.

    Pairs agree more often where the generator's average is long (`ema_halflife_kimg`; `ema_rampup` lets so short a run
    reach it) and has batch statistics of its own (`standing`).
    """

    steps: int = 5_000
    ema_halflife_kimg: AtLeastZero = 40.0
    """Half-life of the averaged generator, in thousands of images; 0 for no average."""
    ema_rampup: AtLeastZero = 0.25
    """The half-life is at most this fraction of the images seen so far; 0 for no such limit."""
    g_learning_rate: float = 1e-3
    """Adam's rate for the generator."""
    g_width: int = 32
    """Channels of the generators' last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """Channels of the discriminators' first layer; each later one has twice as many."""
    units: int = 256
    """Units of the dense layers of both."""
    joint: int = 4
    """Channels of the generators' layer that the pictures of both domains are read from."""
    standing: Annotated[int, Ge(0)] = 256
    """Latent vectors from which the averaged generator takes its batch statistics; 0: it has those of the last one."""
    own: int = 1
    """Layers next to the pixels that each domain has for itself, in both networks; all others are shared."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    batch, (height, width, _) = only(spec, *DOMAINS), spec["a"].fixed
    if spec["b"].fixed[:2] != (height, width):
        raise UserError("the pictures of a and b have one size; --image-size brings them to it.")
    dtype, channels = dtype_of(config.precision), (spec["a"].fixed[2], spec["b"].fixed[2])
    shared: dict[str, Any] = {"units": config.units, "own": config.own, "dtype": dtype, "axis_name": axis_name}
    G = CoupledGenerator((height, width), channels, config.g_width, joint=config.joint, **shared)
    D = CoupledDiscriminator(config.d_width, **shared)
    generate, discriminate = trained(G, config.remat), critic(D, config)
    game = adversarial.non_saturating_gan

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[dict[str, Array], Aux]:
        fakes, g_vars = generate(variables(params, vars, "g"), normal(rng, (config.z_dim,)))
        return fakes, Aux(vars={"g": g_vars})

    def d_loss(params: Any, vars: Any, fakes: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_rng, fake_rng = passes(rng, 2)
        real, d_vars = discriminate(params, vars, {name: batch[name] for name in DOMAINS}, real_rng)
        fake, d_vars = discriminate(params, {**vars, "d": {**vars["d"], **d_vars}}, fakes, fake_rng)
        value = sum(game.d(real[name], fake[name]).mean() for name in DOMAINS)
        boards = {name: adversarial.scoreboard(real[name], fake[name]) for name in DOMAINS}
        metrics = {f"{name}/{key}": number for name, board in boards.items() for key, number in board.items()}
        return jnp.asarray(value), Aux(metrics, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, fakes: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        logits, _ = discriminate(params, vars, fakes, rng)
        return jnp.asarray(sum(game.g(logits[name]).mean() for name in DOMAINS)), Aux()

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        pictures = {name: jnp.zeros((1, *spec[name].fixed)) for name in DOMAINS}
        return {"g": G.init(g_key, jnp.zeros((1, config.z_dim)), train=True), "d": D.init(d_key, pictures, train=True)}

    def decode(state: GameState, given: Mapping[str, Array]) -> dict[str, Array]:
        player = state.players["g"]
        if config.standing:
            player = standing(G, player, jax.random.normal(jax.random.key(0), (config.standing, config.z_dim)))
        return as_used(G, player, given["z"])

    return system_of(
        config,
        batch,
        take_turns(play, d_loss, g_loss),
        init_players,
        adams(config),
        verbs=latent_verbs(*normal_latents(config.z_dim), decode, makes=batch),
        shows=SHOWS,
        duels=tuple(Duel(board=f"{name}/") for name in DOMAINS),
        axis_name=axis_name,
    )
