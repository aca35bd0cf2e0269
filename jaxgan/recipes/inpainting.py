"""Inpainting: networks that fill holes of pictures, of any form (Yu et al. 2019) or of one box (Pathak et al. 2016).

Free-Form Image Inpainting with Gated Convolution, arXiv:1806.03589. Of a picture x with a hole m, two passes make a
rough answer a(x, m) and a refined one b(x, m); the completed picture y is x where it is known and b in the hole.

    G minimises lambda (E|x - a| + E|x - b|) - E D(y, m)
    D minimises (E max(0, 1 - D(x, m)) + E max(0, 1 + D(y, m))) / 2                              (section 3.3)

With `sketch`, edges of x in the hole are one more input of both (section 3.5), and a user draws them.

Context Encoders: Feature Learning by Inpainting, arXiv:1604.07379 (`--preset context_encoder`): one pass through a
bottleneck makes what was in the hole; D, without m, sees that alone, or y where holes may be anywhere.

    G minimises 0.999 E (x - b)^2 in the hole + 0.001 times the game against log-odds                (section 3.2)

Holes are drawn anew in each step, unless the data have a mask for each picture. `translate` fills the hole of a mask
that is given, which may be an object to be taken away, and `fill` holes that it draws; both leave what is known as it
is, bit for bit.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
from annotated_types import Ge
from jaxtyping import Array, Key

from jaxgan.fields import Needs, Spec, only, planes
from jaxgan.game import Aux, LossFn, Show, System, adam, variables
from jaxgan.losses import adversarial
from jaxgan.made.holes import Holes
from jaxgan.recipes.common.base import AtLeastZero, Momentum, RecipeConfig, check, system_of
from jaxgan.recipes.common.inpainters import Network, completed, hole_of, lines_of, masks_of, networks, verbs
from jaxgan.recipes.common.objectives import passes
from jaxgan.recipes.common.wiring import critic, take_turns, trained

NEEDS = Needs({"image": "image", "mask": "mask?"})


@dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    """The paper's networks and losses, sized for small pictures on two cores."""

    steps: int = 2_000
    batch_size: int = 16
    """Pictures per step, over all devices."""
    ema_halflife_kimg: AtLeastZero = 2.0
    """Half-life of the averaged generator, in thousands of pictures; 0 for no average, as in the paper."""
    network: Network = "gated"
    """Gated convolutions on pictures of any size; or a context encoder, for pictures of the size trained on."""
    holes: Holes = "both"
    """Boxes of half the sides, brush strokes, or both; or the middle half of the sides."""
    g_width: Annotated[int, Ge(2)] = 12
    """Channels of the generator's first layer; the paper's has 24."""
    dilations: tuple[int, ...] = (2, 4)
    """Distances between the weights of the layers that see far, in quarters of the size; the paper's are 2 4 8 16."""
    attention: bool = False
    """Fill from similar places too; memory grows with the fourth power of a picture's side."""
    sketch: bool = False
    """Follow lines in the hole: edges of the picture in training, `translate --sketch` later; gated networks only."""
    bottleneck: Annotated[int, Ge(0)] = 0
    """Numbers in a context encoder's middle, as its published code has them; 0: the paper's channel-wise layer."""
    d_width: int = 32
    """Channels of the discriminator's first layer; the paper's has 64."""
    d_layers: int = 3
    """Halvings of the discriminator; 6 in the paper, for pictures of 256 pixels."""
    l1_weight: AtLeastZero = 10.0
    """Weight of the mean absolute differences; 1 in the paper."""
    l2_weight: AtLeastZero = 0.0
    """Weight of the mean squared difference in the hole."""
    loss: Literal["hinge", "non_saturating"] = "hinge"
    """The game that is played."""
    gan_weight: AtLeastZero = 1.0
    """Weight of the game in the generator's loss; 0 for L1 training alone."""
    learning_rate: float = 4e-4
    """Adam's rate; 1e-4 in the paper."""
    d_learning_rate: float | None = None
    """Adam's rate for the discriminator; None: the same."""
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
    ),
    "context_encoder": Config(
        ema_halflife_kimg=0.0,
        network="context",
        holes="centre",
        batch_size=64,
        g_width=64,
        d_width=64,
        l1_weight=0.0,
        l2_weight=999.0,
        loss="non_saturating",
        learning_rate=2e-3,
        d_learning_rate=2e-4,
    ),
}
"""Settings of the papers for pictures of 256 and of 128 pixels (`--preset NAME`); `steps` are as many as are chosen."""
GAMES = {"hinge": adversarial.hinge, "non_saturating": adversarial.non_saturating_gan}


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for a context encoder's batch statistics."""
    check(config)
    image, fields = spec["image"], only(spec, "image", *masks_of(config))
    nets = networks(config, image, axis_name)
    generate, discriminate = trained(nets.G, config.remat), critic(nets.D, config, picture=planes(image))

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[dict[str, Array], Aux]:
        x, hole = batch["image"], hole_of(config, batch, rng)
        lines = lines_of(config, x, hole)
        (rough, fine), g_vars = generate(variables(params, vars, "g"), x, hole, *lines)
        shown = {"hole": hole, "lines": lines, "rough": rough, "fine": fine, "image": completed(x, fine, hole)}
        return shown, Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array, made: dict[str, Any], rng: Key[Array, " b"]) -> tuple[Array, Any]:
        """Logits of a picture that may be completed, or of its patches."""
        return discriminate(params, vars, nets.seen(x, made["hole"], *made["lines"]), rng)

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        x, hole = jnp.zeros((1, *image.fixed)), jnp.zeros((1, *image.fixed[:2], 1))
        lines = lines_of(config, x, hole)
        g = nets.G.init(g_key, x, hole, *lines, train=True)
        return {"g": g, "d": nets.D.init(d_key, nets.seen(x, hole, *lines), train=True)}

    rates = {"g": config.learning_rate, "d": config.d_learning_rate or config.learning_rate}
    return system_of(
        config,
        fields,
        take_turns(play, *_losses(config, judge)),
        init_players,
        {name: adam(rate, config.beta1) for name, rate in rates.items()},
        verbs=verbs(config, fields, nets.G),
        shows=(Show("fill", "sheet"),),
        axis_name=axis_name,
    )


