"""InfoGAN: a part of the latent vector, the code, can be read off the image (Chen et al. 2016).

InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets, arXiv:1606.03657.
The latent vector is noise and a code c, here one categorical code and some continuous ones (section 7.2: ten values,
two codes). A network Q guesses the code of a fake, and

    min over G, Q, max over D of V(D, G) - lambda L_I(G, Q),  L_I = E[log Q(c|x)] + H(c) <= I(c; G(z, c))  (equation 6)

Without any label the categorical code comes to stand for a kind of image. Q shares all of D's layers but its last two
(section 6), so both are one player, `d`, which moves by D's loss less lambda L_I; `g` moves by its own loss less
lambda L_I. The engine differentiates the mover only: the same bound trains Q in D's move, and G in G's.

`sample` takes a value of the code for each image, and a grid of samples has one column a value. Which value means which
kind of image is the run's own choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from jaxgan.errors import UserError
from jaxgan.fields import IMAGES, Field, Spec, code, only
from jaxgan.game import Aux, GameState, LossFn, System, Verb, draw, dtype_of, normal, variables
from jaxgan.losses import adversarial
from jaxgan.losses.information import categorical_information, continuous_information
from jaxgan.nets.infogan import CodeGuess, InfoGANDiscriminator, InfoGANGenerator
from jaxgan.recipes.common.base import LatentConfig, check
from jaxgan.recipes.common.latents import latent_verbs
from jaxgan.recipes.common.objectives import passes
from jaxgan.recipes.common.wiring import Judge, Wires, as_used, critic, latent_game, take_turns, trained

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The paper's settings for MNIST (appendix C.1), with networks of half its width."""

    steps: int = 4_000
    z_dim: int = 62
    """Size of the noise, to which the codes are joined."""
    g_learning_rate: float = 1e-3
    """Adam's rate for the generator."""
    categories: int = 10
    """Values of the categorical code."""
    continuous: int = 2
    """Number of continuous codes, drawn evenly from [-1, 1]."""
    variance: Literal["fixed", "learned"] = "fixed"
    """Variance that Q gives to a continuous code: 1, or a guess for each image."""
    info_weight: float = 1.0
    """Weight lambda of the information about the categorical code, and about the continuous ones."""
    g_width: int = 32
    """Channels of the generator's last hidden layer; each earlier one has twice as many."""
    d_width: int = 32
    """Channels of the discriminator's first layer; each later one has twice as many."""
    units: int = 512
    """Units of the dense layers of both."""


class Code(NamedTuple):
    """What fakes were made with."""

    category: Int[Array, "b"]
    continuous: Float[Array, "b n"]


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    check(config)
    if config.categories < 2:
        raise UserError(f"--categories must be at least 2, got {config.categories}: one value holds no information.")
    G, D = _networks(config, spec, axis_name)
    generate, discriminate = trained(G, config.remat), critic(D, config)

    def play(params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Any, Aux]:
        z, drawn = draw_latents(config, rng)
        x_fake, g_vars = generate(variables(params, vars, "g"), z)
        return (x_fake, drawn), Aux(vars={"g": g_vars})

    def judge(params: Any, vars: Any, x: Array, given: Any, rng: Key[Array, " b"]) -> tuple[Any, Any]:
        return discriminate(params, vars, x, rng)

    d_loss, g_loss = _losses(config, judge)

    def init_players(key: Key[Array, ""]) -> dict[str, Any]:
        g_key, d_key = jax.random.split(key)
        z, _ = draw_latents(config, jax.random.split(g_key, 1))
        x = jnp.zeros((1, *spec["image"].fixed))
        return {"g": G.init(g_key, z, train=True), "d": D.init(d_key, x, train=True)}

    images = only(spec, "image")
    wires = Wires(play, judge, init_players, images, _verbs(config, G, images))
    return latent_game(config, wires, take_turns(play, d_loss, g_loss), axis_name)


