"""How fast a run goes, and how many steps to give the device at once."""

import time

SECONDS_A_DISPATCH = 1.0  # long enough to take working memory from the system rarely, short enough for Ctrl-C
SECONDS_BEFORE_ESTIMATE = 1.0
GROWTH = 4  # a chunk is at most this many times as long as the one before it


class DispatchLength:
    """Measures chunks of steps and chooses the length of the next.

    Attributes:
        count: steps that the next dispatch should have.
        rate: steps a second lately, pauses for pictures and checkpoints included; 0 until known.
    """

    def __init__(self, fixed: int | None, capacity: int) -> None:
        """`fixed` steps a dispatch, or as many as take a second, up to `capacity`."""
        self.count = fixed or 1
        self.rate = 0.0
        self._adapt = fixed is None
        self._capacity = capacity
        self._begin = self._last = time.perf_counter()
        self._measured = 0.0
        self._told = False
        self._warm = False

    def measure(self, steps: int, dispatched: float) -> tuple[float, float]:
        """A chunk of `steps` steps that was dispatched at the clock time `dispatched` has just been completed.

        Returns:
            When the device began and ended it, in seconds since the run began.
        """
        now, began = time.perf_counter(), max(dispatched, self._last)
        if self._warm:  # the first chunk warms up
            pause_and_work = max(now - self._last, 1e-9)
            self._measured += pause_and_work
            weight = min(1.0, max(pause_and_work, 0.1) / min(self._measured, 10.0))
            self.rate += weight * (steps / pause_and_work - self.rate)
            self._choose((now - began) / steps)
        self._warm, self._last = True, now
        return began - self._begin, now - self._begin

    def news(self) -> bool:
        """Whether the rate has just become worth telling; true once."""
        told, self._told = self._told, self._told or self._measured >= SECONDS_BEFORE_ESTIMATE
        return self._told and not told

    def _choose(self, seconds_a_step: float) -> None:
        if self._adapt:
            wanted = round(SECONDS_A_DISPATCH / max(seconds_a_step, 1e-9))
            self.count = max(1, min(wanted, GROWTH * self.count, self._capacity))
