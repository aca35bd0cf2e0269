"""Examples from a trained system: keys, what is given, and batches that do not change an example."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import jax
import numpy as np
from jaxtyping import Key

from jaxgan.fields import Field, inside, outside
from jaxgan.game import GameState, Verb
from jaxgan.game.random import Stream
from jaxgan.show.given import Given

BATCH = 64  # examples are always made this many at a time: the size of a batch could change an example's last bits
PIXELS = ("image", "mask")  # kinds that `compiled_finely` makes unrounded

Batches: TypeAlias = Callable[[GameState], Iterator[dict[str, np.ndarray]]]
"""`state -> batches` of stored examples {name: [64 or fewer, ...]}."""


def example_keys(seed: int, n: int, start: int = 0, stream: int = Stream.SAMPLE) -> Key[jax.Array, " n"]:
    """Keys of the n examples from number `start` on; a key depends on `seed`, `stream` and the number only."""
    key = jax.random.fold_in(jax.random.key(seed), stream)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, np.arange(start, start + n, dtype=np.int32))


def compiled(verb: Verb) -> Callable[..., dict[str, jax.Array]]:
    """`(state, keys, given) -> made`: the verb in one program, from stored fields to stored fields."""
    return jax.jit(lambda state, keys, taken: outside(verb.makes, verb(state, inside(verb.given, taken), keys)))


def compiled_finely(verb: Verb) -> Callable[..., dict[str, jax.Array]]:
    """As `compiled`, but pictures that it makes are not yet rounded: float32 from 0 to 255."""

    def run(state: GameState, keys: Key[jax.Array, " n"], taken: dict[str, Any]) -> dict[str, jax.Array]:
        made = verb(state, inside(verb.given, taken), keys)
        fine = {name: _fine(field, made[name]) for name, field in verb.makes.items() if field.kind in PIXELS}
        return {**outside(verb.makes, made), **fine}

    return jax.jit(run)


def _fine(field: Field, seen: jax.Array) -> jax.Array:
    black, white = field.inside(np.array([0, 255]))
    return 255 * ((seen.astype("float32") - black) / (white - black))


def make_batches(verb: Verb, n: int, seed: int, given: Given, stream: int = Stream.SAMPLE) -> Batches:
    """`state -> batches` of n examples as they are stored, always of the same noise.

    Args:
        verb: what makes them.
        n: how many.
        seed: of the noise.
        given: what the verb takes.
        stream: sets the noise apart from that of another use.
    """
    draw = compiled(verb)

    def batches(state: GameState) -> Iterator[dict[str, np.ndarray]]:
        for start in range(0, n, BATCH):
            made = draw(state, example_keys(seed, BATCH, start, stream), given(start, BATCH))
            yield {name: np.asarray(values)[: n - start] for name, values in made.items()}

    return batches


def make_sampler(verb: Verb, n: int, seed: int, given: Given) -> Callable[[GameState], dict[str, np.ndarray]]:
    """`state -> {name: stored [n, ...]}`; arguments as for `make_batches`."""
    batches = make_batches(verb, n, seed, given)

    def sample(state: GameState) -> dict[str, np.ndarray]:
        parts = list(batches(state))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return sample
