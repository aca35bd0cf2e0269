"""Batches for many steps at once: from a data set that lives on the device, or from a stream.

The batch of step t is the same either way, a pure function of (data, seed, t). A chunk is what one dispatch consumes:
the batches of `count` steps in buffers made for `capacity` steps, so that chunks of every length run the same compiled
program.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Int

from jaxgan import data as datasets
from jaxgan.fields import Spec, inside
from jaxgan.game.parallel import place_batch
from jaxgan.train.run.config import RunConfig

RESIDENT_BYTES = 2 << 30  # a data set up to this size is kept on the device, where the device has four times that
RESIDENT_STEPS = 256  # indices only: a chunk this long costs nothing
STREAM_BYTES = 64 << 20
STREAM_STEPS = 32
STEPS_OF_MANY = 8  # of several processes, which must all choose the same length


class Chunks(NamedTuple):
    """Where chunks come from.

    Attributes:
        chunk: `(start, count) -> chunk`, device arrays for the steps from start on; calls must follow each other.
        pick: `(chunk, i) -> batch`, pure: the i-th batch of a chunk, as networks see it.
        axes: which axis of each part of a chunk is split over devices.
        capacity: steps that a chunk can hold.
        resident: whether the data lives on the device.
    """

    chunk: Callable[[int, int], Any]
    pick: Callable[[Any, Int[Array, ""]], Any]
    axes: dict[str, int | None]
    capacity: int
    resident: bool


def make_chunks(data: datasets.Data, spec: Spec, run: RunConfig, rows: int, start: int, mesh: Mesh) -> Chunks:
    """The feed that `run` asks for, beginning at step `start`.

    Args:
        data: what batches are drawn from.
        spec: the fields of a batch.
        run: seed, residence and length of a dispatch.
        rows: the global batch size.
        start: the first step.
        mesh: the devices.
    """
    # Of several processes each reads its own share only, unless it was told to hold the whole set.
    alone = jax.process_count() == 1
    if run.resident == "on" or (run.resident == "auto" and alone and _fits(data, spec, mesh)):
        return _resident(data, spec, run, rows, mesh)
    return _streaming(data, spec, run, rows, start, mesh)


def _resident(data: datasets.Data, spec: Spec, run: RunConfig, rows: int, mesh: Mesh) -> Chunks:
    capacity = run.steps_per_dispatch or (RESIDENT_STEPS if jax.process_count() == 1 else STEPS_OF_MANY)
    orders = datasets.orders(data, run.seed, rows)
    arrays = place_batch(datasets.resident(data, spec), mesh, None)
    mine = _share(rows)
    axes: dict[str, int | None] = {"arrays": None, "index": 1, "count": None}

    def indices(order: datasets.BatchOrder, start: int, count: int) -> np.ndarray:
        index = np.zeros((capacity, mine.stop - mine.start), np.int32)
        index[:count] = order[start : start + count][:, mine]
        return index

    def chunk(start: int, count: int) -> Any:
        index = tuple(indices(order, start, count) for order in orders)
        placed = place_batch({"index": index, "count": np.int32(count)}, mesh, {"index": 1, "count": None})
        return {"arrays": arrays, **placed}

    def pick(chunk: Any, i: Int[Array, ""]) -> Any:
        stored: dict[str, Array] = {}
        for table, index in zip(chunk["arrays"], chunk["index"], strict=True):
            stored |= datasets.take(table, index[i])
        return inside(spec, stored)

    return Chunks(chunk, pick, axes, capacity, resident=True)


def _streaming(data: datasets.Data, spec: Spec, run: RunConfig, rows: int, start: int, mesh: Mesh) -> Chunks:
    capacity = run.steps_per_dispatch or _stream_capacity(data, spec, rows)
    batches = datasets.stream(data, spec, rows, run.seed, start, jax.process_index(), jax.process_count())
    axes: dict[str, int | None] = {"batches": 1, "count": None}

    def chunk(start: int, count: int) -> Any:
        del start  # the stream knows where it is
        return place_batch({"batches": _stack(batches, count, capacity), "count": np.int32(count)}, mesh, axes)

    def pick(chunk: Any, i: Int[Array, ""]) -> Any:
        return inside(spec, jax.tree.map(lambda stacked: stacked[i], chunk["batches"]))

    return Chunks(chunk, pick, axes, capacity, resident=False)


def _stack(batches: Iterator[dict[str, np.ndarray]], count: int, capacity: int) -> dict[str, np.ndarray]:
    taken = [next(batches) for _ in range(count)]
    stacked = {name: np.zeros((capacity, *value.shape), value.dtype) for name, value in taken[0].items()}
    for i, batch in enumerate(taken):
        for name, value in batch.items():
            stacked[name][i] = value
    return stacked


def _share(rows: int) -> slice:
    """Rows of the global batch that this process holds."""
    each = rows // jax.process_count()
    return slice(jax.process_index() * each, (jax.process_index() + 1) * each)


def _stream_capacity(data: datasets.Data, spec: Spec, rows: int) -> int:
    if jax.process_count() > 1:
        return STEPS_OF_MANY
    each = sum(data.spec[name].size * data.spec[name].dtype.itemsize for name in spec)
    return int(np.clip(STREAM_BYTES // (rows * each), 1, STREAM_STEPS))


def _fits(data: datasets.Data, spec: Spec, mesh: Mesh) -> bool:
    """Whether a copy of the data may live on each device; a CPU does not say how much memory it has."""
    limits = [(device.memory_stats() or {}).get("bytes_limit", 4 * RESIDENT_BYTES) for device in mesh.local_devices]
    return 4 * datasets.nbytes(data, spec) <= min(*limits, 4 * RESIDENT_BYTES)
