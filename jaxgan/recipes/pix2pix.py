"""pix2pix: a translator of pictures learns from pairs, and from a discriminator that sees both (Isola et al. 2017).

Image-to-Image Translation with Conditional Adversarial Networks, arXiv:1611.07004. With a source x and its target y

    D minimises (bce(D(x, y), 1) + bce(D(x, G(x)), 0)) / 2
    G minimises bce(D(x, G(x)), 1) + lambda E|y - G(x)|                                  (equation 4, lambda = 100)

D is a PatchGAN: it judges patches, so that the L1 term is left to get the large shapes right (section 3.2.2). G is a
U-Net, and dropout inside it is its only noise (section 3.1). `--l1-weight 100 --gan-weight 0` is L1 training alone, the
paper's baseline, which blurs.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
from annotated_types import Ge
from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs, Spec, any_size, as_planes, image, only, planes
from jaxgan.game import Aux, GameState, LossFn, System, Verb, dtype_of, variables
from jaxgan.losses import adversarial
from jaxgan.nets.patch import PatchDiscriminator, patches
from jaxgan.nets.unet import ResNetTranslator, UNet, depth_for
from jaxgan.recipes.common.base import AtLeastZero, FallingConfig, check, falling_adam, system_of
from jaxgan.recipes.common.imports import About, Imports, Part, agreed, patch_options, translator_options
from jaxgan.recipes.common.wiring import as_used, take_turns, trained
from jaxgan.weights.layouts.translation import DISCRIMINATORS, TRANSLATORS

NEEDS = Needs({"source": "image|mask|label_map", "target": "image"})
DATA = "fashion_outlines"


@dataclass(frozen=True, kw_only=True)
class Config(FallingConfig):
    """Settings of the paper, with networks and a batch sized for small pictures on two cores."""

    steps: int = 2_000
    batch_size: int = 16
    """Pairs per step, over all devices."""
    ema_halflife_kimg: AtLeastZero = 2.0
    """Half-life of the averaged generator, in thousands of pairs; 0 for no average, as in the paper."""
    network: Literal["unet", "resnet"] = "unet"
    """A U-Net, or CycleGAN's residual network."""
    g_width: int = 24
    """Channels of the generator's first layer; the paper's networks have 64."""
    depth: int | None = None
    """Halvings of the U-Net, 8 in the paper; None: as many as the pictures allow."""
    blocks: int = 6
    """Residual blocks of --network resnet; 9 for pictures of 256 pixels."""
    norm: Literal["batch", "instance"] = "batch"
    """Normalisation in both networks."""
    dropout: AtLeastZero = 0.5
    """Share of the numbers that dropout sets to 0 in the decoder: the translator's only noise."""
    sample_noise: bool = False
    """Keep dropout when pictures are made, as the paper does; the same picture then has several translations."""
    d_width: int = 32
    """Channels of the discriminator's first layer; the paper's has 64."""
    d_layers: Annotated[int, Ge(0)] = 1
    """Halvings of the discriminator: 0, 1, 2, 3, 4 or 5 for patches of 1, 16, 34, 70, 142 or 286 pixels."""
    loss: Literal["non_saturating", "least_squares", "hinge"] = "non_saturating"
    """The game that the patches are judged by."""
    l1_weight: AtLeastZero = 100.0
    """Weight lambda of the mean absolute difference."""
    gan_weight: AtLeastZero = 1.0
    """Weight of the game in the generator's loss; 0 for L1 training alone."""