def _losses(config: Config, judge: Any) -> tuple[LossFn, LossFn]:
    game = GAMES[config.loss]

    def d_loss(params: Any, vars: Any, made: dict[str, Any], batch: Any, rng: Array) -> tuple[Array, Aux]:
        real_rng, fake_rng = passes(rng, 2)
        real_logits, d_vars = judge(params, vars, batch["image"], made, real_rng)
        fake_logits, d_vars = judge(params, {**vars, "d": {**vars["d"], **d_vars}}, made["image"], made, fake_rng)
        board = adversarial.scoreboard(real_logits, fake_logits, game.boundary)
        return 0.5 * adversarial.mean(game.d(real_logits, fake_logits)), Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, made: dict[str, Any], batch: Any, rng: Array) -> tuple[Array, Aux]:
        x, hole = batch["image"], made["hole"]
        rough, fine = (jnp.abs(x - made[name]).mean() for name in ("rough", "fine"))
        squares = jnp.square(x - made["fine"]).mean(-1, keepdims=True) * hole
        l2 = (squares.sum((1, 2, 3)) / jnp.maximum(hole.sum((1, 2, 3)), 1)).mean()
        fooled = adversarial.mean(game.g(judge(params, vars, made["image"], made, rng)[0]))
        value = config.gan_weight * fooled + config.l1_weight * (rough + fine) + config.l2_weight * l2
        return value, Aux({"l1": fine, "l1_coarse": rough, "l2_hole": l2})

    return d_loss, g_loss
