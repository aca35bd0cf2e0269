"""What the recipes of a generator and a discriminator of images share: who feeds whom, and in which order they move."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key

from jaxgan.errors import UserError
from jaxgan.game import Aux, GameState, LossFn, Move, PlayFn, Round, apply, normal, variables
from jaxgan.game.schedules import Schedule
from jaxgan.losses import adversarial
from jaxgan.losses.adversarial import AdversarialLoss
from jaxgan.losses.batches import pack, top_k_weights
from jaxgan.losses.labels import exchange_labels
from jaxgan.losses.reduce import example_means
from jaxgan.recipes.base import LatentConfig

COLLECTIONS = ["batch_stats", "spectral"]
"""What networks may change while they are trained."""

LABEL_STREAM = 0x6C61626C  # noise of labels apart from that of the penalty, which has the example's own key

Judge: TypeAlias = Callable[..., tuple[Any, Any]]
"""`(params, vars, x, label=None) -> (logits, or whatever else D says of images, and D's new collections)`."""

Penalty: TypeAlias = Callable[..., Float[Array, "b"]]
"""`(critic, x_real, x_fake, rng, step) -> [b]`, weighted; `critic` maps images to logits."""


class Wires(NamedTuple):
    """A generator and a discriminator, connected.

    Attributes:
        play: latent vectors to fakes; conditional ones get the labels of the batch.
        judge: images to logits and D's new collections.
        init_players: `(g_key, d_key) -> variables by player`.
        sample: as in `System`.
    """

    play: PlayFn
    judge: Judge
    init_players: Callable[[Key[Array, ""], Key[Array, ""]], dict[str, Any]]
    sample: Callable[..., Array]


def wire(config: LatentConfig, G: nn.Module, D: nn.Module, conditional: bool = False, packing: int = 1) -> Wires:
    """Connect two networks that take `(input, label=None, *, train)`.

    Args:
        config: sizes of latent vectors and images.
        G: latent vectors to images.
        D: images to logits.
        conditional: both take the label of each image.
        packing: images that D judges together; its input has so many times the channels.
    """
    generate, discriminate = trained(G, config.remat), trained(D, config.remat)

    def label_of(batch: Any) -> dict[str, Any]:
        return {"label": batch["label"]} if conditional else {}

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        z = normal(rng, (config.z_dim,))
        g = variables(params, vars, "g")
        x_fake, g_vars = generate(g, z, **label_of(batch))
        return x_fake, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array, label: Array | None = None) -> tuple[Any, Any]:
        given = {"label": label} if conditional else {}
        logits, changed = discriminate(variables(params, vars, "d"), x, **given)
        return logits, {**vars["d"], **changed}

    def init_players(g_key: Key[Array, ""], d_key: Key[Array, ""]) -> dict[str, Any]:
        label = label_of({"label": jnp.zeros(1, jnp.int32)})
        *size, channels = config.image_shape
        z, x = jnp.zeros((1, config.z_dim)), jnp.zeros((1, *size, channels * packing))
        return {"g": G.init(g_key, z, **label, train=True), "d": D.init(d_key, x, **label, train=True)}

    def sample(
        state: GameState, keys: Key[Array, " n"], label: Int[Array, " n"] | None = None
    ) -> Float[Array, "n h w c"]:
        if conditional and label is None:
            raise UserError("this system samples images of given classes: pass one label per image.")
        g = state.players["g"].variables(averaged=True)
        return apply(G, g, normal(keys, (config.z_dim,)), **label_of({"label": label}), train=False)

    return Wires(play, judge, init_players, sample)


def trained(network: nn.Module, remat: bool) -> Callable[..., tuple[Any, Any]]:
    """`(variables, input, label=...) -> (output, changed collections)`: the network as it is trained.

    Args:
        network: takes `(input, label=None, *, train)`.
        remat: keep nothing of a pass but what went in; its backward pass makes it again. Training then holds the
            activations of one pass, not those of all that are differentiated, and costs one more forward pass for each.
    """
    forward = partial(apply, network, train=True, mutable=COLLECTIONS)
    return jax.checkpoint(forward) if remat else forward


def objectives(
    judge: Judge,
    loss: AdversarialLoss,
    penalty: Penalty | None = None,
    *,
    label_noise: float = 0.0,
    top_k: Schedule | None = None,
    packing: int = 1,
    axis_name: str | None = None,
) -> tuple[LossFn, LossFn]:
    """The losses of both players: D minimises E[loss.d] + E[penalty], G minimises E[loss.g].

    Real and fake images pass D in separate batches, so that batch statistics are of one kind each.

    Args:
        judge: from `wire`.
        loss: the game.
        penalty: added to D's loss and reported as `penalty`.
        label_noise: probability that a label which D sees is wrong, as for `exchange_labels`.
        top_k: share of the fakes that G learns from, those that look most real, as for `top_k_weights`; a schedule.
        packing: images that D judges together, as for `pack`; D takes so many times the channels.
        axis_name: as for `make_train_step`; read by `top_k`.
    """
    looks = _packed(judge, packing)

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        label = batch.get("label")
        real_logits, d_vars = looks(params, vars, batch["image"], label)
        fake_logits, d_vars = looks(params, {**vars, "d": d_vars}, x_fake, label)
        board = adversarial.scoreboard(real_logits, fake_logits, loss.boundary)
        if label_noise:
            real_logits, fake_logits = exchange_labels(_swaps(rng, packing), real_logits, fake_logits, label_noise)
        value = adversarial.mean(loss.d(real_logits, fake_logits))
        if penalty:
            extra = punish(judge, penalty, packing)(params, vars, x_fake, batch, rng)
            value, board = value + extra, {**board, "penalty": extra}
        return value, Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        label = batch.get("label")
        fake_logits, _ = looks(params, vars, x_fake, label)
        # A relativistic generator lowers the real images against its own.
        others = (looks(params, vars, batch["image"], label)[0],) if loss.relative else ()
        losses = loss.g(fake_logits, *others)
        if top_k:
            losses = example_means(losses) * top_k_weights(fake_logits, top_k(vars["step"]), axis_name)
        return adversarial.mean(losses), Aux()

    return d_loss, g_loss


def _swaps(rng: Key[Array, " b"], packing: int) -> Key[Array, " b"]:
    """Keys of wrong labels, one a pack."""
    return jax.vmap(partial(jax.random.fold_in, data=LABEL_STREAM))(rng[::packing])


def _packed(judge: Judge, packing: int) -> Judge:
    """The judge of packs of images."""
    if packing == 1:
        return judge
    return lambda params, vars, x, label=None: judge(params, vars, pack(x, packing), label)


def punish(judge: Judge, penalty: Penalty, packing: int = 1) -> Callable[..., Float[Array, ""]]:
    """`(params, vars, x_fake, batch, rng) -> E[penalty]` of D as a function of images, or packs of them."""

    def value(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> Array:
        images = [pack(x, packing) if packing > 1 else x for x in (batch["image"], x_fake)]
        critic = lambda x: judge(params, vars, x, batch.get("label"))[0]  # noqa: E731
        return penalty(critic, *images, rng[::packing], vars["step"]).mean()

    return value


def take_turns(play: PlayFn, d_loss: LossFn, g_loss: LossFn, n_critic: int = 1) -> tuple[Round, ...]:
    """D moves `n_critic` times, each time on other images and noise; then G moves once.

    With one move each they share the fakes.
    """
    if n_critic == 1:
        return (Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss))),)
    return (Round(play=play, moves=(Move("d", d_loss),), repeat=n_critic), Round(play=play, moves=(Move("g", g_loss),)))
