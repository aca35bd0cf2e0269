"""What the recipes of BigGAN's family share: options, latents and statistics of samples, the orthogonal term."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import optax
from annotated_types import Ge
from flax import linen as nn
from jaxtyping import Array

from jaxgan.errors import UserError
from jaxgan.fields import Spec, classes
from jaxgan.game import Aux, LossFn, PlayerState, System, adam
from jaxgan.losses import adversarial, penalties
from jaxgan.nets.big_layers import Init
from jaxgan.nets.biggan import Layout, multiples, sides
from jaxgan.nets.dcgan import pyramid
from jaxgan.recipes.common.base import AtLeastZero, Decay, LatentConfig, Momentum, check
from jaxgan.recipes.common.latents import normal_latents, standing, truncated_latents
from jaxgan.recipes.common.objectives import objectives
from jaxgan.recipes.common.wiring import Wires, latent_game, take_turns

SCRIPT: dict[str, Any] = {"batch_size": 2048, "accumulate": 8, "g_learning_rate": 1e-4, "d_learning_rate": 4e-4}
SCRIPT |= {"steps": 150_000, "ema_halflife_kimg": 14_195.0, "layout": "published", "attention": (64,)}
"""Settings of the public code for ImageNet, which its networks share."""
_OWN = ("shared",)  # parameters of G that the orthogonal term leaves alone: the classes' vectors


@dataclass(frozen=True, kw_only=True)
class BigConfig(LatentConfig):
    """Options of the family."""

    z_dim: int = 120
    beta1: Momentum = 0.0
    """Adam's decay of the first moment, for both players."""
    beta2: Decay = 0.999
    """Adam's decay of the second moment, for both players."""
    adam_epsilon: float = 1e-6
    """Added to the root of Adam's second moment."""
    n_critic: int = 1
    """Moves of D for each move of G, each on other images and noise."""
    labels: Literal["used", "ignored"] = "used"
    """Whether the networks are told the class of each image, where the data have any."""
    begin: Init = "orthogonal"
    """How kernels begin."""
    layout: Layout = "doubling"
    """Channels of the blocks: twice as many with each step away from the image, or the papers' tables."""
    attention: tuple[Annotated[int, Ge(0)], ...] | None = None
    """Shorter sides of the features behind which self-attention stands; None: half the image's; 0: nowhere."""
    d_attention: tuple[Annotated[int, Ge(0)], ...] | None = None
    """The same of the discriminator; None: as the generator."""
    spectral_epsilon: float = 1e-6
    """Singular values by which kernels are divided are at least this."""
    orthogonal: AtLeastZero = 0.0
    """Weight of the term that holds the generator's filters at right angles, 1e-4 in BigGAN's paper; 0: none."""
    truncation: AtLeastZero = 0.0
    """Samples are made of latent numbers that are at most this large, drawn anew where they are not; 0: of any."""
    standing: Annotated[int, Ge(0)] = 256
    """Latent vectors from which the averaged generator takes its batch statistics; 0: it has those of the last one."""


def conditional(config: BigConfig, spec: Spec) -> bool:
    """Whether the game has classes; a UserError for options that are impossible."""
    check(config)
    height, width, _ = spec["image"].fixed
    multiples(config.layout, pyramid(height, width)[1])  # refuses sizes of which there is no network
    for name in ("attention", "d_attention"):
        up, down = sides(config.layout, height, width)
        known = sorted({*up, *down})
        if wrong := set(getattr(config, name) or ()) - {0, *known}:
            raise UserError(
                f"--{name.replace('_', '-')} takes sides of features, which are {', '.join(map(str, known))} here, or "
                f"0 for none, got {min(wrong)}."
            )
    return "label" in spec and config.labels == "used"


def shared(config: BigConfig, spec: Spec) -> dict[str, Any]:
    """What both networks are told."""
    return {
        "layout": config.layout,
        "begin": config.begin,
        "classes": classes(spec) if conditional(config, spec) else 0,
        "epsilon": config.spectral_epsilon,
    }


def attended(config: BigConfig, spec: Spec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sides of the features behind which G and D have attention."""
    half = min(spec["image"].fixed[:2]) // 2
    g = (half,) if config.attention is None else config.attention
    return g, g if config.d_attention is None else config.d_attention


def as_sampled(config: BigConfig, spec: Spec, G: nn.Module) -> dict[str, Any]:
    """What `wire` takes for samples: truncated latents, and standing statistics of such latents, classes in turn."""
    size = config.z_dim
    latents = truncated_latents(size, config.truncation) if config.truncation else normal_latents(size)
    count = classes(spec) if conditional(config, spec) else 0

    def settled(player: PlayerState) -> PlayerState:
        z = latents[1](jax.random.split(jax.random.key(0), config.standing))["z"]
        label = {"label": jax.numpy.arange(config.standing) % count} if count else {}
        return standing(G, player, z, **label)

    return {"latents": latents, "settled": settled if config.standing else None}


def hinge_game(config: BigConfig, wires: Wires, axis_name: str | None) -> System:
    """D and G in turn by the hinge, with the orthogonal term in G's loss."""
    d_loss, g_loss = objectives(wires.judge, adversarial.hinge)
    if config.orthogonal:
        g_loss = with_orthogonal(g_loss, config.orthogonal)
    rounds = take_turns(wires.play, d_loss, g_loss, config.n_critic)
    return latent_game(config, wires, rounds, axis_name, optimizers=_adams(config))


def with_orthogonal(g_loss: LossFn, weight: float) -> LossFn:
    """The loss, and `weight` times |W^T W o (1 - I)|^2 of all kernels of G but the classes' vectors.

    Equation 3 of Brock et al. 2019, arXiv:1809.11096, of kernels as they are before spectral normalisation. The
    public PyTorch code adds half of this term's gradient.
    """

    def loss(params: Any, vars: Any, x_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        value, aux = g_loss(params, vars, x_fake, batch, rng)
        own = {name: tree for name, tree in params["g"].items() if name not in _OWN}
        term = penalties.orthogonal(own, diagonal=False)
        return value + weight * term, aux._replace(metrics={**aux.metrics, "orthogonal": term})

    return loss


def _adams(config: BigConfig) -> dict[str, optax.GradientTransformation]:
    rates = {"g": config.g_learning_rate, "d": config.d_learning_rate}
    return {name: adam(rate, config.beta1, config.beta2, config.adam_epsilon) for name, rate in rates.items()}
