"""Every loss x penalty x seed of one remedy at once: a single `vmap` over the library's own training step."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from jaxgan import game
from jaxgan.game import Aux, Ema, Move, Round, parallel
from jaxgan.game.unroll import unroll
from jaxgan.losses import penalties
from jaxgan.losses.batches import pack, top_k_weights
from jaxgan.losses.critics import several_critics
from jaxgan.losses.regularizers import mode_seeking
from laboratory.choices import LOSSES, chosen_loss
from laboratory.critics import PointCritic, PointGenerator, Statistics
from laboratory.points import Task, draw

Remedy = Literal[
    "none", "equal_rates", "minibatch_std", "minibatch_discrimination", "packing_2", "packing_4",
    "unrolled_5", "three_critics", "top_k", "mode_seeking",
]  # fmt: skip
REMEDIES: tuple[Remedy, ...] = get_args(Remedy)


class Penalty(NamedTuple):
    """A penalty of D, as numbers.

    Attributes:
        point: where the slope is punished: 0 at real points, 1 between real and fake ones, 2 around real ones.
        target: the slope to hold there.
        weight: of (slope - target)^2.
        fake: of slope^2 / 2 at fake points.
        limit: that clips D's weights.
    """

    point: Any = 0
    target: Any = 0.0
    weight: Any = 0.0
    fake: Any = 0.0
    limit: Any = float("inf")


GAMMA = 0.1  # of R1 and R2
PENALTIES = {
    "none": Penalty(),
    "r1": Penalty(weight=GAMMA / 2),
    "r1_r2": Penalty(weight=GAMMA / 2, fake=GAMMA),
    "wgan_gp": Penalty(1, 1.0, 1.0),
    "dragan": Penalty(2, 1.0, 1.0),
    "clipping": Penalty(limit=0.3),
}
NOISE = 0.5  # deviation of DRAGAN's noise


class Cell(NamedTuple):
    """One game: a loss, as its place in `LOSSES`, and a penalty."""

    loss: Any
    penalty: Penalty


@dataclasses.dataclass(frozen=True)
class Setup:
    """What one compiled program is built for.

    Attributes:
        remedy: against mode collapse.
        spectral: D's layers are spectrally normalised.
        width: units of the hidden layers of either network.
        batch: points a step.
        z_dim: latent numbers.
        samples: points that are scored.
    """

    remedy: Remedy = "none"
    spectral: bool = False
    width: int = 32
    batch: int = 32
    z_dim: int = 2
    samples: int = 2500


Program = Callable[[Task, Cell, Array], Float[Array, "cells seeds averaged n 2"]]


def cells(names: tuple[str, ...] = tuple(PENALTIES)) -> tuple[list[tuple[str, str]], Cell]:
    """Names `(loss, penalty)` of all games with these penalties, and the games stacked for `vmap`."""
    pairs = [(loss, penalty) for penalty in names for loss in LOSSES]
    each = [Cell(LOSSES.index(loss), PENALTIES[penalty]) for loss, penalty in pairs]
    return pairs, jax.tree.map(lambda *leaves: jnp.asarray(leaves), *each)


def spread(games: Cell) -> Cell:
    """The games in equal parts on as many devices as divide their number; they know nothing of each other."""
    devices, count = jax.local_devices(), len(games.loss)
    share = max(n for n in range(1, len(devices) + 1) if count % n == 0)
    return parallel.place_batch(games, parallel.make_mesh(devices[:share]))


def program(setup: Setup) -> Program:
    """`(task, cells, seeds) -> samples`: all games trained side by side, samples of G and of its moving average."""

    def run(task: Task, cell: Cell, seed: Int[Array, ""]) -> Array:
        return train(setup, task, cell, seed)

    return jax.jit(jax.vmap(jax.vmap(run, (None, None, 0)), (None, 0, None)))


def train(setup: Setup, task: Task, cell: Cell, seed: Int[Array, ""]) -> Float[Array, "averaged n 2"]:
    """One game from its seed to its samples."""
    g_key, d_key, data_key, rng, z_key = jax.random.split(jax.random.key(seed), 5)
    G, judge, variables = networks(setup, g_key, d_key)
    rounds, optimizers = make_game(setup, task, cell, G, judge)
    ema = {"g": Ema(halflife_kimg=0.1 * setup.batch)}  # 100 steps
    step = game.make_train_step(rounds, optimizers, ema=ema)
    state = game.init_state(rounds, optimizers, variables, ema=ema)

    def one(t: Array, state: Any) -> Any:
        return step(state, draw(task, jax.random.fold_in(data_key, t), setup.batch), rng)[0]

    state = jax.lax.fori_loop(0, task.steps, one, state)
    z = jax.random.normal(z_key, (setup.samples, setup.z_dim))
    g = state.players["g"]
    return jnp.stack([G.apply(g.variables(averaged), z)[:, 0, 0] for averaged in (False, True)])


Judge = Callable[[Any, Any, Array], tuple[Array, Any]]
"""`(params, collections, x) -> (logits [critics, packs], new collections)` of D."""


def networks(setup: Setup, g_key: Array, d_key: Array) -> tuple[PointGenerator, Judge, dict[str, Any]]:
    """G, what D answers, and the variables of both; D may be several critics, stacked."""
    G = PointGenerator(setup.width)
    sees: dict[str, Statistics] = {"minibatch_std": "std", "minibatch_discrimination": "discrimination"}
    statistics = sees.get(setup.remedy, "none")
    D = PointCritic(setup.width, statistics, setup.spectral)
    packed = _packing(setup)
    keys = jax.random.split(d_key, 3 if setup.remedy == "three_critics" else 1)
    points = jnp.zeros((4, 1, 1, 2 * packed))
    players = {"g": G.init(g_key, jnp.zeros((1, setup.z_dim))), "d": jax.vmap(lambda key: D.init(key, points))(keys)}

    def judge(params: Any, collections: Any, x: Array) -> tuple[Array, Any]:
        def one(params: Any, collections: Any) -> Any:
            return D.apply({"params": params, **collections}, pack(x, packed), mutable=list(collections))

        return jax.vmap(one)(params, collections)

    return G, judge, players


def make_game(
    setup: Setup, task: Task, cell: Cell, G: PointGenerator, judge: Judge
) -> tuple[tuple[Round, ...], dict[str, optax.GradientTransformation]]:
    """The rounds and optimisers of one game."""
    loss = chosen_loss(cell.loss)

    def play(params: Any, vars: Any, batch: Any, rng: Array) -> tuple[Any, Aux]:
        z = game.normal(rng, (2 if setup.remedy == "mode_seeking" else 1, setup.z_dim))
        return [(G.apply(game.variables(params, vars, "g"), z[:, i]), z[:, i]) for i in range(z.shape[1])], Aux()

    def objective(d: Any, vars: Any, x_real: Array, x_fake: Array, rng: Array) -> tuple[Array, Any]:
        real, seen = judge(d, vars["d"], x_real)
        fake, seen = judge(d, {**vars["d"], **seen}, x_fake)
        slopes = _slopes(cell.penalty, lambda x: judge(d, vars["d"], x)[0], x_real, x_fake, rng)
        return jax.vmap(loss.d)(real, fake).mean(1).sum() + slopes, seen

    def d_loss(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        value, seen = objective(params["d"], vars, batch, outcome[0][0], rng)
        return value, Aux(vars={"d": seen})

    def g_loss(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        x_fake, d = outcome[0][0], params["d"]
        if setup.remedy == "unrolled_5":
            # Adam as D has it, but that the slope of its root must stay finite.
            rule = optax.adam(task.rate_d, 0.5, 0.99, eps_root=1e-8)
            d = unroll(lambda d: objective(d, vars, batch, x_fake, rng)[0], d, rule, steps=5)
        fake, real = judge(d, vars["d"], x_fake)[0], judge(d, vars["d"], batch)[0]
        losses = several_critics(jax.vmap(loss.g)(fake, real))
        if setup.remedy == "top_k":
            fraction = jnp.maximum(0.5, 1 - vars["step"] / task.steps)
            losses = losses * top_k_weights(fake[0], fraction)
        diversity = mode_seeking(x_fake, outcome[1][0], *(z for _, z in outcome)) if len(outcome) > 1 else jnp.zeros(1)
        return losses.mean() + diversity.mean(), Aux()

    return (Round((Move("d", d_loss), Move("g", g_loss)), play),), _optimizers(setup, task, cell)


def _packing(setup: Setup) -> int:
    return {"packing_2": 2, "packing_4": 4}.get(setup.remedy, 1)


def _slopes(penalty: Penalty, critic: Any, x_real: Array, x_fake: Array, rng: Array) -> Float[Array, ""]:
    """All penalties on slopes in two gradients of D: at one point of each cell's choice, and at the fakes.

    Half of the squared slope is the library's `r1` wherever it is taken; the others are functions of it.
    """
    noisy = x_real + NOISE * game.normal(rng, x_real.shape[1:])
    between = x_real + game.draw(jax.random.uniform, rng, (1, 1, 1)) * (x_fake - x_real)
    point = jnp.where(penalty.point == 1, between, jnp.where(penalty.point == 2, noisy, x_real))
    judge = critic_of_sets(critic)
    slope = jnp.sqrt(2 * penalties.r1(judge, point) + 1e-12)
    return (penalty.weight * jnp.square(slope - penalty.target) + penalty.fake * penalties.r1(judge, x_fake)).mean()


def critic_of_sets(critic: Any) -> Any:
    """Logits `[critics, packs]` as one number a point, with the same sum: a penalty wants a row an example."""

    def judge(x: Array) -> Array:
        logits = critic(x)
        copies = len(x) // logits.shape[1]
        return jnp.repeat(logits.sum(0) / copies, copies)

    return judge


def _optimizers(setup: Setup, task: Task, cell: Cell) -> dict[str, optax.GradientTransformation]:
    """Adam with rates that are constant for half of the steps and then fall to 0 on a line."""

    def falling(rate: Any) -> Callable[[Any], Any]:
        return lambda t: rate * jnp.minimum(1.0, 2 - 2 * t / task.steps)

    rates = {"g": task.rate_g, "d": task.rate_d}
    if setup.remedy == "equal_rates":
        rates = dict.fromkeys(rates, (task.rate_g * task.rate_d) ** 0.5)
    adams = {name: game.adam(falling(rate), b2=0.99) for name, rate in rates.items()}
    return {"g": adams["g"], "d": game.clipped(adams["d"], cell.penalty.limit)}
