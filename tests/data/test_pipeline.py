"""Oracle: the device-resident path, indexed by `order`."""

import threading

import numpy as np
import pytest

from jaxgan import data
from jaxgan.data.source import ArraySource, ImageData
from jaxgan.errors import UserError


class Counting:
    """Notes which images are read."""

    def __init__(self, source):
        self.source, self.read, self.lock = source, [], threading.Lock()

    def __len__(self):
        return len(self.source)

    def __getitem__(self, index):
        with self.lock:
            self.read.append(index)
        return self.source[index]


def made(labelled=True, lazy=False):
    images = np.random.default_rng(0).integers(0, 256, (23, 4, 5, 3), dtype=np.uint8)
    source = ArraySource(images, np.arange(23, dtype=np.int32) if labelled else None)
    return ImageData(Counting(source) if lazy else source, (4, 5, 3), (), "made", "", "")


def take(iterator, count):
    return [next(iterator) for _ in range(count)]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("labelled", [False, True])
def test_streaming_equals_resident(labelled, lazy):
    streamed = take(data.stream(made(labelled, lazy), 8, seed=5, start=3, workers=3), 6)
    resident, rows = data.resident(made(labelled)), data.order(23, 5, 8)
    for step, batch in enumerate(streamed, 3):
        assert batch.keys() == resident.keys()
        for key in batch:
            np.testing.assert_array_equal(batch[key], resident[key][rows[step]])


def test_processes_share_a_batch_in_contiguous_rows_and_read_nothing_else():
    rows = data.order(23, 1, 12)[2:6]
    for process in range(3):
        source = made(lazy=True)
        share = take(data.stream(source, 12, 1, start=2, process_index=process, process_count=3, workers=1), 4)
        own = rows[:, 4 * process : 4 * process + 4]
        np.testing.assert_array_equal([batch["label"] for batch in share], own)
        # One thread may be one batch ahead; in order, and from its own rows alone.
        ahead = data.order(23, 1, 12)[2:10][:, 4 * process : 4 * process + 4].ravel()
        np.testing.assert_array_equal(source.source.read, ahead[: len(source.source.read)])
        assert len(source.source.read) <= 16 + 3 * 4


def test_a_batch_larger_than_the_set_wraps():
    batch = next(data.stream(made(), 50, seed=0))
    assert np.bincount(batch["label"]).min() >= 2


def test_a_far_start_costs_nothing():
    source = made(lazy=True)
    next(data.stream(source, 8, 0, start=10**12, workers=1))
    assert len(source.source.read) <= 32


def test_uneven_shares_are_refused():
    with pytest.raises(UserError, match="--batch-size 10"):
        data.stream(made(), 10, 0, process_count=3)
