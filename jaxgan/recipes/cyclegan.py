"""CycleGAN: two translators between sets that were never paired, each the other's way back (Zhu et al. 2017).

Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, arXiv:1703.10593. With domains a and b,
translators G: a -> b and F: b -> a, and a discriminator of each domain's pictures,

    D_b minimises (E(D_b(b) - 1)^2 + E D_b(pool of G(a))^2) / 2,                                    D_a likewise
    G and F minimise E(D_b(G(a)) - 1)^2 + E(D_a(F(b)) - 1)^2
                   + lambda (E|F(G(a)) - a| + E|G(F(b)) - b|)                         (equations 2 and 3, lambda = 10)
                   + lambda mu (E|G(b) - b| + E|F(a) - a|)                                    (section 5.2, mu = 0.5)

The discriminators see fakes of earlier steps too, from a pool (section 4). G and F are one player, for they have one
loss; so are the discriminators, whose losses share nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from annotated_types import Ge, Le
from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.errors import UserError
from jaxgan.fields import Needs, Spec, only
from jaxgan.game import Aux, Duel, LossFn, Move, Round, Show, System, dtype_of, variables
from jaxgan.losses import adversarial
from jaxgan.nets.patch import PatchDiscriminator, patches
from jaxgan.nets.unet import ResNetTranslator, UNet, depth_for
from jaxgan.recipes.common.base import AtLeastZero, FallingConfig, check, falling_adam, system_of
from jaxgan.recipes.common.objectives import passes
from jaxgan.recipes.common.pool import empty_pool, through_pool
from jaxgan.recipes.common.several import joined, own, replaced
from jaxgan.recipes.common.there_and_back import DOMAINS, PUBLISHED, ROUND_TRIPS, WAYS, verbs_between
from jaxgan.recipes.common.wiring import trained

NEEDS = Needs({"a": "image", "b": "image"}, apart=True)
DATA = "fashion_chalk"
IMPORTS = PUBLISHED
GAME = adversarial.least_squares(0.0, 1.0, 1.0)
Pass: TypeAlias = Callable[[Any, Any, str, Array], tuple[Array, Any]]


@dataclass(frozen=True, kw_only=True)
class Config(FallingConfig):
    """Settings of the paper, with networks and a batch sized for small pictures on two cores."""

    steps: int = 1_500
    batch_size: int = 8
    """Pictures of each domain per step, over all devices; 1 in the paper."""
    learning_rate: float = 5e-4
    """Adam's rate, for both players; the paper's is 0.0002."""
    rate_decay: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of the steps, at the end, over which the rate falls to 0 along a line; 0: constant."""
    ema_halflife_kimg: AtLeastZero = 1.0
    """Half-life of the averaged translators, in thousands of pictures; 0 for no average, as in the paper."""
    network: Literal["resnet", "unet"] = "resnet"
    """The paper's residual network, or pix2pix's U-Net."""
    g_width: int = 16
    """Channels of the translators' first layer; the paper's networks have 64."""
    blocks: int = 3
    """Residual blocks; the paper has 6 for pictures of 128 pixels, 9 for larger ones."""
    depth: int | None = None
    """Halvings of --network unet; None: as many as the pictures allow."""
    norm: Literal["batch", "instance"] = "instance"
    """Normalisation in all networks."""
    d_width: int = 32
    """Channels of the discriminators' first layer; the paper's have 64."""
    d_layers: Annotated[int, Ge(0)] = 1
    """Halvings of the discriminators, 3 in the paper: 0, 1, 2, 3 for patches of 1, 16, 34, 70 pixels."""
    cycle_weight: AtLeastZero = 10.0
    """Weight lambda of the mean absolute difference between a picture and its way there and back."""
    identity_weight: AtLeastZero = 0.5
    """Weight mu, times lambda, of what a translator changes of a picture that is of its domain already; 0: none."""
    pool: Annotated[int, Ge(0)] = 50
    """Past fakes of each domain that its discriminator may see again, rounded up to as many a row; 0: none."""


