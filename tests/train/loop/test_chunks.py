"""Feeds. Oracle: the images themselves, picked by `data.order`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import data as datasets
from jaxgan.game import parallel
from jaxgan.train import RunConfig
from jaxgan.train.loop.chunks import make_chunks
from tests.train import toy


@pytest.mark.parametrize("resident", ["on", "off"])
@pytest.mark.parametrize("labels", [True, False])
def test_a_chunk_holds_the_batches_of_its_steps(resident, labels):
    data, mesh = toy.images(labels=labels), parallel.make_mesh(jax.devices()[:2])
    feed = make_chunks(data, data.spec, RunConfig(resident=resident, seed=5, steps_per_dispatch=4), 8, 3, mesh)
    assert feed.resident == (resident == "on")
    assert feed.capacity == 4
    order, whole = datasets.order(40, 5, 8), datasets.resident(data, data.spec)[0]
    for start, count in ((3, 1), (4, 4), (8, 2)):
        chunk = feed.chunk(start, count)
        assert int(chunk["count"]) == count
        for i in range(count):
            batch = jax.jit(feed.pick)(chunk, jnp.int32(i))
            index = order[start + i]
            np.testing.assert_allclose(batch["image"], whole["image"][index] / np.float32(127.5) - 1, atol=1e-6)
            assert ("label" in batch) == labels
            if labels:
                np.testing.assert_array_equal(batch["label"], whole["label"][index])


def test_batches_are_split_over_devices_and_data_is_not():
    data, mesh = toy.images(), parallel.make_mesh(jax.devices()[:2])
    resident = make_chunks(data, toy.SPEC, RunConfig(resident="on"), 8, 0, mesh).chunk(0, 1)
    assert resident["index"][0].sharding.shard_shape(resident["index"][0].shape)[1] == 4
    assert resident["arrays"][0]["image"].sharding.is_fully_replicated
    streamed = make_chunks(data, toy.SPEC, RunConfig(resident="off"), 8, 0, mesh).chunk(0, 1)["batches"]["image"]
    assert streamed.sharding.shard_shape(streamed.shape)[1:3] == (4, 8)


def test_auto_keeps_small_data_and_streams_large(monkeypatch):
    data, mesh = toy.images(), parallel.make_mesh(jax.devices()[:2])
    size = datasets.nbytes(data)
    monkeypatch.setattr("jaxgan.train.loop.chunks.RESIDENT_BYTES", size)
    assert make_chunks(data, toy.SPEC, RunConfig(), 8, 0, mesh).resident
    monkeypatch.setattr("jaxgan.train.loop.chunks.RESIDENT_BYTES", size - 1)
    assert not make_chunks(data, toy.SPEC, RunConfig(), 8, 0, mesh).resident


def test_buffers_of_a_stream_are_bounded(monkeypatch):
    data, mesh = toy.images(), parallel.make_mesh(jax.devices()[:2])
    run = RunConfig(resident="off")
    for limit, capacity in ((8 * 64 * 3, 3), (1, 1), (1 << 30, 32)):
        monkeypatch.setattr("jaxgan.train.loop.chunks.STREAM_BYTES", limit)
        assert make_chunks(data, toy.SPEC, run, 8, 0, mesh).capacity == capacity
