"""What the recipes of super-resolution share: a generator that first learns pixels, and then plays a game.

Data are large pictures alone (`target`); the small ones (`source`) are made of them. The first stage is a network that
learns to enlarge by pixels, the second begins where it ended. Networks see black as 0 and white as 1.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from annotated_types import Ge, Le
from flax import linen as nn
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs, Spec, any_size, image, only, planes
from jaxgan.game import Aux, Derived, GameState, LossFn, Move, Round, Stage, System, Verb, adam, by_path, variables
from jaxgan.game.schedules import cosine
from jaxgan.layers.bicubic import shrink
from jaxgan.losses.adversarial import AdversarialLoss, mean, scoreboard
from jaxgan.metrics.seen_by import perceptual
from jaxgan.recipes.common.base import AtLeastZero, Decay, Momentum, RecipeConfig, check, system_of
from jaxgan.recipes.common.objectives import passes
from jaxgan.recipes.common.wiring import take_turns

NEEDS = Needs({"target": "image"})
DATA = "photographs"
_FEW = (8, 8)  # pixels of the picture by which the generator, whose parameters know no size, gets its first ones
Degrade = Callable[[Float[Array, "b h w c"], Key[Array, " b"]], Float[Array, "b m n c"]]
"""`(large pictures, a key for each) -> small ones`, both in [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class SuperConfig(RecipeConfig):
    """Fields of a recipe that makes pictures larger."""

    pixel_steps: Annotated[int, Ge(0)] = 1_000
    """Steps of the first stage, of --steps in all; 0 for none."""
    scale: Literal[2, 4] = 2
    """How many times as high and as wide pictures become."""
    learning_rate: float = 1e-4
    """Adam's rate in the second stage, for both players."""
    pixel_learning_rate: float = 2e-4
    """Adam's rate in the first stage, which falls to 0 along half a wave."""
    beta1: Momentum = 0.9
    """Adam's decay of the first moment, for both players."""
    beta2: Decay = 0.999
    """Adam's decay of the second moment, for both players."""
    pixel_weight: AtLeastZero = 1.0
    """Weight of the difference of pixels in the second stage."""
    perceptual_weight: AtLeastZero = 1.0
    """Weight of the difference of features in the second stage; 0 for none."""
    gan_weight: AtLeastZero = 1e-3
    """Weight of the game in the second stage."""
    features: str = "random"
    """What looks at features: random weights, fashion-cnn (the bundled classifier), or a file of VGG19's weights."""
    feature_distance: Literal["directions", "maps"] = "directions"
    """How features are compared: by the directions of their vectors, as in LPIPS; or by the maps, as in the papers."""
    feature_layers: perceptual.Layers = "all"
    """Feature maps that are compared: all, or the last alone, as in the papers."""
    interpolate: Annotated[float, Ge(0), Le(1)] = 1.0
    """Pictures are made with (1 - a) times the first stage's generator plus a times the second's; 1: the second's."""


class Networks(NamedTuple):
    """The two networks as they are made and as they are trained.

    Attributes:
        G: small pictures to large ones, black 0 and white 1, `(x, *, train)`.
        generate: `(variables, x) -> (made, changed collections)`.
        D: pictures in [-1, 1] to logits, `(y, *, train)`.
        discriminate: from `critic`.
    """

    G: nn.Module
    generate: Callable[..., tuple[Any, Any]]
    D: nn.Module
    discriminate: Callable[..., tuple[Any, Any]]


class Content(NamedTuple):
    """What a recipe measures differences by.

    Attributes:
        pixels: `(made, truth) -> difference`, a number, of pictures in [-1, 1].
        features: the same of a feature map before activation.
        degrade: large pictures to small ones.
    """

    pixels: Callable[[Array, Array], Array]
    features: Callable[[Array, Array], Array]
    degrade: Degrade


class Parts(NamedTuple):
    """What a recipe's two stages are built of."""

    config: SuperConfig
    spec: Spec
    axis_name: str | None
    networks: Networks
    content: Content


def stages_of(config: SuperConfig, pixels: Any, game: Any) -> tuple[Stage, ...]:
    """Both stages, built by the two functions; the game alone without steps of the first one."""
    if not config.pixel_steps:
        return (Stage("game", game),)
    return (Stage("pixels", pixels, until=config.pixel_steps), Stage("game", game, begin=begin))


def begin(before: GameState, fresh: GameState) -> GameState:
    """The game's first state: the generator is the average of the first stage's, which is kept; Adam begins anew."""
    g = before.players["g"]
    taken = by_path(before, fresh)[0].players["g"]
    params = g.variables(averaged=True)["params"]
    average = None if taken.ema is None else params
    player = dataclasses.replace(taken, params=params, ema=average, opt_state=fresh.players["g"].opt_state)
    extras = {**fresh.extras, "pixels": g.variables(averaged=True)}
    return dataclasses.replace(fresh, players={**fresh.players, "g": player}, extras=extras)


def build_pixels(parts: Parts) -> System:
    """The first stage: the generator alone, which learns the mean of all large pictures that a small one may have."""
    config, content = parts.config, parts.content
    check(config)

    def loss(params: Any, vars: Any, made: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        error = content.pixels(made, batch["target"])
        return error, Aux({"pixels": error})

    rounds = (Round(play=_play(parts), moves=(Move("g", loss),)),)
    rate = cosine(config.pixel_learning_rate, 0.0, config.pixel_steps)
    optimizers = {"g": adam(rate, config.beta1, config.beta2)}

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        return {"g": _init(parts.networks.G, key, (*_FEW, planes(parts.spec["target"])))}

    return _system(parts, rounds, init_players, optimizers, duels=())


def build_game(parts: Parts, game: AdversarialLoss, rate: optax.ScalarOrSchedule) -> System:
    """The second stage: the game, with differences of pixels and of features beside it.

    Args:
        parts: what it is built of.
        game: between the two networks.
        rate: Adam's, for both players.
    """
    config, networks = parts.config, parts.networks
    check(config)
    if config.interpolate < 1 and not config.pixel_steps:
        raise UserError("--interpolate below 1 takes a first stage, but --pixel-steps is 0.")
    target = parts.spec["target"]
    if config.perceptual_weight and planes(target) not in (1, 3):
        raise UserError(f"--perceptual-weight above 0 takes pictures with 1 or 3 channels, got {planes(target)}.")
    seen_by = perceptual.named(config.features) if config.perceptual_weight else None
    rounds = take_turns(_play(parts), *_losses(parts, game, seen_by))

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        few = (*_FEW, planes(target))
        return {"g": _init(networks.G, g_key, few), "d": _init(networks.D, d_key, target.fixed)}

    start = jax.eval_shape(lambda: init_players(jax.random.key(0))["g"])
    extras = {"pixels": jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), start)}
    optimizers = {name: adam(rate, config.beta1, config.beta2) for name in ("g", "d")}
    frozen = None if seen_by is None else lambda: {"features": jax.tree.map(jnp.asarray, seen_by.params)}
    return _system(parts, rounds, init_players, optimizers, extras=extras, frozen=frozen)


