"""StyleGAN2: a style for each layer, kernels modulated by it, and two regularisers that are paid now and then.

Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN, arXiv:1912.04958. With f(t) = softplus(-t)

    D minimises E[f(D(x)) + f(-D(G(z)))],  every 16th step also  16 gamma / 2 E|grad D(x)|^2                (R1)
    G minimises E[f(D(G(z)))],  every 4th step also  4 * 2 E(|J^T y| - a)^2                     (equation 4)

J being the Jacobian of an image by its styles, y an image of noise and a the moving mean of the lengths |J^T y|: steps
of one length in w then change images by one amount. In nine of ten images the later layers have the styles of another
latent vector (mixing; Karras et al. 2019, arXiv:1812.04948, section 3.1). Adam's rate and decays make up for the
further moves (appendix B). With `--labels used` both networks are conditional as in ADA (arXiv:2006.06676).
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le

from jaxgan.fields import IMAGES, Spec, classes
from jaxgan.game import Move, Round, System, adam, dtype_of
from jaxgan.losses import adversarial
from jaxgan.losses.penalties import r1
from jaxgan.nets.stylegan2 import Architecture, StyleGAN2Generator
from jaxgan.nets.stylegan2_critic import StyleGAN2Discriminator
from jaxgan.recipes.common.base import AtLeastZero, Decay, LatentConfig, Momentum, check, require_labels
from jaxgan.recipes.common.cures import R3GAN, cures_of
from jaxgan.recipes.common.objectives import objectives, penalised
from jaxgan.recipes.common.styles import SHOWS, Styles, style_verbs
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """Settings of ADA's `auto`, with networks sized for small images on two cores."""

    steps: int = 2_000
    batch_size: int = 32
    """Images per step, over all devices."""
    z_dim: int = 64
    """Size of the latent vector; 512 in the papers."""
    w_dim: int = 64
    """Size of a style; 512 in the papers."""
    g_learning_rate: float = 2.5e-3
    """Adam's rate for the generator; the mapping has a hundredth of it."""
    d_learning_rate: float = 2.5e-3
    """Adam's rate for the discriminator."""
    beta1: Momentum = 0.0
    """Adam's decay of the first moment, for both players."""
    beta2: Decay = 0.99
    """Adam's decay of the second moment, for both players."""
    labels: Literal["ignored", "used"] = "ignored"
    """Whether the networks are told the class of each image."""
    mapping_layers: int = 2
    """Dense layers from latent vectors to styles; 8 in the paper."""
    channel_base: int = 512
    """Channels times pixels of a side, but for the largest levels; 32768 in the paper."""
    channel_max: int = 64
    """Most channels of a level; 512 in the paper."""
    g_architecture: Architecture = "skip"
    """How levels reach pixels: all of them, by sums; each added to its input; the last one alone."""
    d_architecture: Architecture = "resnet"
    """Levels of D: each sees the image too; each is added to its input; neither."""
    group_size: int = 4
    """Images whose standard deviation D is told."""
    r1_gamma: AtLeastZero | None = 0.1
    """Weight gamma of R1; 0: none; None: 0.0002 times the pixels of an image over the batch size, ADA's rule."""
    r1_every: int = 16
    """Steps between those that see R1; its mean effect stays."""
    path_weight: AtLeastZero = 2.0
    """Weight of the path length's spread; 0: none."""
    path_every: int = 4
    """Steps between those that see the path length; its mean effect stays."""
    mixing: Annotated[float, Ge(0), Le(1)] = 0.9
    """Share of the fakes whose later layers have the styles of another latent vector."""
    truncation: AtLeastZero = 1.0
    """How far styles of samples are from their mean, against how far they are in training; 0.7: clearer, more alike."""


_LARGE: dict[str, Any] = {"z_dim": 512, "w_dim": 512, "channel_max": 512}
_CIFAR: dict[str, Any] = {
    "augment": "ada",
    "batch_size": 64,
    "steps": 1_562_500,
    "r1_gamma": 0.01,
    "group_size": 32,
    "ema_halflife_kimg": 500.0,
}
PRESETS: dict[str, Config] = {
    "paper": Config(
        **_LARGE,
        steps=781_250,
        g_learning_rate=2e-3,
        d_learning_rate=2e-3,
        mapping_layers=8,
        channel_base=32_768,
        r1_gamma=10.0,
        ema_rampup=0.0,
    ),
    "auto": Config(**_LARGE, steps=781_250, channel_base=16_384, r1_gamma=None, augment="ada"),
    "cifar": Config(**_LARGE, **_CIFAR, channel_base=32_768, path_weight=0.0, mixing=0.0, d_architecture="orig"),
}
"""Settings of the authors' runs (`--preset NAME`): configuration F, and ADA's `auto` (for images below 512 pixels, on
one device) and `cifar`. None of them was run here.
"""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`."""
    check(config)
    conditional = config.labels == "used"
    if conditional:
        require_labels(spec, "stylegan2 --labels used")
    G, D = _networks(config, spec, conditional)
    styles = Styles(G, config.z_dim, config.mixing, conditional, config.remat)
    wires = wire(config, spec, G, D, conditional)
    wires = wires._replace(play=styles.play, verbs={**wires.verbs, **style_verbs(styles, spec)})
    d_loss, g_loss = objectives(wires.judge, adversarial.non_saturating_gan)
    lazy, extras = [], {}
    gamma = _gamma(config, spec)
    if gamma:
        slope = penalised(wires.judge, lambda critic, x_real, *_: gamma * r1(critic, x_real))
        lazy.append(Round(moves=(Move("d", slope, name="r1"),), every=config.r1_every))
    if config.path_weight:
        paths = styles.path_loss(config.path_weight)
        lazy.append(Round(moves=(Move("g", paths, name="path"),), every=config.path_every))
        extras = Styles.first_extras()
    return latent_game(
        config,
        wires,
        (*take_turns(wires.play, d_loss, g_loss), *lazy),
        axis_name,
        optimizers={
            "g": adam(config.g_learning_rate, config.beta1, config.beta2, lazy_every=_every(config, "path")),
            "d": adam(config.d_learning_rate, config.beta1, config.beta2, lazy_every=_every(config, "r1", gamma)),
        },
        shows=SHOWS,
        extras=extras,
        cures=cures_of(config, conditional, without=(R3GAN,)),
    )


def _every(config: Config, name: Literal["path", "r1"], gamma: float = 0.0) -> int | None:
    """For `adam`: how many steps apart the player's further moves are, if it makes any."""
    if name == "path":
        return config.path_every if config.path_weight else None
    return config.r1_every if gamma else None


def _gamma(config: Config, spec: Spec) -> float:
    height, width, _ = spec["image"].fixed
    return 0.0002 * height * width / config.batch_size if config.r1_gamma is None else config.r1_gamma


def _networks(config: Config, spec: Spec, conditional: bool) -> tuple[StyleGAN2Generator, StyleGAN2Discriminator]:
    shared: dict[str, Any] = {
        "channel_base": config.channel_base,
        "channel_max": config.channel_max,
        "classes": classes(spec) if conditional else 0,
        "dtype": dtype_of(config.precision),
    }
    form: dict[str, Any] = {"architecture": config.g_architecture, "psi": config.truncation}
    G = StyleGAN2Generator(spec["image"].fixed, config.w_dim, config.mapping_layers, **form, **shared)
    return G, StyleGAN2Discriminator(architecture=config.d_architecture, group_size=config.group_size, **shared)
