"""R3GAN: pairs of real and fake images, two gradient penalties, residual networks without normalisation.

Huang, Gokaslan, Kuleshov and Tompkin 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline",
arXiv:2501.05441. With f(t) = softplus(-t) (equations 2 and 3)

    D minimises E[f(D(x) - D(G(z)))] + gamma / 2 (E|grad D(x)|^2 + E|grad D(G(z))|^2)
    G minimises E[f(D(G(z)) - D(x))]

at every step. The pairing leaves no basin in which the generator could drop modes, and the penalties R1 and R2 make the
game converge. Over a burn-in the rates, gamma and Adam's beta2 follow half a cosine: the game starts rough and agile,
and ends fine and slow. The paper also lets the half-life of the average grow with the burn-in; here it grows with the
images seen, as in every recipe. The paper's augmentation of small data sets is not part of this recipe.
"""

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxgan.fields import IMAGES, Spec, classes
from jaxgan.game import Aux, System, adam, dtype_of
from jaxgan.game.schedules import cosine
from jaxgan.losses import adversarial
from jaxgan.losses.penalties import Critic
from jaxgan.losses.reduce import example_sums
from jaxgan.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgan.recipes.common.base import Decay, LatentConfig, Momentum, check, require_labels
from jaxgan.recipes.common.cures import R3GAN, cures_of
from jaxgan.recipes.common.objectives import objectives, passes
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The paper's settings, with networks and a burn-in sized for small images on two cores."""

    steps: int = 3_000
    batch_size: int = 32
    """Images per step, over all devices."""
    g_learning_rate: float = 1e-3
    """Adam's rate for the generator at the start; narrow networks take more than the paper's 2e-4 of wide ones."""
    d_learning_rate: float = 1e-3
    """Adam's rate for the discriminator at the start."""
    z_dim: int = 64
    """Size of the latent vector."""
    beta1: Momentum = 0.0
    """Adam's decay of the first moment, for both players."""
    labels: Literal["ignored", "used"] = "ignored"
    """Whether the networks are told the class of each image."""
    width: int = 8
    """Channels at the full resolution."""
    growth: int = 4
    """How many times as many channels each stage of half the resolution has; the paper's networks have 2."""
    max_width: int = 128
    """Most channels of a stage."""
    blocks: int = 1
    """Residual blocks at each resolution."""
    group_size: int = 16
    """Channels of a group of the 3x3 convolutions."""
    burn_in: int = 2_000
    """Steps over which rates, gamma and beta2 go to their ends."""
    rate_end: float = 0.25
    """Both learning rates after the burn-in, as a share of those at the start."""
    gamma: float = 1.0
    """Weight of the penalties R1 and R2 at the start."""
    gamma_end: float = 0.1
    """Weight of the penalties after the burn-in."""
    beta2: Decay = 0.9
    """Adam's decay of the second moment at the start, for both players."""
    beta2_end: Decay = 0.99
    """Adam's decay of the second moment after the burn-in."""


_CONFIG_E: dict[str, Any] = {
    "growth": 2,
    "max_width": 768,
    "blocks": 2,
    "g_learning_rate": 2e-4,
    "d_learning_rate": 2e-4,
}
_CIFAR10 = {"labels": "used", "width": 768, "batch_size": 512, "burn_in": 39_062, "ema_halflife_kimg": 5_000.0}
_FFHQ = {"batch_size": 256, "burn_in": 78_125, "ema_halflife_kimg": 500.0}
PRESETS: dict[str, Config] = {
    "cifar10": Config(**{**_CONFIG_E, **_CIFAR10, "gamma": 0.05, "gamma_end": 0.005}),
    "ffhq64": Config(**{**_CONFIG_E, **_FFHQ, "width": 384, "gamma": 2.0, "gamma_end": 0.2}),
    "ffhq256": Config(**{**_CONFIG_E, **_FFHQ, "width": 96, "gamma": 150.0, "gamma_end": 15.0}),
}
"""Settings of the authors' runs (`--preset NAME`): config E, a burn-in of 20 million images.

Training goes on after the burn-in, for as many `steps` as are chosen.
"""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`."""
    conditional = _check(config, spec)
    shared: dict[str, Any] = {
        **{name: getattr(config, name) for name in ("width", "growth", "max_width", "blocks", "group_size")},
        "classes": classes(spec) if conditional else 0,
        "dtype": dtype_of(config.precision),
    }
    G, D = R3GANGenerator(spec["image"].fixed, **shared), R3GANDiscriminator(**shared)
    wires = wire(config, spec, G, D, conditional)
    gamma = cosine(config.gamma, config.gamma_end, config.burn_in)
    loss = adversarial.relativistic_pairing(adversarial.non_saturating_gan)

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        # Real and fake images in turn: one batch after the other would move images between devices.
        x = jnp.stack([batch["image"], x_fake.astype(batch["image"].dtype)], 1)
        given = {"label": jnp.repeat(batch["label"], 2)} if conditional else {}
        keys = jnp.stack(passes(rng, 2), 1).reshape(-1)
        critic = lambda x: wires.judge(params, vars, x, given, keys)[0]  # noqa: E731
        logits, slopes = _logits_and_r1(critic, x.reshape(-1, *x.shape[2:]))
        real_logits, fake_logits = logits.reshape(-1, 2).T
        r1, r2 = slopes.reshape(-1, 2).mean(0)
        penalty = gamma(vars["step"]) * (r1 + r2)
        board = adversarial.scoreboard(real_logits, fake_logits, loss.boundary)
        metrics = {**board, "penalty": penalty, "r1": r1, "r2": r2}
        return adversarial.mean(loss.d(real_logits, fake_logits)) + penalty, Aux(metrics)

    _, g_loss = objectives(wires.judge, loss)
    rounds = take_turns(wires.play, d_loss, g_loss)
    optimizers = {"g": _optimizer(config, config.g_learning_rate), "d": _optimizer(config, config.d_learning_rate)}
    cures = cures_of(config, conditional, without=(R3GAN,))
    return latent_game(config, wires, rounds, axis_name, optimizers=optimizers, cures=cures)


def _optimizer(config: Config, rate: float) -> optax.GradientTransformation:
    beta2 = cosine(config.beta2, config.beta2_end, config.burn_in)
    return adam(cosine(rate, config.rate_end * rate, config.burn_in), config.beta1, beta2)


def _logits_and_r1(critic: Critic, x: Float[Array, "b *s"]) -> tuple[Float[Array, " b"], Float[Array, " b"]]:
    """D(x), and `penalties.r1` without a second pass of D for its slopes."""
    logits, pull_back = jax.vjp(critic, x)
    (slopes,) = pull_back(jnp.ones_like(logits))
    return logits, 0.5 * example_sums(jnp.square(slopes))


def _check(config: Config, spec: Spec) -> bool:
    """Whether the game is conditional; a UserError for settings that are impossible."""
    check(config)
    conditional = config.labels == "used"
    if conditional:
        require_labels(spec, "r3gan --labels used")
    return conditional
