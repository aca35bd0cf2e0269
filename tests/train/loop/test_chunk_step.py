"""Many steps in one call. Oracle: the same step called one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.game.state import GameState
from jaxgan.train.loop.chunk_step import all_finite, make_chunk_step
from jaxgan.train.loop.chunks import Chunks

FEED = Chunks(lambda start, count: None, lambda chunk, i: chunk["batches"][i], {"batches": 1, "count": None}, 4, True)


def step(state, batch, rng):
    x = state.extras["x"] * 0.5 + batch.sum() + jax.random.uniform(jax.random.fold_in(rng, state.step))
    return GameState(state.step + 1, {}, {"x": x}, {}), {"now": x, "batch": batch[0]}


def begin():
    return GameState(jnp.int32(0), {}, {"x": jnp.float32(1)}, {})


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_chunk_is_its_steps(count):
    batches, key = jnp.arange(8.0).reshape(4, 2), jax.random.key(0)
    state, metrics = jax.jit(make_chunk_step(step, FEED))(begin(), {"batches": batches, "count": count}, key)
    expected, log = begin(), []
    for i in range(count):
        expected, reported = step(expected, batches[i], key)
        log.append(float(reported["now"]))
    assert state.step == count
    np.testing.assert_allclose(state.extras["x"], expected.extras["x"], rtol=1e-6)
    np.testing.assert_allclose(metrics["now"], log + [0.0] * (4 - count), rtol=1e-6)
    assert metrics["batch"].tolist() == [0, 2, 4, 6][:count] + [0] * (4 - count)


def test_a_count_is_no_new_program():
    run = jax.jit(make_chunk_step(step, FEED))
    for count in (1, 2, 4):
        run(begin(), {"batches": jnp.zeros((4, 2)), "count": jnp.int32(count)}, jax.random.key(0))
    assert run._cache_size() == 1


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
def test_all_finite(bad):
    tree = {"a": jnp.ones(3), "b": [jnp.int32(1), None]}
    assert all_finite(tree)
    assert not all_finite({**tree, "c": jnp.array([1.0, bad])})
    assert all_finite({"only": jnp.int32(1)})