GAMES = {
    "non_saturating": adversarial.non_saturating_gan,
    "least_squares": adversarial.least_squares(0.0, 1.0, 1.0),
    "hinge": adversarial.hinge,
}


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    source, target = spec["source"], spec["target"]
    G, D = _networks(config, source, target, axis_name)
    generate, discriminate = trained(G, config.remat), trained(D, config.remat)

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        x = as_planes(source, batch["source"])
        y_fake, g_vars = generate(variables(params, vars, "g"), x, rng)
        return y_fake, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, batch: Any, y: Array) -> tuple[Array, Any]:
        """Logits of patches of a source and a picture that may be its translation."""
        return discriminate(variables(params, vars, "d"), jnp.concatenate([as_planes(source, batch["source"]), y], -1))

    d_loss, g_loss = _losses(config, judge)

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        x = jnp.zeros((1, *source.fixed[:2], planes(source)))
        both = jnp.zeros((1, *source.fixed[:2], planes(source) + planes(target)))
        return {"g": G.init(g_key, x, train=True), "d": D.init(d_key, both, train=True)}

    def translate(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        x, noise = as_planes(source, given["source"]), keys if config.sample_noise else None
        return {"target": as_used(G, state.players["g"], x, noise)}

    verb = Verb(translate, {"target": any_size(target)}, {"source": any_size(source)}, truth=("target",))
    optimizers = {name: falling_adam(config) for name in ("g", "d")}
    return system_of(
        config,
        only(spec, "source", "target"),
        take_turns(play, d_loss, g_loss),
        init_players,
        optimizers,
        verbs={"translate": verb},
        axis_name=axis_name,
    )


def _settled(about: About, side: int) -> tuple[dict[str, Any], Spec]:
    """Options and fields of networks from files."""
    if "g" not in about:
        raise UserError("a discriminator alone translates nothing; pix2pix takes the file of a generator too.")
    g, d = about["g"], about.get("d")
    if d and d["takes"] != g["takes"] + g["makes"]:
        both = f"{g['takes']} and {g['makes']}"
        raise UserError(f"the files do not fit each other: d takes {d['takes']} channels, g takes and makes {both}.")
    options = {"g": translator_options(g)} | ({"d": patch_options(d)} if d else {})
    # A U-Net's file does not tell; the public code trains with dropout.
    dropout = 0.5 if g.get("dropout", True) else 0.0
    return agreed(options) | {"dropout": dropout}, {
        "source": image(side, side, g["takes"]),
        "target": image(side, side, g["makes"]),
    }


IMPORTS = Imports({"g": Part("g", TRANSLATORS, ("G",)), "d": Part("d", DISCRIMINATORS, ("D",))}, _settled)


def _losses(config: Config, judge: Any) -> tuple[LossFn, LossFn]:
    game = GAMES[config.loss]

    def d_loss(params: Any, vars: Any, y_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_logits, d_vars = judge(params, vars, batch, batch["target"])
        fake_logits, d_vars = judge(params, {**vars, "d": {**vars["d"], **d_vars}}, batch, y_fake)
        board = adversarial.scoreboard(real_logits, fake_logits, game.boundary)
        return 0.5 * adversarial.mean(game.d(real_logits, fake_logits)), Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, y_fake: Array, batch: Any, rng: Array) -> tuple[Array, Aux]:
        l1 = jnp.abs(batch["target"] - y_fake).mean()
        fooled = adversarial.mean(game.g(judge(params, vars, batch, y_fake)[0]))
        return config.gan_weight * fooled + config.l1_weight * l1, Aux({"l1": l1})

    return d_loss, g_loss


def _networks(config: Config, source: Field, target: Field, axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    height, width = source.fixed[:2]
    if target.fixed[:2] != (height, width):
        raise UserError(
            f"a pair has one size, but source is {height}x{width} and target {target.fixed[0]}x{target.fixed[1]}."
        )
    patches(height, width, config.d_layers)
    shared: dict[str, Any] = {"norm": config.norm, "dtype": dtype_of(config.precision), "axis_name": axis_name}
    D = PatchDiscriminator(config.d_width, config.d_layers, **shared)
    if config.network == "resnet":
        return ResNetTranslator(planes(target), config.g_width, config.blocks, dropout=config.dropout, **shared), D
    depth = config.depth or depth_for(height, width)
    return UNet(planes(target), depth, config.g_width, dropout=config.dropout, **shared), D