_PAPER: dict[str, Any] = {"steps": 200_000, "batch_size": 1, "g_width": 64, "blocks": 9, "d_width": 64, "d_layers": 3}
PRESETS: dict[str, Config] = {"paper": Config(learning_rate=2e-4, ema_halflife_kimg=0.0, **_PAPER)}
"""`--preset paper --image-size 256`: section 7, about a thousand pictures 200 times; not run here."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    _check(config, spec)
    G, D = _networks(config, spec, axis_name)
    generate = {way: trained(network, config.remat) for way, network in G.items()}
    discriminate = trained(D, config.remat)

    def translate(params: Any, vars: Any, way: str, x: Array) -> tuple[Array, Any]:
        return generate[way](own(variables(params, vars, "g"), way), x)

    def judge(params: Any, vars: Any, domain: str, x: Array) -> tuple[Array, Any]:
        return discriminate(own(variables(params, vars, "d"), domain), x)

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        x = {name: jnp.zeros((1, *spec[name].fixed)) for name in DOMAINS}
        keys = jax.random.split(key, 4)
        g = {way: G[way].init(keys[i], x[source], train=True) for i, (way, (source, _)) in enumerate(WAYS.items())}
        d = {name: D.init(keys[2 + i], x[name], train=True) for i, name in enumerate(DOMAINS)}
        return {"g": joined(g), "d": joined(d)}

    return system_of(
        config,
        only(spec, *DOMAINS),
        rounds(config, translate, judge),
        init_players,
        {name: falling_adam(config) for name in ("g", "d")},
        verbs=verbs_between(G, spec),
        shows=tuple(Show(name, "sheet") for name in ROUND_TRIPS),
        duels=tuple(Duel(board=f"{name}/") for name in DOMAINS),
        local={name: empty_pool(config.pool, config.batch_size, spec[name].fixed) for name in DOMAINS if config.pool},
        axis_name=axis_name,
    )


def rounds(config: Config, translate: Pass, judge: Pass) -> tuple[Round, ...]:
    """The game: both translators translate once and move, then both discriminators judge those same fakes.

    Args:
        config: has the weights.
        translate: `(params, vars, way, x) -> (picture, the network's new collections)`.
        judge: `(params, vars, domain, x) -> (logits, the network's new collections)`.
    """

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[dict[str, Array], Aux]:
        made = {way: translate(params, vars, way, batch[source]) for way, (source, _) in WAYS.items()}
        # Running statistics are those of real pictures on their way there, as users bring them.
        changed = joined({way: collections for way, (_, collections) in made.items()})
        return {target: made[way][0] for way, (_, target) in WAYS.items()}, Aux(vars={"g": changed})

    moves = (Move("g", _g_loss(config, translate, judge)), Move("d", _d_loss(config, judge)))
    return (Round(play=play, moves=moves),)


def _g_loss(config: Config, translate: Pass, judge: Pass) -> LossFn:
    """The translators fool, lead back, and leave alone what is there already."""

    def loss(params: Any, vars: Any, fakes: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        def off(way: str, x: Array, domain: str) -> Array:
            return jnp.abs(translate(params, vars, way, x)[0] - batch[domain]).mean()

        # The game's terms are halves of squares.
        fooled = sum(2 * adversarial.mean(GAME.g(judge(params, vars, name, fakes[name])[0])) for name in DOMAINS)
        cycle = sum(off(way, fakes[source], target) for way, (source, target) in WAYS.items())
        value, metrics = fooled + config.cycle_weight * cycle, {"cycle": jnp.asarray(cycle)}
        if config.identity_weight:
            metrics["identity"] = jnp.asarray(sum(off(way, batch[name], name) for way, (_, name) in WAYS.items()))
            value += config.cycle_weight * config.identity_weight * metrics["identity"]
        return jnp.asarray(value), Aux(metrics)

    return loss


def _d_loss(config: Config, judge: Pass) -> LossFn:
    """Each discriminator tells its domain's pictures from fakes, new ones and old ones."""

    def loss(params: Any, vars: Any, fakes: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        value, metrics, changed, pools = jnp.zeros(()), {}, {}, {}
        for name, keys in zip(DOMAINS, passes(rng, len(DOMAINS)), strict=True):
            shown = fakes[name]
            if config.pool:
                shown, pools[name] = through_pool(vars["local"][name], shown, keys)
            real, first = judge(params, vars, name, batch[name])
            fake, changed[name] = judge(params, {**vars, "d": replaced(vars["d"], name, first)}, name, shown)
            value += adversarial.mean(GAME.d(real, fake))
            board = adversarial.scoreboard(real, fake, GAME.boundary)
            metrics |= {f"{name}/{key}": number for key, number in board.items()}
        return value, Aux(metrics, vars={"d": joined(changed)}, local=pools)

    return loss


def _networks(config: Config, spec: Spec, axis_name: str | None) -> tuple[dict[str, nn.Module], nn.Module]:
    shared: dict[str, Any] = {"norm": config.norm, "dtype": dtype_of(config.precision), "axis_name": axis_name}

    def translator(channels: int) -> nn.Module:
        if config.network == "resnet":
            return ResNetTranslator(channels, config.g_width, config.blocks, **shared)
        depth = config.depth or depth_for(*spec["a"].fixed[:2])
        return UNet(channels, depth, config.g_width, dropout=0.0, **shared)

    G = {way: translator(spec[target].fixed[-1]) for way, (_, target) in WAYS.items()}
    return G, PatchDiscriminator(config.d_width, config.d_layers, **shared)


def _check(config: Config, spec: Spec) -> None:
    a, b = (spec[name].fixed for name in DOMAINS)
    if a[:2] != b[:2]:
        raise UserError("the pictures of a and b have one size; --image-size brings them to it.")
    patches(a[0], a[1], config.d_layers)
    if config.identity_weight and a[-1] != b[-1]:
        raise UserError(
            f"--identity-weight compares pictures of a and b as they are, but a has {a[-1]} channels and b {b[-1]}; "
            "--identity-weight 0 leaves that out, --channels brings both to the same."
        )
