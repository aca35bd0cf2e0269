"""The stabiliser's toolbox as options: any game, penalty and cure on the networks of a recipe."""

from dataclasses import dataclass
from typing import Any, Literal

import optax
from flax import linen as nn
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError, flag
from jaxgan.fields import Spec
from jaxgan.game import Aux, Duel, Move, Round, System, adam, make_extragradient_step, make_train_step, optimistic
from jaxgan.game.schedules import cosine
from jaxgan.losses import adversarial, penalties
from jaxgan.losses.penalties import Critic
from jaxgan.recipes.common.base import LatentConfig, check
from jaxgan.recipes.common.doubts import warn_of_a_free_slope, warn_of_accumulation
from jaxgan.recipes.common.wiring import Penalty, Wires, latent_game, objectives, punish, take_turns, wire


@dataclass(frozen=True, kw_only=True)
class ToolboxConfig(LatentConfig):
    """Which game is played, and what keeps it stable; by default nothing but the recipe."""

    loss: adversarial.Name = "non_saturating"
    """The game: a base, or its relativistic average (ra) or pairing (rp)."""
    penalty: Literal["none", "r1", "r2", "r1_r2", "gradient_penalty", "dragan"] = "none"
    """What holds the slope of D: flat at real images, at fakes, at both; or one, between them or around real images."""
    penalty_weight: float = 10.0
    """Weight of the penalty at the start: gamma, or lambda."""
    penalty_weight_end: float | None = None
    """Its weight after the last step, reached along half a cosine; None: constant."""
    penalty_every: int = 1
    """Steps between moves that see the penalty (lazy regularisation); its mean effect stays."""
    n_critic: int = 1
    """Moves of D for each move of G, each on other images and noise."""
    rate_end: float = 1.0
    """Both learning rates after the last step, as a share of those at the start, along half a cosine; 1: constant."""
    schedule_steps: int | None = None
    """Steps after which rates, the penalty's weight and the top share are at their ends; None: the run's --steps."""
    updates: Literal["alternating", "simultaneous", "optimistic", "extragradient"] = "alternating"
    """D before G; both at once; the same by twice the new step less the last; or by the gradient one step ahead."""
    label_smoothing: float = 0.0
    """How far D's target for real images lies below 1 (non_saturating only)."""
    label_noise: float = 0.0
    """Probability that a label which D sees is wrong."""
    top_k: float = 1.0
    """Share of the fakes that G learns from, those that look most real, after the last step; 1: all."""
    packing: int = 1
    """Images that D judges together (PacGAN)."""


def stabilised(
    config: ToolboxConfig, spec: Spec, G: nn.Module, D: nn.Module, axis_name: str | None, conditional: bool = False
) -> System:
    """The game of `config` between two networks, as for `wire`.

    Raises:
        UserError: impossible numbers, or options that exclude each other.
    """
    check_toolbox(config, conditional)
    if "wasserstein" in config.loss and config.penalty == "none":
        warn_of_a_free_slope(config.loss)
    averages, dragan = config.loss.startswith("ra_"), config.penalty == "dragan"
    warn_of_accumulation(config, {"loss": averages, "top_k": config.top_k < 1, "penalty": dragan})
    wires = wire(config, spec, G, D, conditional, config.packing)
    penalty, lazily = _penalty(config, axis_name), config.penalty_every > 1
    d_loss, g_loss = objectives(
        wires.judge,
        _game(config, axis_name),
        None if lazily else penalty,
        label_noise=config.label_noise,
        top_k=cosine(1.0, config.top_k, _length(config)) if config.top_k < 1 else None,
        packing=config.packing,
        axis_name=axis_name,
    )
    rounds = take_turns(wires.play, d_loss, g_loss, config.n_critic)
    if config.updates != "alternating":
        rounds = tuple(round_._replace(simultaneous=True) for round_ in rounds)
    if penalty and lazily:
        rounds = (*rounds, _lazy_round(config, wires, penalty))
    return latent_game(
        config,
        wires,
        rounds,
        axis_name,
        optimizers=_optimizers(config),
        duels=(Duel(critic="distance" if "wasserstein" in config.loss else "odds"),),
        make_step=make_extragradient_step if config.updates == "extragradient" else make_train_step,
    )


