"""How many steps a dispatch gets. Oracle: arithmetic on a clock that the test sets."""

import pytest

from jaxgan.train.loop import dispatch_length


class Clock:
    now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(dispatch_length, "time", clock)
    return clock


def run(chosen, clock, seconds_a_step, chunks):
    counts = []
    for _ in range(chunks):
        count, dispatched = chosen.count, clock.now
        clock.now += count * seconds_a_step
        chosen.measure(count, dispatched)
        counts.append(count)
    return counts


def test_chunks_grow_to_a_second(clock):
    chosen = dispatch_length.DispatchLength(None, 256)
    assert run(chosen, clock, 0.04, 5) == [1, 1, 4, 16, 25]
    assert chosen.rate == pytest.approx(25)


def test_chunks_never_exceed_the_buffers(clock):
    assert run(dispatch_length.DispatchLength(None, 8), clock, 0.0001, 5) == [1, 1, 4, 8, 8]


def test_slow_steps_go_one_by_one(clock):
    assert run(dispatch_length.DispatchLength(None, 8), clock, 3.0, 3) == [1, 1, 1]


def test_a_fixed_length_stays(clock):
    assert run(dispatch_length.DispatchLength(7, 7), clock, 0.0001, 3) == [7, 7, 7]


def test_pauses_slow_the_rate_but_not_the_chunks(clock):
    chosen = dispatch_length.DispatchLength(None, 256)
    run(chosen, clock, 0.04, 5)
    clock.now += 5.0  # a checkpoint
    dispatched = clock.now
    clock.now += 1.0
    began, ended = chosen.measure(25, dispatched)
    assert chosen.count == 25
    assert chosen.rate < 22
    assert ended - began == pytest.approx(1.0)


def test_the_estimate_is_told_once(clock):
    chosen = dispatch_length.DispatchLength(None, 256)
    run(chosen, clock, 0.01, 4)
    assert not chosen.news()
    run(chosen, clock, 0.01, 4)
    assert chosen.news()
    assert not chosen.news()