def _losses(parts: Parts, game: AdversarialLoss, seen_by: perceptual.Perceptual | None) -> tuple[LossFn, LossFn]:
    config, content, discriminate = parts.config, parts.content, parts.networks.discriminate
    apart = _directions if config.feature_distance == "directions" else content.features

    def d_loss(params: Any, vars: Any, made: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_rng, fake_rng = passes(rng, 2)
        real_logits, d_vars = discriminate(params, vars, batch["target"], real_rng)
        fake_logits, d_vars = discriminate(params, {**vars, "d": {**vars["d"], **d_vars}}, made, fake_rng)
        board = scoreboard(real_logits, fake_logits, game.boundary)
        return mean(game.d(real_logits, fake_logits)), Aux(board, vars={"d": {**vars["d"], **d_vars}})

    def g_loss(params: Any, vars: Any, made: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        fake_rng, real_rng = passes(rng, 2)
        fakes = discriminate(params, vars, made, fake_rng)[0]
        reals = (discriminate(params, vars, batch["target"], real_rng)[0],) if game.relative else ()
        pixels = content.pixels(made, batch["target"])
        found = {"pixels": pixels}
        loss = config.gan_weight * mean(game.g(fakes, *reals)) + config.pixel_weight * pixels
        if seen_by:
            pair, frozen = (made, batch["target"]), vars["frozen"]["features"]
            found["features"] = perceptual.difference(seen_by, frozen, apart, pair, config.feature_layers)
            loss += config.perceptual_weight * found["features"]
        return loss, Aux(found)

    return d_loss, g_loss


def _directions(made: Array, truth: Array) -> Array:
    return perceptual.turned(made, truth).mean()


def _play(parts: Parts) -> Any:
    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        x = parts.content.degrade(batch["target"], rng)
        made, g_vars = parts.networks.generate(variables(params, vars, "g"), _share(x))
        return 2 * made - 1, Aux(vars={"g": {**vars["g"], **g_vars}})

    return play


def _system(parts: Parts, rounds: Any, init_players: Any, optimizers: Any, **declared: Any) -> System:
    config, target, source = parts.config, parts.spec["target"], _small(parts)
    share = config.interpolate if "extras" in declared else 1.0

    def translate(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        del keys
        own = state.players["g"].variables(averaged=True)
        used = own if share == 1 else blended(state.extras["pixels"], own, share)
        made = parts.networks.G.apply(used, _share(given["source"]), train=False)
        return {"target": jnp.clip(2 * jnp.asarray(made) - 1, -1, 1)}

    verb = Verb(translate, {"target": any_size(target)}, {"source": any_size(source)}, truth=("target",))
    derives = {"source": Derived(source, "target", _made_small(parts))}
    batch, verbs = only(parts.spec, "target"), {"translate": verb}
    how: dict[str, Any] = {"verbs": verbs, "derives": derives, "axis_name": parts.axis_name, **declared}
    return system_of(config, batch, rounds, init_players, optimizers, **how)


def blended(start: Any, end: Any, share: float) -> Any:
    """Network interpolation (Wang et al. 2018, section 3.4): (1 - share) of `start` and share of `end`."""
    return jax.tree.map(lambda a, b: (1 - share) * a + share * b, start, end)


def bicubic(target: Field, scale: int) -> Degrade:
    """Small pictures as MATLAB makes them, rounded to 8 bits."""

    def degrade(y: Array, keys: Array) -> Array:
        del keys
        return target.inside(target.outside(shrink(y, scale)))

    return degrade


def _made_small(parts: Parts) -> Callable[[Any], np.ndarray]:
    """One stored picture made small; its noise, if there is any, depends on the picture alone."""
    target = parts.spec["target"]

    @jax.jit
    def small(stored: Array) -> Array:
        key = jax.random.key(stored.astype(jnp.int32).sum())
        return target.outside(parts.content.degrade(target.inside(stored[None]), key[None]))[0]

    return lambda stored: np.asarray(small(jnp.asarray(stored)))


def _small(parts: Parts) -> Field:
    """The field of the small pictures."""
    height, width, channels = parts.spec["target"].fixed
    if height % parts.config.scale or width % parts.config.scale:
        raise UserError(
            f"--scale {parts.config.scale} takes pictures whose sides are multiples of it, got {height}x{width}; "
            "--image-size brings them to others."
        )
    return image(height // parts.config.scale, width // parts.config.scale, channels)


def _init(network: nn.Module, key: Key[Array, ""], shape: tuple[int, ...]) -> Any:
    return network.init(key, jnp.zeros((1, *shape)), train=True)


def _share(x: Array) -> Array:
    return (x + 1) / 2
