"""Which images are in the batch of step t: the one answer that streaming and device-resident training share."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from jaxgan.data.source import Data
from jaxgan.errors import UserError

APART = 2**32  # between the seeds of two tables; seeds of runs are smaller


@lru_cache(maxsize=4)
def _permutation(size: int, seed: int, epoch: int) -> Int32[np.ndarray, "size"]:
    """Returns the order of one epoch.

    Sorting the raw words of a counter-based generator, and not `Generator.permutation`, because NumPy promises the
    stream of its bit generators for ever and that of its distributions only within a version.
    """
    words = np.random.Philox(key=np.array([seed, epoch], np.uint64)).random_raw(size)
    return np.argsort(words, kind="stable").astype(np.int32)


class BatchOrder(NamedTuple):
    """The batches of a run: `order[t]` is the index array of step t, `order[t:u]` those of steps t to u - 1.

    Images are drawn without replacement, reshuffled each epoch; a batch may span epochs, so none is ever short.
    """

    size: int
    seed: int
    batch_size: int

    def rows(self, first: int, count: int) -> Int32[np.ndarray, "count"]:
        """Returns entries first .. first + count - 1 of the endless sequence of shuffled epochs."""
        parts = []
        while count > 0:
            epoch, offset = divmod(first, self.size)
            parts.append(_permutation(self.size, self.seed, epoch)[offset : offset + count])
            first, count = first + len(parts[-1]), count - len(parts[-1])
        return np.concatenate(parts) if parts else np.zeros(0, np.int32)

    def __getitem__(self, step: int | np.integer | slice) -> Int32[np.ndarray, "*steps batch"]:  # type: ignore[override]
        """Returns image indices, [batch_size] for one step and [steps, batch_size] for a slice of steps."""
        if not isinstance(step, slice):
            return self.rows(int(step) * self.batch_size, self.batch_size)
        steps = step.stop - step.start
        return self.rows(step.start * self.batch_size, steps * self.batch_size).reshape(steps, self.batch_size)


def order(size: int, seed: int, batch_size: int) -> BatchOrder:
    """Returns the shuffled order of the batches, a pure function of (size, seed, step).

    Args:
      size: number of images.
      seed: the run's seed, 0 or more.
      batch_size: images a step, over all processes; may exceed `size`.

    Raises:
      UserError: if one of the three is out of range.
    """
    if size < 1 or batch_size < 1:
        raise UserError(f"a batch needs at least one image: got {size} images and batch size {batch_size}.")
    if not 0 <= seed < 2**64:
        raise UserError(f"--seed takes a whole number from 0 to 2^64 - 1, got {seed}.")
    return BatchOrder(size, seed, batch_size)


def orders(data: Data, seed: int, batch_size: int) -> tuple[BatchOrder, ...]:
    """Returns the order of each table: they are drawn independently of each other.

    Args:
      data: what is drawn from.
      seed: the run's seed, 0 or more.
      batch_size: examples a step, over all processes.
    """
    return tuple(order(table.rows, seed + k * APART, batch_size) for k, table in enumerate(data.tables))
