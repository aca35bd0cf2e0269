"""The verbs of systems that make examples of latents: draw them, decode them, and both at once."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
from flax import linen as nn
from jaxtyping import Array, Float, Key

from jaxgan.fields import Field, Spec
from jaxgan.game import GameState, PlayerState, Show, Verb, normal
from jaxgan.game.random import draw

Draw: TypeAlias = Callable[[Key[Array, " n"]], dict[str, Array]]
"""`keys -> latents`, by field name."""

Decode: TypeAlias = Callable[[GameState, Mapping[str, Array]], dict[str, Array]]
"""`(state, latents and whatever else is given) -> made`, by field name."""

EMPTY: Spec = {}
SHOWS = (Show("sample"),)
"""What latent systems preview: of their verbs the one that needs nothing but noise and classes."""


def normal_latents(z_dim: int) -> tuple[Spec, Draw]:
    """One field `z`, drawn from a standard normal distribution: the first two arguments of `latent_verbs`."""
    return {"z": Field("vector", (z_dim,))}, lambda keys: {"z": normal(keys, (z_dim,))}


def truncated_latents(z_dim: int, threshold: float) -> tuple[Spec, Draw]:
    """As `normal_latents`, but numbers beyond the threshold are drawn again until they are within it.

    The truncation trick of Brock et al. 2019, arXiv:1809.11096, section 3.1: a smaller threshold gives better and more
    alike examples.
    """

    def draw_(keys: Key[Array, " n"]) -> dict[str, Array]:
        return {"z": draw(jax.random.truncated_normal, keys, (z_dim,), lower=-threshold, upper=threshold)}

    return {"z": Field("vector", (z_dim,))}, draw_


def latent_verbs(latents: Spec, draw: Draw, decode: Decode, *, makes: Spec, given: Spec = EMPTY) -> dict[str, Verb]:
    """The verbs of a latent space: `draw` makes latents, `decode` makes examples of them, `sample` does both.

    Args:
        latents: the fields that are drawn.
        draw: the latents of each key.
        decode: what is made of latents, and of whatever else is given.
        makes: the fields made.
        given: the other fields that are taken: labels, codes.
    """

    def run_sample(state: GameState, given: Mapping[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        return decode(state, {**given, **draw(keys)})

    def run_draw(state: GameState, given: Mapping[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        del state, given  # latents come from noise alone
        return draw(keys)

    def run_decode(state: GameState, given: Mapping[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        del keys  # the latents are the noise
        return decode(state, given)

    return {
        "sample": Verb(run_sample, makes, given),
        "draw": Verb(run_draw, latents),
        "decode": Verb(run_decode, makes, {**latents, **given}),
    }


def standing(G: nn.Module, player: PlayerState, z: Float[Array, "n z"], **given: Any) -> PlayerState:
    """A generator with batch statistics of its averaged weights: those of latent vectors that are always the same.

    The running statistics are of the last weights, whose average is another network. These are the standing statistics
    of Brock et al. 2018, arXiv:1809.11096, from one large batch (Wu and Johnson 2021, arXiv:2105.07576, section 3).

    Args:
        G: latent vectors to pictures; has the attributes `momentum`, of its running statistics, and `axis_name`.
        player: its state.
        z: the latent vectors.
        **given: what else the network takes of each: `label`.
    """
    at_once = G.clone(momentum=0.0, axis_name=None)
    _, found = at_once.apply(player.variables(averaged=True), z, **given, train=True, mutable=["batch_stats"])
    return dataclasses.replace(player, vars={**player.vars, **found})
