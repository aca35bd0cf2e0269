"""Restore: one network learns to undo what was done to pictures: noise, blur, lost colours, JPEG, or all at once.

Good pictures y are all that it takes; bad ones x are made of them anew at every step (`recipes/common/damage`). With a
network G that adds to x what it lacks (Zhang et al. 2017, arXiv:1608.03981) and a PatchGAN D that sees both, as in
pix2pix (Isola et al. 2017, arXiv:1611.07004),

    D minimises (bce(D(x, y), 1) + bce(D(x, G(x)), 0)) / 2
    G minimises a E|y - G(x)| + b bce(D(x, G(x)), 1)

A small b keeps G near the middle of all good pictures that x may come from, which is smooth; a larger one asks for
detail that is likely and not certain. Colours are guessed beside a brightness that is kept.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
from annotated_types import Ge, Le
from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.augment.noise import luminance
from jaxgan.fields import Needs, Spec, any_size, only
from jaxgan.game import Aux, GameState, LossFn, System, Verb, dtype_of, variables
from jaxgan.losses import adversarial
from jaxgan.nets.patch import PatchDiscriminator, patches
from jaxgan.nets.restore import Restorer
from jaxgan.recipes.common.base import AtLeastZero, FallingConfig, Momentum, check, falling_adam, system_of
from jaxgan.recipes.common.damage import Damage, damage, source_of
from jaxgan.recipes.common.objectives import passes
from jaxgan.recipes.common.wiring import as_used, critic, take_turns, trained

NEEDS = Needs({"target": "image"})
DATA = "photographs"
GAME = adversarial.non_saturating_gan


@dataclass(frozen=True, kw_only=True)
class Config(FallingConfig):
    """Networks, a batch and steps for small pictures on two cores."""

    steps: int = 1_000
    batch_size: int = 8
    """Pictures per step, over all devices."""
    degradation: Damage = "denoise"
    """What is undone: noise, blur, lost colours, JPEG; or real, two rounds of all that may befall a picture."""
    noise: tuple[float, float] = (10.0, 40.0)
    """Standard deviations of the noise of denoise, of 255: the least and the largest."""
    blur: tuple[float, float] = (1.0, 2.5)
    """Standard deviations of the blur of deblur, in pixels: the least and the largest."""
    quality: tuple[float, float] = (10.0, 40.0)
    """Qualities of jpeg: the least and the largest."""
    learning_rate: float = 1e-3
    """Adam's rate, for both players."""
    beta1: Momentum = 0.9
    """Adam's decay of the first moment, for both players."""
    rate_decay: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of the steps, at the end, over which the rate falls to 0 along a line; 0: constant."""
    ema_halflife_kimg: AtLeastZero = 0.5
    """Half-life of the averaged network, in thousands of pictures; 0 for no average."""
    g_width: int = 32
    """Channels of the restoring network."""
    blocks: int = 5
    """Its residual blocks."""
    fold: Literal[1, 2, 4] = 2
    """Pixels a side that it takes together: 1 is slower and sees less far."""
    d_width: int = 16
    """Channels of the discriminator's first layer."""
    d_layers: Annotated[int, Ge(0)] = 2
    """Halvings of the discriminator: 0, 1, 2, 3 for patches of 1, 16, 34, 70 pixels."""
    norm: Literal["batch", "instance", "none"] = "instance"
    """Normalisation in the discriminator."""
    pixel_weight: AtLeastZero = 1.0
    """Weight a of the mean absolute difference."""
    gan_weight: AtLeastZero = 1e-3
    """Weight b of the game in the network's loss; 0 for pixels alone."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    target = spec["target"]
    height, width, channels = target.fixed
    patches(height, width, config.d_layers)
    degrade = damage(config.degradation, target, config.noise, config.blur, config.quality)
    source = source_of(degrade, target, 1 if config.degradation == "colourise" else channels)
    G, D = _networks(config, channels, axis_name)
    generate, discriminate = trained(G, config.remat), critic(D, config, picture=channels)

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[tuple[Array, Array], Aux]:
        x = degrade(rng, batch["target"])
        return (x, _finished(config, x, generate(variables(params, vars, "g"), x)[0])), Aux()

    def judge(params: Any, vars: Any, x: Array, y: Array, rng: Key[Array, " b"]) -> tuple[Array, Any]:
        """Logits of patches of a bad picture and one that may be its good one."""
        return discriminate(params, vars, jnp.concatenate([x, y], -1), rng)

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        taken = source.field.fixed[-1]
        x, both = jnp.zeros((1, 8, 8, taken)), jnp.zeros((1, height, width, taken + channels))
        return {"g": G.init(g_key, x, train=True), "d": D.init(d_key, both, train=True)}

    def translate(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        x = given["source"]
        return {"target": jnp.clip(_finished(config, x, as_used(G, state.players["g"], x)), -1, 1)}

    verb = Verb(translate, {"target": any_size(target)}, {"source": any_size(source.field)}, truth=("target",))
    return system_of(
        config,
        only(spec, "target"),
        take_turns(play, *_losses(config, judge)),
        init_players,
        {name: falling_adam(config) for name in ("g", "d")},
        verbs={"translate": verb},
        derives={"source": source},
        axis_name=axis_name,
    )


def _finished(config: Config, x: Array, y: Array) -> Array:
    """What the network made; where it guessed colours, with the brightness that was given."""
    return y + x - luminance(y) if config.degradation == "colourise" else y


def _losses(config: Config, judge: Any) -> tuple[LossFn, LossFn]:
    def d_loss(params: Any, vars: Any, played: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        x, y_fake = played
        real_rng, fake_rng = passes(rng, 2)
        real_logits, d_vars = judge(params, vars, x, batch["target"], real_rng)
        fake_logits, d_vars = judge(params, {**vars, "d": {**vars["d"], **d_vars}}, x, y_fake, fake_rng)
        board = adversarial.scoreboard(real_logits, fake_logits, GAME.boundary)
        return 0.5 * adversarial.mean(GAME.d(real_logits, fake_logits)), Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, played: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        x, y_fake = played
        l1 = jnp.abs(batch["target"] - y_fake).mean()
        fooled = adversarial.mean(GAME.g(judge(params, vars, x, y_fake, rng)[0]))
        return config.gan_weight * fooled + config.pixel_weight * l1, Aux({"l1": l1})

    return d_loss, g_loss


def _networks(config: Config, channels: int, axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    dtype = dtype_of(config.precision)
    G = Restorer(channels, config.g_width, config.blocks, config.fold, dtype)
    return G, PatchDiscriminator(config.d_width, config.d_layers, config.norm, dtype, axis_name)
