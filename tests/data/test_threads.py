"""Work in threads. Oracles: the same work one by one, and what was told of it."""

import contextlib
import time

import pytest

from jaxgan.data import threads


def test_what_stops_the_work_does_not_wait_for_all_of_it(monkeypatch):
    monkeypatch.setattr(threads, "PATIENCE", -1.0)
    done = []

    def teller(what, total):
        raise KeyboardInterrupt

    with threads.telling(teller), pytest.raises(KeyboardInterrupt):
        threads.in_threads(lambda i: done.append(time.sleep(0.005)), 6400)
    assert len(done) < 6400


@pytest.mark.parametrize(("patience", "told"), [(-1.0, True), (1e9, False)])
def test_what_takes_long_is_told(monkeypatch, patience, told):
    monkeypatch.setattr(threads, "PATIENCE", patience)
    said = []

    @contextlib.contextmanager
    def teller(what, total):
        said.append((what, total))
        yield said.append
        said.append("over")

    with threads.telling(teller):
        assert threads.in_threads(lambda i: i * i, 300) == [i * i for i in range(300)]
    assert (said[:1] + said[-2:] == [("Reading data", 300), 300, "over"]) == told
    assert bool(said) == told
    said.clear()
    threads.in_threads(lambda i: i, 3)
    assert not said
