"""The stabiliser's toolbox as options: each function gives, or modifies, one visible part of a recipe's game.

A recipe checks its options, connects its networks, and asks for the loss, the penalty, what both players minimise, the
rounds, and how they are trained; `recipes.gan` is the shortest.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import optax
from annotated_types import Ge, Le
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError, flag
from jaxgan.game import Duel, LossFn, Move, PlayFn, Round, adam, make_extragradient_step, make_train_step, optimistic
from jaxgan.game.schedules import cosine
from jaxgan.losses import adversarial, penalties
from jaxgan.losses.adversarial import AdversarialLoss
from jaxgan.losses.penalties import Critic
from jaxgan.options import check_fields
from jaxgan.recipes.common import modifiers
from jaxgan.recipes.common.base import AtLeastZero, LatentConfig
from jaxgan.recipes.common.doubts import warn_of_doubts
from jaxgan.recipes.common.objectives import Penalty, objectives, penalised
from jaxgan.recipes.common.wiring import Judge, take_turns


@dataclass(frozen=True, kw_only=True)
class ToolboxConfig(LatentConfig):
    """Which game is played, and what keeps it stable; by default nothing but the recipe."""

    loss: adversarial.Name = "non_saturating"
    """The game: a base, or its relativistic average (ra) or pairing (rp)."""
    penalty: Literal["none", "r1", "r2", "r1_r2", "gradient_penalty", "dragan"] = "none"
    """What holds the slope of D: flat at real images, at fakes, at both; or one, between them or around real images."""
    penalty_weight: float = 10.0
    """Weight of the penalty at the start: gamma, or lambda."""
    penalty_weight_end: AtLeastZero | None = None
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
    """D, then G; both at once; steps 2 u_t - u_(t-1), both at once; or the gradient after a look-ahead step."""
    label_smoothing: Annotated[float, Ge(0), Le(0.5)] = 0.0
    """How far D's target for real images lies below 1 (non_saturating only)."""
    label_noise: Annotated[float, Ge(0), Le(0.5)] = 0.0
    """Probability that a label which D sees is wrong."""
    top_k: Annotated[float, Le(1.0)] = 1.0
    """Share of the fakes that G learns from, those that look most real, after the last step; 1: all."""
    packing: int = 1
    """Images that D judges together (PacGAN)."""
    critics: int = 1
    """Discriminators, each with its own loss; G minimises their mean, weighted by softmax(loss) (GMAN)."""
    unroll: Annotated[int, Ge(0)] = 0
    """Steps of D, by Adam at its rate, that G looks ahead (unrolled GAN); 0: none."""


def loss(config: ToolboxConfig, axis_name: str | None) -> AdversarialLoss:
    """The game's two objectives, of logits."""
    if config.label_smoothing:
        return adversarial.smoothed(1.0 - config.label_smoothing)
    return adversarial.named(config.loss, axis_name)


def penalty(config: ToolboxConfig, axis_name: str | None) -> Penalty | None:
    """The weighted penalty on D's slope, for `objectives`; None for none."""
    if config.penalty == "none":
        return None
    start, end = config.penalty_weight, config.penalty_weight_end
    weight = cosine(start, start if end is None else end, _length(config))

    def weighted(
        critic: Critic, x_real: Array, x_fake: Array, rng: Key[Array, " b"], step: Array
    ) -> Float[Array, " b"]:
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

    return weighted


def losses(
    config: ToolboxConfig, judge: Judge, loss: AdversarialLoss, penalty: Penalty | None, axis_name: str | None
) -> tuple[LossFn, LossFn, LossFn | None]:
    """What D minimises, what G minimises, and the penalty where D pays it in moves of its own, now and then.

    By default the first two are `objectives(judge, loss, penalty)`.
    """
    top_k = cosine(1.0, config.top_k, _length(config)) if config.top_k < 1 else None
    noise, lazily = config.label_noise, penalty is not None and config.penalty_every > 1
    judges = modifiers.judges_of(judge, config.critics)
    now = None if lazily else penalty
    pairs = [objectives(one, loss, now, label_noise=noise, top_k=top_k, axis_name=axis_name) for one in judges]
    d_loss = modifiers.packed(modifiers.together([d for d, _ in pairs]), config.packing)
    g_loss = modifiers.packed(modifiers.against([g for _, g in pairs], axis_name), config.packing)
    # The slope of Adam's root must stay finite where a gradient is 0.
    answering = optax.adam(config.d_learning_rate, config.beta1, eps_root=1e-8)
    g_loss = modifiers.unrolled(d_loss, g_loss, config.unroll, answering, axis_name)
    if penalty is None or not lazily:
        return d_loss, g_loss, None
    alone = modifiers.together([penalised(one, penalty) for one in judges])
    return d_loss, g_loss, modifiers.packed(alone, config.packing)


def rounds(
    config: ToolboxConfig, play: PlayFn, d_loss: LossFn, g_loss: LossFn, lazy: LossFn | None
) -> tuple[Round, ...]:
    """D and G in turn or at once; every few steps a move of D against the penalty alone, if it is `lazy`."""
    turns = take_turns(play, d_loss, g_loss, config.n_critic)
    if config.updates != "alternating":
        turns = tuple(turn._replace(simultaneous=True) for turn in turns)
    if lazy is None:
        return turns
    return (*turns, Round(play=play, moves=(Move("d", lazy, name="penalty"),), every=config.penalty_every))


def training(config: ToolboxConfig) -> dict[str, Any]:
    """How the players are trained: what `latent_game` takes beside the game."""
    return {
        "optimizers": optimizers(config),
        "duels": (Duel(critic="distance" if "wasserstein" in config.loss else "odds"),),
        "make_step": make_extragradient_step if config.updates == "extragradient" else make_train_step,
    }


def optimizers(config: ToolboxConfig) -> dict[str, optax.GradientTransformation]:
    """Adam for both players, with falling rates, lazy moves and optimism as the configuration has them."""
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


def _length(config: ToolboxConfig) -> int:
    """Steps that schedules take."""
    return config.schedule_steps or config.steps


def check(config: ToolboxConfig, conditional: bool = False) -> None:
    """Raise a UserError for impossible numbers and for options that exclude each other; warn of doubtful ones."""
    check_fields(config)
    if config.label_smoothing and config.loss != "non_saturating":
        raise UserError(f"--label-smoothing softens the labels of --loss non_saturating, got --loss {config.loss}.")
    if config.packing > 1 and conditional:
        raise UserError("--packing joins images of several classes, so a conditional recipe takes 1.")
    _check_batch(config)
    if config.packing > 1 and config.augment != "none":
        raise UserError("--augment changes single pictures, which --packing above 1 does not show.")
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
    if config.unroll and config.accumulate > 1:
        raise UserError("--unroll looks ahead at D's steps on whole batches, so --accumulate takes 1.")
    if config.unroll and config.penalty_every > 1:
        raise UserError("--unroll looks ahead at D's loss, from which --penalty-every above 1 takes the penalty.")
    warn_of_doubts(config)


def _check_batch(config: ToolboxConfig) -> None:
    cuts = [(name, getattr(config, name)) for name in ("packing", "accumulate") if getattr(config, name) > 1]
    if config.batch_size % math.prod(number for _, number in cuts):
        parts = " times ".join(f"{flag(name)} {number}" for name, number in cuts)
        raise UserError(f"--batch-size must be a multiple of {parts}, got {config.batch_size}.")
