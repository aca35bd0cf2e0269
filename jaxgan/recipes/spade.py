"""SPADE: pictures are made from label maps, which every normalisation layer reads (Park et al. 2019).

Semantic Image Synthesis with Spatially-Adaptive Normalization, arXiv:1903.07291. With a map m, its picture y and, from
an encoder E, a style z ~ E(y) = N(mu, sigma^2)

    G minimises -D(m, G(m, z)) + 10 feature matching + 10 perceptual distance + 0.05 KL(E(y) || N(0, 1))
    D minimises the hinge loss of D(m, y) and of another D(m, G(m, z))

D is two patch discriminators, at full and at half size. Feature matching is the sum over their hidden layers of the
mean |D_i(m, y) - D_i(m, G)|; the perceptual distance is the same over layers of a network that never moves, which is
VGG in the paper and is not part of this package. `fashion-cnn`, the classifier of clothes that is, stands in for it
where pictures are small and grey. KL is summed over the batch. G and E move first; D then sees a new play.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from annotated_types import Ge
from jax.lax import stop_gradient
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs, Spec, any_size, classes, only, planes
from jaxgan.game import Aux, GameState, LossFn, Move, Round, Show, System, Verb, adam, dtype_of, normal, variables
from jaxgan.losses import adversarial
from jaxgan.losses.information import kl_to_normal
from jaxgan.losses.regularizers import paired_features
from jaxgan.nets.spade import FreeNorm, SpadeGenerator, levels_for, planes_of
from jaxgan.nets.spade_critic import SpadeDiscriminator
from jaxgan.nets.spade_style import Style, StyledGenerator, StyleEncoder
from jaxgan.recipes.common.base import AtLeastZero, Decay, Momentum, RecipeConfig, check, system_of
from jaxgan.recipes.common.perceptual import FeatureNetwork, Name, feature_network, perceptual
from jaxgan.recipes.common.wiring import as_used, trained

NEEDS = Needs({"source": "label_map", "target": "image", "instance": "label_map?"})
DATA = "fashion_parts"


@dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    """Losses and rates of the paper, with networks and a batch sized for small pictures on two cores."""

    steps: int = 1_200
    batch_size: int = 16
    """Pairs per step, over all devices."""
    ema_halflife_kimg: AtLeastZero = 2.0
    """Half-life of the averaged generator, in thousands of pairs; 0 for no average, as in the paper."""
    encoder: bool = True
    """Encode styles of pictures, so that one map has many pictures; those then have the size trained on."""
    z_dim: int = 32
    """Numbers of a style; the paper has 256."""
    kl_weight: AtLeastZero = 0.05
    """Weight of the styles' KL divergence from a standard normal distribution, summed over the batch."""
    g_width: int = 24
    """Channels of the generator's last block; the paper has 64."""
    g_levels: int | None = None
    """Doublings in the generator, 5 in the paper; None: as many as begin with about 8 pixels."""
    g_hidden: int = 24
    """Channels between the map and gains and biases; the paper has 128."""
    g_norm: FreeNorm = "batch"
    """What gains and biases of the map are given to; the paper has batch normalisation."""
    d_width: int = 24
    """Channels of the discriminators' first layer; the paper has 64."""
    d_layers: Annotated[int, Ge(2)] = 3
    """Hidden layers of each discriminator, of which all but the last halve; the paper has 4."""
    feature_weight: AtLeastZero = 10.0
    """Weight of feature matching, averaged over the discriminators."""
    perceptual: Name = "auto"
    """The frozen network of the perceptual distance; auto: fashion-cnn for small grey pictures, none for others."""
    perceptual_weight: AtLeastZero = 10.0
    """Weight of the perceptual distance."""
    g_learning_rate: float = 1e-4
    """Adam's rate for the generator and the encoder."""
    d_learning_rate: float = 4e-4
    """Adam's rate for the discriminators."""
    beta1: Momentum = 0.0
    """Adam's decay of the first moment, for both players."""
    beta2: Decay = 0.9
    """Adam's decay of the second moment, for both players."""


