"""SNGAN: residual networks, a spectrally normalised discriminator, the hinge loss; with classes in four ways.

Miyato, Kataoka, Koyama and Yoshida 2018, Spectral Normalization for Generative Adversarial Networks, arXiv:1802.05957,
equations 8, 16 and 17:

    D minimises E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))],  G minimises -E[D(G(z))]

with every kernel of D divided by its largest singular value. `--condition projection` is Miyato and Koyama 2018
(cGANs with Projection Discriminator, arXiv:1802.05637), `auxiliary` AC-GAN (Odena et al. 2017, arXiv:1610.09585), and
`concat` joins the class to the image (Mirza and Osindero 2014); in G classes enter as `--g-norm` says. The paper's
networks for CIFAR-10 are `--layout constant --g-width 256 --d-width 128 --n-critic 5`, those for 128x128 images
`--g-width 64 --d-width 64 --n-critic 5`.
"""

from dataclasses import dataclass
from typing import Any

from flax import linen as nn
from jaxtyping import Array

from jaxgan.errors import UserError
from jaxgan.fields import IMAGES, Spec, classes
from jaxgan.game import Aux, LossFn, System, dtype_of
from jaxgan.losses import adversarial, information
from jaxgan.nets.resnet import Condition, GNorm, Layout, ResNetDiscriminator, ResNetGenerator
from jaxgan.recipes.common.base import Decay, LatentConfig, Momentum, adams, check, require_labels
from jaxgan.recipes.common.objectives import objectives, passes
from jaxgan.recipes.common.wiring import Judge, latent_game, take_turns, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The paper's optimiser, and networks sized for small images on two cores."""

    steps: int = 2_000
    z_dim: int = 128
    beta1: Momentum = 0.0
    """Adam's decay of the first moment, for both players."""
    beta2: Decay = 0.9
    """Adam's decay of the second moment, for both players."""
    n_critic: int = 1
    """Moves of D for each move of G, each on other images and noise; the paper's networks take 5."""
    condition: Condition = "none"
    """How D uses classes: not; inner product with features; second output that guesses them; channel of the image."""
    g_norm: GNorm | None = None
    """Gains and biases of G: per channel; per class; by a network of z; by z, per image; None: class, or batch."""
    class_weight: float = 1.0
    """Weight of AC-GAN's classification, for both players; the paper's is 1."""
    layout: Layout = "doubling"
    """Channels of the blocks: all the same (the paper's 32x32), or doubling away from the image (its 128x128)."""
    g_width: int = 16
    """Channels of the generator's last block."""
    d_width: int = 16
    """Channels of the discriminator's first block."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    _check(config, spec)
    conditional = config.condition != "none"
    G, D = _networks(config, spec, axis_name)
    wires = wire(config, spec, G, D, conditional)
    if config.condition == "auxiliary":
        d_loss, g_loss = auxiliary_losses(wires.judge, config.class_weight)
    else:
        d_loss, g_loss = objectives(wires.judge, adversarial.hinge)
    rounds = take_turns(wires.play, d_loss, g_loss, config.n_critic)
    return latent_game(config, wires, rounds, axis_name, optimizers=adams(config, config.beta2))


def auxiliary_losses(judge: Judge, weight: float) -> tuple[LossFn, LossFn]:
    """AC-GAN's losses: the hinge, and `weight` times the classification of real and fake images (fakes alone for G).

    Args:
        judge: from `wire`; D maps images to the pair of logits [b] and class logits [b, k].
        weight: of the classification in both losses; Odena et al. 2017 have 1.
    """
    game = adversarial.hinge

    def d_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_rng, fake_rng = passes(rng, 2)
        (real_logits, real_guess), d_vars = judge(params, vars, batch["image"], batch, real_rng)
        (fake_logits, fake_guess), d_vars = judge(params, {**vars, "d": d_vars}, x_fake, batch, fake_rng)
        classes = information.auxiliary_d(real_guess, fake_guess, batch["label"])
        board = adversarial.scoreboard(real_logits, fake_logits)
        board["class_accuracy"] = (real_guess.argmax(1) == batch["label"]).mean()
        return (game.d(real_logits, fake_logits) + weight * classes).mean(), Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        (fake_logits, fake_guess), _ = judge(params, vars, x_fake, batch, rng)
        classes = information.auxiliary_g(fake_guess, batch["label"])
        accuracy = (fake_guess.argmax(1) == batch["label"]).mean()
        return (game.g(fake_logits) + weight * classes).mean(), Aux({"fake_class_accuracy": accuracy})

    return d_loss, g_loss


def _networks(config: Config, spec: Spec, axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    conditional = config.condition != "none"
    norm = config.g_norm or ("conditional" if conditional else "batch")
    shared: dict[str, Any] = {
        "classes": classes(spec) if conditional else 0,
        "layout": config.layout,
        "dtype": dtype_of(config.precision),
    }
    G = ResNetGenerator(spec["image"].fixed, config.g_width, norm=norm, axis_name=axis_name, **shared)
    return G, ResNetDiscriminator(config.d_width, condition=config.condition, **shared)


def _check(config: Config, spec: Spec) -> None:
    check(config)
    if config.condition != "none":
        require_labels(spec, f"sngan --condition {config.condition}")
    elif config.g_norm == "conditional":
        raise UserError("--g-norm conditional takes a --condition (projection, auxiliary or concat), got none.")
    if config.condition != "auxiliary" and config.class_weight != Config.class_weight:
        raise UserError(f"--class-weight takes --condition auxiliary, got --condition {config.condition}.")
