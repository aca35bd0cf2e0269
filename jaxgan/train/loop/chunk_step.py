"""Many training steps in one call of the device."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Key

from jaxgan.augment.basic import mirror
from jaxgan.fields import Spec
from jaxgan.game.random import Stream, example_keys, global_rows
from jaxgan.game.state import GameState, Metrics, StepFn
from jaxgan.train.loop.chunks import Chunks


def make_chunk_step(
    step: StepFn, chunks: Chunks, mirrored: Spec | None = None, axis_name: str | None = None
) -> Callable[[GameState, Any, Key[Array, ""]], tuple[GameState, Metrics]]:
    """`(state, chunk, rng) -> (state, metrics [capacity])`: `chunk["count"]` steps, one after the other.

    The number of steps is data, not shape: one compiled program serves chunks of every length, the last one included,
    and the result cannot depend on how a run is cut into chunks (a scan of length one, which XLA unrolls, may round
    differently). Metrics after the first `count` are zero.

    Args:
        step: one training step.
        chunks: where batches come from.
        mirrored: the fields of a batch, where examples are mirrored by chance: by run, step and row of the batch.
        axis_name: the mapped axis over devices, or None.
    """

    def batch_of(chunk: Any, i: Int[Array, ""], state: GameState, rng: Key[Array, ""]) -> Any:
        batch = chunks.pick(chunk, i)
        if mirrored is None:
            return batch
        rows = global_rows(len(next(iter(batch.values()))), axis_name)
        key = jax.random.fold_in(jax.random.fold_in(rng, Stream.MIRROR), state.step)
        return mirror(example_keys(key, rows), mirrored, batch)

    def run(state: GameState, chunk: Any, rng: Key[Array, ""]) -> tuple[GameState, Metrics]:
        _, shapes = jax.eval_shape(lambda state: step(state, batch_of(chunk, jnp.int32(0), state, rng), rng), state)
        log = {name: jnp.zeros((chunks.capacity,), metric.dtype) for name, metric in shapes.items()}

        def body(i: Int[Array, ""], carry: tuple[GameState, Metrics]) -> tuple[GameState, Metrics]:
            state, log = carry
            state, metrics = step(state, batch_of(chunk, i, state, rng), rng)
            return state, {name: log[name].at[i].set(metrics[name]) for name in log}

        return jax.lax.fori_loop(0, chunk["count"], body, (state, log))

    return run


@jax.jit
def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every float of a pytree is finite."""
    floats = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in floats])) if floats else jnp.bool_(True)
