"""What the recipes of a generator and a discriminator share: who feeds whom, and in which order they move."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.augment.ada import ada
from jaxgan.augment.diff import diffaugment
from jaxgan.fields import Spec, only
from jaxgan.game import Aux, GameState, LossFn, Move, PlayerState, PlayFn, Round, System, Verb, normal, variables
from jaxgan.game.random import Stream
from jaxgan.recipes.common.ada import ADA
from jaxgan.recipes.common.base import LatentConfig, RecipeConfig, adams, system_of
from jaxgan.recipes.common.latents import SHOWS, Draw, latent_verbs, normal_latents

COLLECTIONS = ["batch_stats", "spectral"]
"""What networks may change while they are trained."""


Judge: TypeAlias = Callable[..., tuple[Any, Any]]
"""`(params, vars, x, given, rng) -> (logits, or whatever else D says of examples, and D's new collections)`.

`given` has the other fields of the same rows; the judge takes those that it knows. `rng` has a key for each row of x:
of dropout, of noise or augmentation that a wrapper adds. Passes that shall differ get other keys (`passes`).
"""


def critic_names(critics: int) -> list[str]:
    """Under which names the player `d` has the variables of each of several critics."""
    return [f"critic_{i}" for i in range(critics)]


class Wires(NamedTuple):
    """A generator and a discriminator, connected.

    Attributes:
        play: latent vectors to fakes; conditional ones get the labels of the batch.
        judge: examples to logits and D's new collections; of several critics one, as `judges_of` tells it which.
        init_players: `key -> variables by player`.
        batch: the fields that a step takes.
        verbs: from `latent_verbs`, by averaged weights if kept.
    """

    play: PlayFn
    judge: Judge
    init_players: Callable[[Key[Array, ""]], dict[str, Any]]
    batch: Spec
    verbs: Mapping[str, Verb]


def wire(
    config: LatentConfig,
    spec: Spec,
    G: nn.Module,
    D: nn.Module,
    conditional: bool = False,
    packing: int = 1,
    critics: int = 1,
    made: str = "image",
    latents: tuple[Spec, Draw] | None = None,
    settled: Callable[[PlayerState], PlayerState] | None = None,
) -> Wires:
    """Connect two networks that take `(input, label=None, *, train)`.

    Args:
        config: has the size of latent vectors.
        spec: the fields of the data.
        G: latent vectors to examples.
        D: examples to logits.
        conditional: both take the label of each example.
        packing: images that D judges together; its input has so many times the channels.
        critics: networks like D that the player `d` is made of, each with variables of its own.
        made: the field that G makes and D judges.
        latents: those that verbs draw; normal ones unless given.
        settled: what is done to the trained generator before a verb uses it; nothing unless given.
    """
    generate, discriminate = trained(G, config.remat), critic(D, config)

    def label_of(given: Mapping[str, Any]) -> dict[str, Any]:
        return {"label": given["label"]} if conditional else {}

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        z = normal(rng, (config.z_dim,))
        g = variables(params, vars, "g")
        x_fake, g_vars = generate(g, z, rngs={"dropout": rng[0]}, **label_of(batch))
        return x_fake, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array, given: Mapping[str, Any], rng: Key[Array, " b"]) -> tuple[Any, Any]:
        logits, changed = discriminate(params, vars, x, rng, rngs={"dropout": rng[0]}, **label_of(given))
        return logits, {**vars["d"], **changed}

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        label = label_of({"label": jnp.zeros(1, jnp.int32)})
        *size, channels = spec[made].fixed
        z, x = jnp.zeros((1, config.z_dim)), jnp.zeros((1, *size, channels * packing))
        g = G.init(g_key, z, **label, train=True)
        if critics == 1:
            return {"g": g, "d": D.init(d_key, x, **label, train=True)}
        each = [D.init(key, x, **label, train=True) for key in jax.random.split(d_key, critics)]
        kinds = {kind: dict(zip(critic_names(critics), (one[kind] for one in each), strict=True)) for kind in each[0]}
        return {"g": g, "d": kinds}

    def decode(state: GameState, given: Mapping[str, Array]) -> dict[str, Array]:
        player = settled(state.players["g"]) if settled else state.players["g"]
        return {made: as_used(G, player, given["z"], **label_of(given))}

    taken = only(spec, "label") if conditional else {}
    verbs = latent_verbs(*(latents or normal_latents(config.z_dim)), decode, makes=only(spec, made), given=taken)
    return Wires(play, judge, init_players, {**only(spec, made), **taken}, verbs)


def latent_game(
    config: LatentConfig,
    wires: Wires,
    rounds: Sequence[Round],
    axis_name: str | None,
    *,
    optimizers: Mapping[str, optax.GradientTransformation] | None = None,
    **declared: Any,
) -> System:
    """The system of a game between a generator `g` and a discriminator `d`, with a moving average of `g`.

    Args:
        config: the recipe's configuration.
        wires: the networks, connected.
        rounds: the game.
        axis_name: as for `make_train_step`.
        optimizers: of both players; Adam with the configuration's rates unless given.
        **declared: further arguments of `system_of`.
    """
    declared = {"verbs": wires.verbs, "shows": SHOWS, **declared}
    own = optimizers or adams(config)
    return system_of(config, wires.batch, rounds, wires.init_players, own, axis_name=axis_name, **declared)


def trained(network: nn.Module, remat: bool) -> Callable[..., tuple[Any, Any]]:
    """`(variables, input, label=..., rngs=...) -> (output, changed collections)`: the network as it is trained.

    Args:
        network: takes `(input, label=None, *, train)`.
        remat: keep nothing of a pass but what went in; its backward pass makes it again. Training then holds the
            activations of one pass, not those of all that are differentiated, and costs one more forward pass for each.
    """
    forward = partial(network.apply, train=True, mutable=COLLECTIONS)
    return jax.checkpoint(forward) if remat else forward


def critic(D: nn.Module, config: RecipeConfig, picture: int | None = None) -> Callable[..., tuple[Any, Any]]:
    """`(params, vars, x, rng, **given) -> (output, changed collections)`: D as it is trained, behind `--augment`.

    The one way in which recipes show pictures to D, so that the option reaches every one of them, in all moves of both
    players and in every penalty, whose slopes are those at the unchanged picture. What G makes is not changed.

    Args:
        D: takes `(x, label=None, *, train)`; its player is `d`.
        config: the recipe's configuration.
        picture: so many of the last channels of x are the picture; those before say what it belongs to, and keep their
            colours. None: all.
    """
    discriminate = trained(D, config.remat)

    def changed(x: Array, rng: Key[Array, " b"], vars: Any, which: int = 0) -> Array:
        keys = jax.vmap(partial(jax.random.fold_in, data=Stream.AUGMENT + which))(rng)
        conditions = x.shape[-1] - picture if picture else 0
        if config.augment == "ada":
            return ada(keys, x, vars["extras"][ADA]["p"], conditions)
        return diffaugment(keys, x, conditions)

    def seen(x: Any, rng: Key[Array, " b"], vars: Any) -> Any:
        """Pictures as D sees them; where D takes several by name, each in its own way."""
        if config.augment == "none":
            return x
        if isinstance(x, Mapping):
            return {name: changed(x[name], rng, vars, which) for which, name in enumerate(sorted(x))}
        return changed(x, rng, vars)

    def judge(params: Any, vars: Any, x: Any, rng: Key[Array, " b"], **given: Any) -> tuple[Any, Any]:
        return discriminate(variables(params, vars, "d"), seen(x, rng, vars), **given)

    return judge


def as_used(network: nn.Module, player: PlayerState, *inputs: Any, **given: Any) -> Any:
    """What the network of a trained player makes: by its averaged weights where it keeps any, and without training."""
    return network.apply(player.variables(averaged=True), *inputs, **given, train=False)


def take_turns(play: PlayFn, d_loss: LossFn, g_loss: LossFn, n_critic: int = 1) -> tuple[Round, ...]:
    """D moves `n_critic` times, each time on other images and noise; then G moves once.

    With one move each they share the fakes.
    """
    if n_critic == 1:
        return (Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss))),)
    return (Round(play=play, moves=(Move("d", d_loss),), repeat=n_critic), Round(play=play, moves=(Move("g", g_loss),)))
