"""Two stages of one run: a generator that learns the mean picture, and then plays the toy's game."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxgan import game
from tests.train import toy


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(toy.Config):
    steps: int = 13
    pixel_steps: int = 7


def stages(config):
    """The mean picture first; `later` has the generator's averages and not its optimiser's new player."""
    return (game.Stage("pixels", build_pixels, until=config.pixel_steps), game.Stage("game", build))


def build(config, spec, axis_name=None):
    return toy.build(config, spec, axis_name)


def build_pixels(config, spec, axis_name=None):
    """The toy's generator alone, whose every sample comes to be the mean picture."""
    toys = toy.build(config, spec, axis_name)
    optimizers, ema = {"g": game.adam(config.rate)}, {"g": game.Ema(0.1)}

    def loss(params, vars, outcome, batch, rng):
        made = jnp.tanh(game.normal(rng, (config.z_dim,)) @ params["g"]["w"] + params["g"]["b"])
        error = jnp.square(made - batch["image"].reshape(made.shape)).mean()
        return error, game.Aux({"error": error})

    rounds = (game.Round((game.Move("g", loss),)),)

    def init(key):
        players = {"g": {"params": toys.init(key).players["g"].params}}
        return game.init_state(rounds, optimizers, players, ema=ema)

    step = game.make_train_step(rounds, optimizers, ema=ema, axis_name=axis_name)
    return toys._replace(init=init, step=step, duels=())


def rest(state):
    """All but the keys of a state."""
    return jax.device_get((state.players, state.step))
