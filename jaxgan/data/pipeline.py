"""Streaming: batches decoded ahead by threads, for sets that do not fit on the device."""

import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxgan.data.order import BatchOrder, order
from jaxgan.data.source import ImageData, ImageSource, gather
from jaxgan.errors import UserError


class ShareSource(NamedTuple):
    """One process's share of the batch of every step from `start` on, as a random-access source for grain."""

    source: ImageSource
    batches: BatchOrder
    start: int
    first: int
    rows: int

    def __len__(self) -> int:
        return sys.maxsize // self.batches.batch_size  # no end

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:  # type: ignore[override]
        entry = (self.start + index) * self.batches.batch_size + self.first
        return gather(self.source, self.batches.rows(entry, self.rows))


def stream(
    data: ImageData,
    batch_size: int,
    seed: int,
    start: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    workers: int | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields this process's share of the batches of steps start, start + 1, ... without end.

    Each is {"image": uint8 [b, H, W, C], "label": int32 [b]} ("label" only if labelled), where b is
    batch_size / process_count: the contiguous rows process_index * b, ... of the batch that
    `order(len(data.source), seed, batch_size)[t]` names. No other image is read, and no work is done for the steps
    before `start`.

    Args:
      data: what to draw from.
      batch_size: images a step, over all processes.
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
    batches = order(len(data.source), seed, batch_size)
    share = ShareSource(data.source, batches, start, process_index * count, count)
    threads = workers or min(16, os.cpu_count() or 1)
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads)
    dataset: Any = grain.MapDataset.source(share)
    return iter(dataset.to_iter_dataset(options))
