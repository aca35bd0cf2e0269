"""Games on the ring of eight modes that are looked at while they are trained: what claims (a) and (b) rest on."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxgan import game
from jaxgan.game import Aux, Move, Round
from jaxgan.losses import adversarial, penalties
from laboratory import points
from laboratory.critics import PointCritic, PointGenerator

_BATCH, _Z, _EVALUATED, _DIRECTIONS, _RATE = 64, 2, 1000, 32, 1e-3
_TASK = points.ring()
G, D = PointGenerator(32), PointCritic(32)


class Way(NamedTuple):
    """How D is trained.

    Attributes:
        loss: of both players.
        critics: updates of D before one of G.
        penalty: weight of WGAN-GP's.
        limit: to which D's weights are clipped.
    """

    loss: str
    critics: int = 1
    penalty: float = 0.0
    limit: float | None = None


WAYS = {
    "WGAN-GP": Way("wasserstein", critics=5, penalty=1.0),
    "WGAN, clipped": Way("wasserstein", critics=5, limit=0.3),
    "BCE": Way("non_saturating"),
    "BCE, 5 D steps": Way("non_saturating", critics=5),
}


def critic_curves(way: Way, seeds: int, steps: int, measurements: int = 60) -> dict[str, Float[np.ndarray, "seeds _"]]:
    """Claim (a): what D's loss says of the distance, and the distance, while a GAN learns the ring.

    Args:
        way: the game.
        seeds: trained side by side.
        steps: updates of G.
        measurements: so many, evenly over the steps.

    Returns:
        `estimate`: the critic's mean difference, minus its loss, or log 4 minus D's cross-entropy (twice the
        Jensen-Shannon divergence if D were the best); `distance`: `sliced_distance` of fresh points.
    """
    every = max(1, steps // measurements)
    run = jax.jit(jax.vmap(lambda seed: _watch(way, seed, steps // every, every)))
    estimate, distance = run(jnp.arange(seeds))
    return {"estimate": np.asarray(estimate), "distance": np.asarray(distance)}


def starvation(seeds: int, steps: int, every: int = 25) -> dict[str, Float[np.ndarray, "seeds _"]]:
    """Claim (b): the length of G's gradient while D alone learns to tell a G that stands still from the ring.

    Returns:
        After 0, `every`, ... steps of D: `minimax` and `non_saturating`, |gradient| of that loss of G by all its
        parameters; `accuracy`, the share of real and generated points that D takes for what they are.
    """
    run = jax.jit(jax.vmap(lambda seed: _starve(seed, steps // every + 1, every)))
    return {name: np.asarray(curve) for name, curve in run(jnp.arange(seeds)).items()}


def after_a_start(loss: str, seeds: int, lead: tuple[int, ...], steps: int) -> Float[np.ndarray, "leads seeds n 2"]:
    """Claim (b): samples of a G that was trained for `steps` against a D that had learnt alone before.

    Args:
        loss: of both players.
        seeds: trained side by side.
        lead: steps of D alone, case by case.
        steps: of both together.
    """
    run = jax.jit(jax.vmap(lambda seed, ahead: _late(loss, seed, ahead, steps), (0, None)))
    return np.stack([np.asarray(run(jnp.arange(seeds), ahead)) for ahead in lead])


def sliced_distance(x: Float[Array, "n d"], y: Float[Array, "n d"], key: Key[Array, ""]) -> Float[Array, ""]:
    """Mean over random directions of the Wasserstein-1 distance of the projections (Rabin et al. 2012), each exact."""
    directions = jax.random.normal(key, (x.shape[1], _DIRECTIONS))
    directions = directions / jnp.linalg.norm(directions, axis=0)
    return jnp.abs(jnp.sort(x @ directions, 0) - jnp.sort(y @ directions, 0)).mean()


def spearman(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Rank correlation; without ties, which measured numbers do not have."""
    return float(np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1])