def build(config: Config, spec: Spec, axis_name: str | None = None, network: FeatureNetwork | None = None) -> System:
    """The game of `config`.

    Args:
        config: the options.
        spec: the fields of the data.
        axis_name: as for `make_train_step`, and for batch statistics over all devices.
        network: a feature network of your own, in place of the one that the configuration names.
    """
    check(config)
    source, target = spec["source"], spec["target"]
    if source.fixed != target.fixed[:2]:
        raise UserError(f"a map has the size of its picture, but source is {_size(source)} and target {_size(target)}.")
    network = network or (feature_network(config.perceptual, target) if config.perceptual_weight else None)
    G, D = _networks(config, target, axis_name)
    generate, discriminate = trained(G, config.remat), trained(D, config.remat)

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[tuple[Array, Style | None], Aux]:
        noise = normal(rng, (config.z_dim,))
        made, g_vars = generate(variables(params, vars, "g"), _planes(spec, batch), batch["target"], noise)
        return made, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, batch: Any, y: Array) -> tuple[Any, Any]:
        """What D says at each scale of maps and pictures that may be theirs."""
        return discriminate(variables(params, vars, "d"), jnp.concatenate([_planes(spec, batch), y], axis=-1))

    d_loss, g_loss = _losses(config, judge, network)

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        maps = only(spec, "source", "instance")
        seen = {name: jnp.zeros((1, *field.fixed), jnp.int32) for name, field in maps.items()}
        x, y = _planes(spec, seen), jnp.zeros((1, *target.fixed))
        g = G.init(g_key, x, y, jnp.zeros((1, config.z_dim)), train=True)
        return {"g": g, "d": D.init(d_key, jnp.concatenate([x, y], axis=-1), train=True)}

    rates = {"g": config.g_learning_rate, "d": config.d_learning_rate}
    return system_of(
        config,
        only(spec, "source", "target", "instance"),
        (Round(play=play, moves=(Move("g", g_loss),)), Round(play=play, moves=(Move("d", d_loss),))),
        init_players,
        {name: adam(rate, config.beta1, config.beta2) for name, rate in rates.items()},
        verbs=_verbs(config, spec, G),
        shows=(Show("translate", "sheet"),),
        frozen=None if network is None else lambda: {network.name: jax.tree.map(jnp.asarray, network.params)},
        axis_name=axis_name,
    )


def _planes(spec: Spec, given: Any) -> Float[Array, "b h w p"]:
    return planes_of(given["source"], classes(spec, "source"), given.get("instance"))


def _verbs(config: Config, spec: Spec, G: StyledGenerator) -> dict[str, Verb]:
    """Pictures of maps by styles that are drawn; and, with an encoder, by the mean styles of other pictures."""
    target = spec["target"]

    def translate(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        z = normal(keys, (config.z_dim,))
        return {"target": as_used(G, state.players["g"], _planes(spec, given), z, method="decode")}

    def restyle(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        return {"target": as_used(G, state.players["g"], _planes(spec, given), given["style"])[0]}

    maps = only(spec, "source", "instance")
    styled = {"restyle": _verb(restyle, {**maps, "style": target}, target, fixed=True)} if config.encoder else {}
    return {"translate": _verb(translate, maps, target, fixed=config.encoder), **styled}


def _losses(config: Config, judge: Any, network: FeatureNetwork | None) -> tuple[LossFn, LossFn]:
    """Those of D, and of G with the encoder."""
    game = adversarial.hinge

    def d_loss(params: Any, vars: Any, made: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        # Each real picture beside its fake, so that examples stay on their device.
        both = jnp.stack([batch["target"], made[0]], axis=1).reshape(-1, *made[0].shape[1:])
        twice = {name: x.repeat(2, axis=0) for name, x in batch.items()}
        judged, d_vars = judge(params, vars, twice, both)
        real, fake = ([scale.logits[i::2] for scale in judged] for i in (0, 1))
        return adversarial.mean(game.d(real, fake)), Aux(adversarial.scoreboard(real, fake), vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, made: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        y_fake, style = made
        fake, real = (judge(params, vars, batch, y)[0] for y in (y_fake, batch["target"]))
        seen = ([scale.features for scale in each] for each in (stop_gradient(real), fake))
        terms = {"features": paired_features(*seen).mean() / len(fake)}
        value = adversarial.mean(game.g([scale.logits for scale in fake])) + config.feature_weight * terms["features"]
        if network is not None:
            terms["perceptual"] = perceptual(network, vars["frozen"][network.name], batch["target"], y_fake).mean()
            value += config.perceptual_weight * terms["perceptual"]
        if style is not None:
            # Their sum over the batch, as a mean that is the same on any number of devices.
            terms["kl"] = kl_to_normal(*style).mean()
            value += config.kl_weight * config.batch_size * terms["kl"]
        return value, Aux(terms)

    return d_loss, g_loss


def _networks(config: Config, target: Field, axis_name: str | None) -> tuple[StyledGenerator, SpadeDiscriminator]:
    dtype, levels = dtype_of(config.precision), config.g_levels or levels_for(*target.fixed[:2])
    shared: dict[str, Any] = {"norm": config.g_norm, "dtype": dtype, "axis_name": axis_name}
    generator = SpadeGenerator(planes(target), config.g_width, levels, config.g_hidden, **shared)
    encoder = StyleEncoder(config.z_dim, config.g_width, dtype) if config.encoder else None
    return StyledGenerator(generator, encoder), SpadeDiscriminator(config.d_width, config.d_layers, dtype=dtype)


def _verb(run: Any, given: Spec, target: Field, *, fixed: bool) -> Verb:
    """A verb that makes pictures of maps; a style has the size of its network, without one any size will do."""
    free = (lambda field: field) if fixed else any_size
    return Verb(run, {"target": free(target)}, {name: free(field) for name, field in given.items()}, truth=("target",))


def _size(field: Field) -> str:
    return "x".join(map(str, field.fixed[:2]))
