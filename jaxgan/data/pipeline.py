"""Streaming: batches decoded ahead by threads, for sets that do not fit on the device."""

import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxgan.data.order import BatchOrder, orders
from jaxgan.data.source import Data, gather
from jaxgan.errors import UserError
from jaxgan.fields import Spec


class ShareSource(NamedTuple):
    """One process's share of the batch of every step from `start` on, as a random-access source for grain."""

    data: Data
    names: tuple[str, ...]
    batches: tuple[BatchOrder, ...]
    start: int
    first: int
    rows: int

    def __len__(self) -> int:
        return sys.maxsize // self.batches[0].batch_size  # no end

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:  # type: ignore[override]
        entry = (self.start + index) * self.batches[0].batch_size + self.first
        batch: dict[str, np.ndarray] = {}
        for table, order in zip(self.data.tables, self.batches, strict=True):
            names = [name for name in self.names if name in table.spec]
            if names:
                batch |= gather(table.source, order.rows(entry, self.rows), names)
        return batch


def stream(
    data: Data,
    spec: Spec,
    batch_size: int,
    seed: int,
    start: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    workers: int | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields this process's share of the batches of steps start, start + 1, ... without end.

    Each is {name: array [b, ...]} as it is stored, where b is batch_size / process_count: the contiguous rows
    process_index * b, ... of the batch that `orders(data, seed, batch_size)[table][t]` names. No other example is read,
    and no work is done for the steps before `start`.

    Args:
      data: what to draw from.
      spec: the fields that are wanted.
      batch_size: examples a step, over all processes.
      seed: the run's seed.
      start: the first step.
      process_index: this process's number, 0 to process_count - 1.
      process_count: processes that share a batch.
      workers: threads, each decoding a batch ahead; None is one a core, 16 at most.

    Raises:
      UserError: if the processes cannot share the batch evenly.
    """
    import grain

    if batch_size % process_count:
        raise UserError(f"--batch-size {batch_size} cannot be shared evenly by {process_count} processes.")
    count = batch_size // process_count
    batches = orders(data, seed, batch_size)
    share = ShareSource(data, tuple(spec), batches, start, process_index * count, count)
    threads = workers or min(16, os.cpu_count() or 1)
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads)
    dataset: Any = grain.MapDataset.source(share)
    return iter(dataset.to_iter_dataset(options))
