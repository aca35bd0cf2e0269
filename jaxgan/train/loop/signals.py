"""Asking a run to stop: the first signal is noted and answered at once, a second one ends the process."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
ENDING = (signal.SIGINT, signal.SIGTERM)
"""Signals that end the process when they come again; of SIGHUP a closed terminal and its shell send one each."""
APART = 1.0
"""Seconds between two signals that are two: launchers pass on what the terminal has sent to everybody already."""


@contextlib.contextmanager
def noted_signals(
    asked: Callable[[str], None] = lambda _: None, ends: Callable[[str], None] = lambda _: None
) -> Iterator[list[int]]:
    """A list that the first signal's number is put into.

    Outside the main thread, where Python has no signals, the list stays empty. A SIGHUP that was ignored before, as
    under nohup, stays ignored.

    Args:
        asked: is told the name of the first signal as soon as it comes, even while this thread waits for a device, in
            another thread.
        ends: is told the name of a second one, before the process ends with 128 plus its number for an exit code.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if not received:
            received.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = [number for number in SIGNALS if not _stays_ignored(number)]
    with _heard_at_once(numbers, asked, ends):
        before = {number: signal.signal(number, note) for number in numbers}
        try:
            yield received
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _stays_ignored(number: int) -> bool:
    return number not in ENDING and signal.getsignal(number) is signal.SIG_IGN


@contextlib.contextmanager
def _heard_at_once(numbers: list[int], asked: Callable[[str], None], ends: Callable[[str], None]) -> Iterator[None]:
    """A thread that hears of signals from the operating system: Python's handlers wait for the main thread."""
    mine, theirs = socket.socketpair()
    theirs.setblocking(False)

    def listen() -> None:
        first = 0.0
        while got := mine.recv(1):
            if got[0] not in numbers:
                continue
            name, now = signal.Signals(got[0]).name, time.monotonic()
            if not first:
                first = now
                asked(name)
            elif got[0] in ENDING and now - first >= APART:
                ends(name)
                os._exit(128 + got[0])

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
        thread.join()
        mine.close()
