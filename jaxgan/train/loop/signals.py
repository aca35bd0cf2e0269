"""Asking a run to stop: the first SIGINT or SIGTERM is noted, the second one kills."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def noted_signals() -> Iterator[list[int]]:
    """A list that the first signal's number is put into; the next signal is left to the operating system.

    Outside the main thread, where Python has no signals, the list stays empty.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for each in SIGNALS:  # even within a call into the compiler or the device
            signal.signal(each, signal.SIG_DFL)

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
