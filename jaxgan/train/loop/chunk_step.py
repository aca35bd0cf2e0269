"""Many training steps in one call of the device."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Key

from jaxgan.game.state import GameState, Metrics, StepFn
from jaxgan.train.loop.chunks import Chunks


def make_chunk_step(
    step: StepFn, chunks: Chunks
) -> Callable[[GameState, Any, Key[Array, ""]], tuple[GameState, Metrics]]:
    """`(state, chunk, rng) -> (state, metrics [capacity])`: `chunk["count"]` steps, one after the other.

    The number of steps is data, not shape: one compiled program serves chunks of every length, the last one included,
    and the result cannot depend on how a run is cut into chunks (a scan of length one, which XLA unrolls, may round
    differently). Metrics after the first `count` are zero.
    """

    def run(state: GameState, chunk: Any, rng: Key[Array, ""]) -> tuple[GameState, Metrics]:
        _, shapes = jax.eval_shape(lambda state: step(state, chunks.pick(chunk, jnp.int32(0)), rng), state)
        log = {name: jnp.zeros((chunks.capacity,), metric.dtype) for name, metric in shapes.items()}

        def body(i: Int[Array, ""], carry: tuple[GameState, Metrics]) -> tuple[GameState, Metrics]:
            state, log = carry
            state, metrics = step(state, chunks.pick(chunk, i), rng)
            return state, {name: log[name].at[i].set(metrics[name]) for name in log}

        return jax.lax.fori_loop(0, chunk["count"], body, (state, log))

    return run


@jax.jit
def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every float of a pytree is finite."""
    floats = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in floats])) if floats else jnp.bool_(True)
