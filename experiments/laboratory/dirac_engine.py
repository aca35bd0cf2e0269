"""Dirac-GAN trained by the library's engine, losses and penalties: what the closed forms are checked against."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from jaxgan import game
from jaxgan.game import Aux, Move, Round
from jaxgan.losses import penalties
from jaxgan.losses.adversarial import AdversarialLoss
from laboratory.choices import LOSSES, chosen_loss
from laboratory.dirac import CELLS, SLOPES, Setting

_CRITICS = 5  # updates of D before one of G in "alternating_5"
# Two-point noise at every combination of signs: its moments are exact in a batch of four.
_REAL_NOISE, _FAKE_NOISE = (1.0, -1.0, 1.0, -1.0), (1.0, 1.0, -1.0, -1.0)


class Strengths(NamedTuple):
    """The penalties of a game as numbers, so that one program serves all of them; 0, or no limit, for none.

    Attributes:
        r1: gamma of R1.
        r2: gamma of R2.
        wgan_gp: weight of WGAN-GP's penalty.
        consensus: weight of half the squared length of the gradient vector field.
        noise: deviation of instance noise.
        limit: that clips psi.
    """

    r1: Any = 0.0
    r2: Any = 0.0
    wgan_gp: Any = 0.0
    consensus: Any = 0.0
    noise: Any = 0.0
    limit: Any = float("inf")


def strengths(penalty: str, weight: float) -> Strengths:
    """Those of one of `dirac.PENALTIES`."""
    field = {"instance_noise": "noise", "clipping": "limit"}.get(penalty, penalty)
    return Strengths() if penalty == "none" else Strengths(**{field: weight})


def simulate(setting: Setting, steps: int, start: tuple[float, float]) -> Float[Array, "steps_and_one 2"]:
    """Path of (theta, psi) under `setting`, the start included."""
    return simulate_many([setting], steps, start)[0]


def simulate_cells(dynamics: str, steps: int, start: tuple[float, float]) -> Float[Array, "cells steps_and_one 2"]:
    """Paths of all `dirac.CELLS`, with the rates and weight of `Setting`."""
    return simulate_many([Setting(loss, penalty, dynamics) for penalty, loss in CELLS], steps, start)


def simulate_many(
    settings: Sequence[Setting], steps: int, start: tuple[float, float]
) -> Float[Array, "settings steps_and_one 2"]:
    """Paths of settings that share their dynamics, in one program."""
    each = [strengths(setting.penalty, setting.weight) for setting in settings]
    stacked = jax.tree.map(lambda *leaves: jnp.asarray(leaves), *each)
    losses = jnp.asarray([LOSSES.index(setting.loss) for setting in settings])
    rates = jnp.asarray([(setting.rate_g, setting.rate_d) for setting in settings])
    return _paths(settings[0].dynamics, steps, losses, stacked, rates, jnp.asarray(start))


def nearby(path: Float[Array, "n 2"] | Float[np.ndarray, "n 2"]) -> str:
    """Whether a path that starts near (0, 0) "converges" to it, "diverges" from it or "circles".

    By the largest distance within its last tenth: less than half of that within its first, over 1.5 times that, or
    neither. A tenth must be long enough for one turn, since orbits are ellipses.
    """
    distance = _distance(path)
    tenth = max(1, len(distance) // 10)
    ratio = distance[-tenth:].max() / distance[:tenth].max()
    if not np.isfinite(ratio) or ratio > 1.5:
        return "diverges"
    return "converges" if ratio < 0.5 else "circles"


def observed(path: Float[Array, "n 2"] | Float[np.ndarray, "n 2"]) -> str:
    """Where a path ends: it "converges" to (0, 0), "diverges" or "circles", maybe nearer than it began.

    Largest distances are compared, that within the last tenth with that within the sixth: over 1.1 times as far still
    grows, below 0.95 times still falls. A path converges that has lost half of its distance and still falls, or all but
    a thousandth of it.
    """
    distance = _distance(path)
    tenth = max(1, len(distance) // 10)
    first, sixth, last = distance[0], distance[5 * tenth : 6 * tenth].max(), distance[-tenth:].max()
    if not np.isfinite(last) or last > max(1.1 * sixth, first / 2):
        return "diverges"
    falling = last < 0.5 * first and last < 0.95 * sixth
    return "converges" if falling or last < 1e-3 * first else "circles"


def _distance(path: Float[Array, "n 2"] | Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    return np.linalg.norm(np.asarray(path), axis=1)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _paths(dynamics: str, steps: int, losses: Array, given: Strengths, rates: Array, start: Array) -> Array:
    def path(loss: Array, strengths: Strengths, rates: Array) -> Array:
        return _path(dynamics, steps, loss, strengths, rates, start)

    return jax.vmap(path)(losses, given, rates)


def _path(dynamics: str, steps: int, loss: Int[Array, ""], given: Strengths, rates: Array, start: Array) -> Array:
    offset = jnp.asarray([SLOPES[name].offset for name in LOSSES])[loss]
    rounds, optimizers = _game(dynamics, given, chosen_loss(loss), offset), _optimizers(dynamics, given.limit, rates)
    players = {"g": {"params": {"theta": start[0]}}, "d": {"params": {"psi": start[1]}}}
    state = game.init_state(rounds, optimizers, players)
    make = game.make_extragradient_step if dynamics == "extragradient" else game.make_train_step
    step, batch, rng = make(rounds, optimizers), _batch(dynamics, given.noise), jax.random.key(0)

    def one(state: Any, _: None) -> tuple[Any, Array]:
        state, _metrics = step(state, batch, rng)
        return state, _position(state)

    _, path = jax.lax.scan(one, state, length=steps)
    return jnp.concatenate([_position(state)[None], path])


def _position(state: Any) -> Float[Array, "2"]:
    return jnp.stack([state.players["g"].params["theta"], state.players["d"].params["psi"]])


def _batch(dynamics: str, deviation: Array) -> dict[str, Array]:
    # A critic's k-th microbatch is the rows k, k + 5, ...: repeated rows give each of them all four signs.
    copies = _CRITICS if dynamics == "alternating_5" else 1
    signs = {"real": _REAL_NOISE, "fake": _FAKE_NOISE}
    return {name: deviation * jnp.repeat(jnp.asarray(noise), copies) for name, noise in signs.items()}


def _game(dynamics: str, given: Strengths, loss: AdversarialLoss, offset: Array) -> tuple[Round, ...]:
    def logits(params: Any, x: Array) -> Array:
        return params["d"]["psi"] * x + offset

    def play(params: Any, vars: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        return params["g"]["theta"] + batch["fake"], Aux()

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        losses = loss.d(logits(params, batch["real"]), logits(params, x_fake))
        added = _penalty(given, lambda x: logits(params, x), batch["real"], x_fake, rng)
        return (losses + added).mean() + given.consensus * _tension(plain, params, batch), Aux()

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        losses = loss.g(logits(params, x_fake), logits(params, batch["real"]))
        return losses.mean() + given.consensus * _tension(plain, params, batch), Aux()

    def plain(params: Any, batch: Any) -> tuple[Array, Array]:
        real, fake = logits(params, batch["real"]), logits(params, params["g"]["theta"] + batch["fake"])
        return loss.d(real, fake).mean(), loss.g(fake, real).mean()

    return _rounds(dynamics, play, (Move("d", d_loss), Move("g", g_loss)))


def _rounds(dynamics: str, play: Any, moves: tuple[Move, Move]) -> tuple[Round, ...]:
    if dynamics == "alternating_5":
        return Round(moves[:1], play, repeat=_CRITICS), Round(moves[1:], play)
    return (Round(moves, play, simultaneous=dynamics != "alternating"),)


def _optimizers(dynamics: str, limit: Array, rates: Array) -> dict[str, optax.GradientTransformation]:
    """Plain gradient descent, psi within the limit."""
    optimizers = {"g": optax.sgd(rates[0]), "d": optax.sgd(rates[1])}
    if dynamics == "optimistic":
        optimizers = {name: game.optimistic(optimizer) for name, optimizer in optimizers.items()}
    return {**optimizers, "d": game.clipped(optimizers["d"], limit)}


def _penalty(given: Strengths, critic: Any, x_real: Array, x_fake: Array, rng: Array) -> Float[Array, " b"]:
    slopes = given.r1 * penalties.r1(critic, x_real) + given.r2 * penalties.r1(critic, x_fake)
    return slopes + given.wgan_gp * penalties.gradient_penalty(critic, x_real, x_fake, rng)


def _tension(plain: Any, params: Any, batch: Any) -> Float[Array, ""]:
    """Consensus optimisation: half the squared length of the gradient vector field (Mescheder et al. 2017)."""
    of_d = jax.grad(lambda psi: plain({**params, "d": {"psi": psi}}, batch)[0])(params["d"]["psi"])
    of_g = jax.grad(lambda theta: plain({**params, "g": {"theta": theta}}, batch)[1])(params["g"]["theta"])
    return 0.5 * (of_d**2 + of_g**2)