def check_toolbox(config: ToolboxConfig, conditional: bool = False) -> None:
    """Raise a UserError for numbers that are impossible and for options that exclude each other."""
    check(config)
    for name, most in (("label_noise", 0.5), ("label_smoothing", 0.5), ("top_k", 1.0)):
        if getattr(config, name) > most:
            raise UserError(f"{flag(name)} must be at most {most}, got {getattr(config, name)}.")
    if config.label_smoothing and config.loss != "non_saturating":
        raise UserError(f"--label-smoothing softens the labels of --loss non_saturating, got --loss {config.loss}.")
    if config.packing > 1 and conditional:
        raise UserError("--packing joins images of several classes, so a conditional recipe takes 1.")
    if config.batch_size % (config.packing * config.accumulate):
        parts = f" times --accumulate {config.accumulate}" if config.accumulate > 1 else ""
        raise UserError(
            f"--batch-size must be a multiple of --packing {config.packing}{parts}, got {config.batch_size}."
        )
    if config.packing > 1 and config.top_k < 1:
        raise UserError("--top-k chooses among single fakes, which --packing above 1 does not show.")
    if config.top_k < 1 and config.loss.startswith("ra_"):
        raise UserError(
            f"--top-k chooses among single fakes, which --loss {config.loss} weighs against all the others."
        )
    if config.updates == "optimistic" and config.penalty_every > 1:
        raise UserError(
            "--updates optimistic repeats D's last move, which must not be that of a --penalty-every above 1."
        )
    for name in ("penalty_weight", "penalty_weight_end", "penalty_every"):
        if config.penalty == "none" and getattr(config, name) != getattr(ToolboxConfig, name):
            raise UserError(f"{flag(name)} takes a --penalty, got none.")
    if config.updates != "alternating" and config.n_critic > 1:
        raise UserError(f"--updates {config.updates} moves both players at once, so --n-critic takes 1.")


def _length(config: ToolboxConfig) -> int:
    """Steps that schedules take."""
    return config.schedule_steps or config.steps


def _game(config: ToolboxConfig, axis_name: str | None) -> adversarial.AdversarialLoss:
    if config.label_smoothing:
        return adversarial.smoothed(1.0 - config.label_smoothing)
    return adversarial.named(config.loss, axis_name)


def _penalty(config: ToolboxConfig, axis_name: str | None) -> Penalty | None:
    if config.penalty == "none":
        return None
    start, end = config.penalty_weight, config.penalty_weight_end
    weight = cosine(start, start if end is None else end, _length(config))

    def penalty(critic: Critic, x_real: Array, x_fake: Array, rng: Key[Array, " b"], step: Array) -> Float[Array, " b"]:
        match config.penalty:
            case "r1":
                value = penalties.r1(critic, x_real)
            case "r2":
                value = penalties.r1(critic, x_fake)
            case "r1_r2":
                value = penalties.r1(critic, x_real) + penalties.r1(critic, x_fake)
            case "gradient_penalty":
                value = penalties.gradient_penalty(critic, x_real, x_fake, rng)
            case _:
                value = penalties.dragan(critic, x_real, rng, axis_name=axis_name)
        return weight(step) * value

    return penalty


def _lazy_round(config: ToolboxConfig, wires: Wires, penalty: Penalty) -> Round:
    """A move of D against the penalty alone, every few steps."""
    value = punish(wires.judge, penalty, config.packing)

    def loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        return value(params, vars, x_fake, batch, rng), Aux()

    return Round(play=wires.play, moves=(Move("d", loss, name="penalty"),), every=config.penalty_every)


def _optimizers(config: ToolboxConfig) -> dict[str, optax.GradientTransformation]:
    lazy = config.penalty_every if config.penalty_every > 1 else None
    # Extragradient goes through the game twice in every step.
    passes = _length(config) * (2 if config.updates == "extragradient" else 1)

    def optimizer(rate: float, moves: int, lazy_every: int | None) -> optax.GradientTransformation:
        slowing = rate if config.rate_end == 1 else cosine(rate, config.rate_end * rate, passes)
        rule = adam(slowing, config.beta1, lazy_every=lazy_every, moves=moves)
        return optimistic(rule) if config.updates == "optimistic" else rule

    return {
        "g": optimizer(config.g_learning_rate, 1, None),
        "d": optimizer(config.d_learning_rate, config.n_critic, lazy),
    }