def _play(params: Any, vars: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
    return G.apply(game.variables(params, vars, "g"), game.normal(rng, (_Z,))), Aux()


def _logits(d: Any, x: Array) -> Array:
    return D.apply({"params": d}, x)  # pyright: ignore[reportReturnType]


def _points(g: Any, z: Array) -> Array:
    return G.apply({"params": g}, z)


def _keys(seed: Int[Array, ""]) -> Array:
    """A run's own keys: of G, of D, of training, of what it is measured by, of D's training alone."""
    return jax.random.split(jax.random.key(seed), 5)


def _players(seed: Int[Array, ""]) -> dict[str, Any]:
    g_key, d_key = _keys(seed)[:2]
    return {"g": G.init(g_key, jnp.zeros((1, _Z))), "d": D.init(d_key, jnp.zeros((1, 1, 1, 2)))}


def _rounds(way: Way) -> tuple[Round, Round]:
    loss = adversarial.named(way.loss)

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Array, rng: Array) -> tuple[Array, Aux]:
        value = loss.d(_logits(params["d"], batch), _logits(params["d"], x_fake)).mean()
        if way.penalty:
            slopes = penalties.gradient_penalty(lambda x: _logits(params["d"], x), batch, x_fake, rng)
            value += way.penalty * slopes.mean()
        return value, Aux()

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Array, rng: Array) -> tuple[Array, Aux]:
        return loss.g(_logits(params["d"], x_fake)).mean(), Aux()

    return Round((Move("d", d_loss),), _play, repeat=way.critics), Round((Move("g", g_loss),), _play)


def _trainer(way: Way, players: Any, key: Key[Array, ""], names: tuple[str, ...] = ("d", "g")) -> tuple[Any, Any]:
    """The state, and `(state, steps) -> state`: only the named players move; the key is of points and noise."""
    rounds = _rounds(way)[: len(names)]
    optimizers = {name: game.adam(_RATE, b2=0.99) for name in names}
    if way.limit is not None:
        optimizers["d"] = game.clipped(optimizers["d"], way.limit)
    step, (x_key, rng) = game.make_train_step(rounds, optimizers), jax.random.split(key)
    size = _BATCH * way.critics

    def one(_: Any, state: Any) -> Any:
        return step(state, points.draw(_TASK, jax.random.fold_in(x_key, state.step), size), rng)[0]

    return game.init_state(rounds, optimizers, players), lambda state, n: jax.lax.fori_loop(0, n, one, state)


def _fresh(seed: Int[Array, ""], step: Int[Array, ""] | int) -> tuple[Array, Array, Array]:
    """Points, latents and a key that no training step sees."""
    x_key, z_key, key = jax.random.split(jax.random.fold_in(_keys(seed)[3], step), 3)
    return points.draw(_TASK, x_key, _EVALUATED), jax.random.normal(z_key, (_EVALUATED, _Z)), key


def _watch(way: Way, seed: Int[Array, ""], count: int, every: int) -> tuple[Array, Array]:
    loss, (state, train) = adversarial.named(way.loss), _trainer(way, _players(seed), _keys(seed)[2])
    ceiling = jnp.log(4.0) if way.loss == "non_saturating" else 0.0

    def chunk(state: Any, _: None) -> tuple[Any, tuple[Array, Array]]:
        state = train(state, every)
        x, z, key = _fresh(seed, state.step)
        fake, d = _points(state.players["g"].params, z), state.players["d"].params
        estimate = ceiling - loss.d(_logits(d, x), _logits(d, fake)).mean()
        return state, (estimate, sliced_distance(x[:, 0, 0], fake[:, 0, 0], key))

    return jax.lax.scan(chunk, state, length=count)[1]


def _starve(seed: Int[Array, ""], count: int, every: int) -> dict[str, Array]:
    state, train = _trainer(WAYS["BCE"], _players(seed), _keys(seed)[4], names=("d",))
    x, z, _ = _fresh(seed, 0)

    def measure(state: Any) -> dict[str, Array]:
        g, d = state.players["g"].params, state.players["d"].params

        def hunger(name: str) -> Array:
            slopes = jax.grad(lambda g: adversarial.named(name).g(_logits(d, _points(g, z))).mean())(g)
            return jnp.sqrt(sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(slopes)))

        accuracy = ((_logits(d, x) > 0).mean() + (_logits(d, _points(g, z)) < 0).mean()) / 2
        return {**{name: hunger(name) for name in ("minimax", "non_saturating")}, "accuracy": accuracy}

    return jax.lax.scan(lambda state, _: (train(state, every), measure(state)), state, length=count)[1]


def _late(loss: str, seed: Int[Array, ""], ahead: Int[Array, ""] | int, steps: int) -> Float[Array, "n 2"]:
    state, train = _trainer(WAYS["BCE"], _players(seed), _keys(seed)[4], names=("d",))
    state = train(state, ahead)
    players = {name: {"params": player.params} for name, player in state.players.items()}
    state, train = _trainer(Way(loss), players, _keys(seed)[2])
    _, z, _ = _fresh(seed, 0)
    return _points(train(state, steps).players["g"].params, z)[:, 0, 0]
