"""Oracle: the device-resident path, indexed by `order`."""

import threading

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data.source import ArraySource, Data, Table
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
    spec = {"image": fields.image(4, 5, 3), "label": fields.label(tuple(map(str, range(23))))}
    arrays = {"image": images, "label": np.arange(23, dtype=np.int32)}
    spec = spec if labelled else fields.only(spec, "image")
    source = ArraySource({name: arrays[name] for name in spec})
    return Data((Table(Counting(source) if lazy else source, spec),), "made", "", "")


def streamed(source, *arguments, **options):
    return data.stream(source, source.spec, *arguments, **options)


def take(iterator, count):
    return [next(iterator) for _ in range(count)]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("labelled", [False, True])
def test_streaming_equals_resident(labelled, lazy):
    batches = take(streamed(made(labelled, lazy), 8, seed=5, start=3, workers=3), 6)
    (resident,), rows = data.resident(made(labelled), made(labelled).spec), data.order(23, 5, 8)
    for step, batch in enumerate(batches, 3):
        assert batch.keys() == resident.keys()
        for key in batch:
            np.testing.assert_array_equal(batch[key], resident[key][rows[step]])


def test_processes_share_a_batch_in_contiguous_rows_and_read_nothing_else():
    rows = data.order(23, 1, 12)[2:6]
    for process in range(3):
        source = made(lazy=True)
        share = take(streamed(source, 12, 1, start=2, process_index=process, process_count=3, workers=1), 4)
        own = rows[:, 4 * process : 4 * process + 4]
        np.testing.assert_array_equal([batch["label"] for batch in share], own)
        # One thread may be one batch ahead; in order, and from its own rows alone.
        ahead = data.order(23, 1, 12)[2:10][:, 4 * process : 4 * process + 4].ravel()
        np.testing.assert_array_equal(
            source.table("image").source.read, ahead[: len(source.table("image").source.read)]
        )
        assert len(source.table("image").source.read) <= 16 + 3 * 4


def test_a_batch_larger_than_the_set_wraps():
    batch = next(streamed(made(), 50, seed=0))
    assert np.bincount(batch["label"]).min() >= 2


def test_a_far_start_costs_nothing():
    source = made(lazy=True)
    next(streamed(source, 8, 0, start=10**12, workers=1))
    assert len(source.table("image").source.read) <= 32


def test_uneven_shares_are_refused():
    with pytest.raises(UserError, match="--batch-size 10"):
        streamed(made(), 10, 0, process_count=3)