def _losses(config: Config, judge: Judge) -> tuple[LossFn, LossFn]:
    """The game's losses less the information that D finds in fakes; D pays for real images too."""
    game = adversarial.non_saturating_gan

    def d_loss(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        x_fake, code = outcome
        real_rng, fake_rng = passes(rng, 2)
        (real_logits, _), d_vars = judge(params, vars, batch["image"], batch, real_rng)
        (fake_logits, guess), d_vars = judge(params, {**vars, "d": d_vars}, x_fake, batch, fake_rng)
        of_category, of_continuous = bounds(guess, code)
        board = adversarial.scoreboard(real_logits, fake_logits)
        board |= {"info": of_category.mean(), "info_continuous": of_continuous.mean()}
        information = config.info_weight * (of_category + of_continuous)
        return (game.d(real_logits, fake_logits) - information).mean(), Aux(board, vars={"d": d_vars})

    def g_loss(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        x_fake, code = outcome
        (fake_logits, guess), _ = judge(params, vars, x_fake, batch, rng)
        information = config.info_weight * sum(bounds(guess, code))
        return (game.g(fake_logits) - information).mean(), Aux()

    return d_loss, g_loss


def _networks(config: Config, spec: Spec, axis_name: str | None) -> tuple[InfoGANGenerator, InfoGANDiscriminator]:
    shared: dict[str, Any] = {"units": config.units, "dtype": dtype_of(config.precision), "axis_name": axis_name}
    sizes = (config.categories, config.continuous, config.variance == "learned")
    G = InfoGANGenerator(spec["image"].fixed, config.g_width, **shared)
    return G, InfoGANDiscriminator(*sizes, config.d_width, **shared)


def draw_latents(config: Config, rng: Key[Array, " b"]) -> tuple[Float[Array, "b z"], Code]:
    """Noise and codes, joined, and the codes."""
    of_noise, of_category, of_continuous = _three(rng)
    category = draw(jax.random.randint, of_category, (), minval=0, maxval=config.categories)
    code = Code(category, _continuous(config, of_continuous))
    return _joined(config, normal(of_noise, (config.z_dim,)), code), code


def _three(rng: Key[Array, " b"]) -> Key[Array, "3 b"]:
    """Keys of the noise, of the categorical code and of the continuous ones."""
    return jax.vmap(lambda key: jax.random.split(key, 3), out_axes=1)(rng)


def _continuous(config: Config, rng: Key[Array, " b"]) -> Float[Array, "b n"]:
    return draw(jax.random.uniform, rng, (config.continuous,), minval=-1.0, maxval=1.0)


def _joined(config: Config, noise: Float[Array, "b z"], code: Code) -> Float[Array, "b joined"]:
    """What the generator takes."""
    return jnp.concatenate([noise, jax.nn.one_hot(code.category, config.categories), code.continuous], axis=1)


def _verbs(config: Config, G: InfoGANGenerator, images: Spec) -> dict[str, Verb]:
    """The latents are the noise and the continuous codes; the categorical code is given."""
    latents = {"z": Field("vector", (config.z_dim,)), "continuous": Field("vector", (config.continuous,))}

    def draw(keys: Key[Array, " n"]) -> dict[str, Array]:
        of_noise, _, of_continuous = _three(keys)
        return {"z": normal(of_noise, (config.z_dim,)), "continuous": _continuous(config, of_continuous)}

    def decode(state: GameState, given: Mapping[str, Array]) -> dict[str, Array]:
        joined = _joined(config, given["z"], Code(given["code"], given["continuous"]))
        return {"image": as_used(G, state.players["g"], joined)}

    return latent_verbs(latents, draw, decode, makes=images, given={"code": code(config.categories)})


def bounds(guess: CodeGuess, code: Code) -> tuple[Float[Array, "b"], Float[Array, "b"]]:
    """L_I of the categorical code, at most the logarithm of its values; and that of the continuous codes; nats."""
    of_category = categorical_information(guess.logits, code.category)
    return of_category, continuous_information(code.continuous, guess.mean, guess.log_variance)
