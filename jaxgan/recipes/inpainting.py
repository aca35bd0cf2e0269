"""Inpainting: a network with gated convolutions fills holes of any form (Yu et al. 2019).

Free-Form Image Inpainting with Gated Convolution, arXiv:1806.03589. Of a picture x with a hole m, two passes make a
rough answer a(x, m) and a refined one b(x, m); the completed picture y is x where it is known and b in the hole.

    G minimises lambda (E|x - a| + E|x - b|) - E D(y, m)
    D minimises (E max(0, 1 - D(x, m)) + E max(0, 1 + D(y, m))) / 2                              (section 3.3)

Holes are drawn anew in each step. `translate` fills the hole of a mask that is given, which may be an object to be
taken away, and `fill` holes that it draws; both leave what is known as it is, bit for bit.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from annotated_types import Ge
from jaxtyping import Array, Float, Key

from jaxgan.fields import Field, Needs, Spec, any_size, only
from jaxgan.game import Aux, GameState, LossFn, Show, System, Verb, adam, dtype_of, variables
from jaxgan.losses import adversarial
from jaxgan.made.holes import Holes, holes
from jaxgan.nets.inpaint import GatedInpainter, PatchCritic
from jaxgan.recipes.common.base import AtLeastZero, Momentum, RecipeConfig, check, system_of
from jaxgan.recipes.common.wiring import as_used, take_turns, trained

NEEDS = Needs({"image": "image"})


@dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    """The paper's networks and losses, sized for small pictures on two cores."""

    steps: int = 2_000
    batch_size: int = 16
    """Pictures per step, over all devices."""
    ema_halflife_kimg: AtLeastZero = 2.0
    """Half-life of the averaged generator, in thousands of pictures; 0 for no average, as in the paper."""
    holes: Holes = "both"
    """Boxes of half the sides, brush strokes, or both; or the middle half of the sides."""
    g_width: Annotated[int, Ge(2)] = 12
    """Channels of the generator's first layer; the paper's has 24."""
    dilations: tuple[int, ...] = (2, 4)
    """Distances between the weights of the layers that see far, in quarters of the size; the paper's are 2 4 8 16."""
    attention: bool = False
    """Fill from similar places too; memory grows with the fourth power of a picture's side."""
    d_width: int = 32
    """Channels of the discriminator's first layer; the paper's has 64."""
    d_layers: int = 3
    """Halvings of the discriminator; 6 in the paper, for pictures of 256 pixels."""
    l1_weight: AtLeastZero = 10.0
    """Weight of the mean absolute differences; 1 in the paper."""
    gan_weight: AtLeastZero = 1.0
    """Weight of the game in the generator's loss; 0 for L1 training alone."""
    learning_rate: float = 4e-4
    """Adam's rate, for both players; 1e-4 in the paper."""
    beta1: Momentum = 0.5
    """Adam's decay of the first moment, for both players."""


PRESETS: dict[str, Config] = {
    "paper": Config(
        ema_halflife_kimg=0.0,
        g_width=24,
        dilations=(2, 4, 8, 16),
        attention=True,
        d_width=64,
        d_layers=6,
        l1_weight=1.0,
        learning_rate=1e-4,
    )
}
"""Settings of the paper for pictures of 256 pixels (`--preset NAME`); `steps` are as many as are chosen."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`."""
    check(config)
    image, dtype = spec["image"], dtype_of(config.precision)
    height, width, channels = image.fixed
    mask = Field("mask", (height, width, 1))
    G = GatedInpainter(channels, config.g_width, config.dilations, config.attention, dtype)
    D = PatchCritic(config.d_width, config.d_layers, dtype)
    generate, discriminate = trained(G, config.remat), trained(D, config.remat)

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[dict[str, Array], Aux]:
        x, hole = batch["image"], holes(rng, height, width, config.holes)
        (rough, fine), g_vars = generate(variables(params, vars, "g"), x, hole)
        made = {"hole": hole, "rough": rough, "fine": fine, "image": completed(x, fine, hole)}
        return made, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array, hole: Array) -> tuple[Array, Any]:
        """Logits of the patches of a picture that may be completed."""
        return discriminate(variables(params, vars, "d"), jnp.concatenate([x, hole], -1))

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        x, hole = jnp.zeros((1, *image.fixed)), jnp.zeros((1, *mask.fixed))
        both = jnp.concatenate([x, hole], -1)
        return {"g": G.init(g_key, x, hole, train=True), "d": D.init(d_key, both, train=True)}

    def translate(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        x, hole = given["image"], (given["mask"] > 0.5).astype(jnp.float32)
        return {"image": completed(x, as_used(G, state.players["g"], x, hole)[1], hole)}

    def fill(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        hole = holes(keys, height, width, config.holes)
        return {**translate(state, {**given, "mask": hole}, keys), "mask": hole}

    sizes = {"image": any_size(image), "mask": any_size(mask)}
    verbs = {
        "fill": Verb(fill, {"image": image, "mask": mask}, {"image": image}, truth=("image",)),
        "translate": Verb(translate, only(sizes, "image"), sizes),
    }
    optimizers = {name: adam(config.learning_rate, config.beta1) for name in ("g", "d")}
    rounds = take_turns(play, *_losses(config, judge))
    declared: dict[str, Any] = {"verbs": verbs, "shows": (Show("fill", "sheet"),), "axis_name": axis_name}
    return system_of(config, only(spec, "image"), rounds, init_players, optimizers, **declared)


def completed(
    x: Float[Array, "b h w c"], made: Float[Array, "b h w c"], hole: Float[Array, "b h w 1"]
) -> Float[Array, "b h w c"]:
    """`x` where it is known, `made` in the hole."""
    return jnp.where(hole > 0, made, x)


def _losses(config: Config, judge: Any) -> tuple[LossFn, LossFn]:
    game = adversarial.hinge

    def d_loss(params: Any, vars: Any, made: dict[str, Array], batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_logits, d_vars = judge(params, vars, batch["image"], made["hole"])
        fake_logits, d_vars = judge(params, {**vars, "d": {**vars["d"], **d_vars}}, made["image"], made["hole"])
        board = adversarial.scoreboard(real_logits, fake_logits, game.boundary)
        return 0.5 * adversarial.mean(game.d(real_logits, fake_logits)), Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, made: dict[str, Array], batch: Any, rng: Array) -> tuple[Array, Aux]:
        rough, fine = (jnp.abs(batch["image"] - made[name]).mean() for name in ("rough", "fine"))
        fooled = adversarial.mean(game.g(judge(params, vars, made["image"], made["hole"])[0]))
        return config.gan_weight * fooled + config.l1_weight * (rough + fine), Aux({"l1": fine, "l1_coarse": rough})

    return d_loss, g_loss
