"""Asking to stop: a run notes the first signal, answers at once and saves; where nothing can be saved, it ends."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
    with _heard_at_once(numbers, asked, ends), _handled(numbers, note):
        yield received


@contextlib.contextmanager
def ending(ends: Callable[[str], None], asked: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Within it SIGTERM and SIGHUP, which else end a process without a word, end it with one.

    At once, even while this thread waits for a compiler, with 128 plus the signal's number for an exit code. A signal
    that somebody ignores or handles already stays so. SIGINT stays Python's KeyboardInterrupt, which waits for the
    compiler; a second one ends the process at once. Outside the main thread nothing changes.

    Args:
        ends: is told the name of the signal, in another thread, before the process ends.
        asked: is told the name of a first SIGINT as soon as it comes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    fatal = [number for number in SIGNALS if signal.getsignal(number) in (signal.SIG_DFL, _heard)]
    waits = [signal.SIGINT] if signal.getsignal(signal.SIGINT) is signal.default_int_handler else []
    with _heard_at_once([*fatal, *waits], asked, ends, fatal), _handled(fatal, _heard):
        yield


def _heard(_number: int, _frame: FrameType | None) -> None:
    """The thread that listens does all."""


@contextlib.contextmanager
def _handled(numbers: Sequence[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, own)


def _stays_ignored(number: int) -> bool:
    return number not in ENDING and signal.getsignal(number) is signal.SIG_IGN


@contextlib.contextmanager
def _heard_at_once(
    numbers: Sequence[int], asked: Callable[[str], None], ends: Callable[[str], None], fatal: Sequence[int] = ()
) -> Iterator[None]:
    """A thread that hears of signals from the operating system: Python's handlers wait for the main thread.

    `fatal` ones end the process when they come for the first time.
    """
    mine, theirs = socket.socketpair()
    theirs.setblocking(False)

    def listen() -> None:
        first = 0.0
        while got := mine.recv(1):
            if got[0] not in numbers:
                continue
            name, now = signal.Signals(got[0]).name, time.monotonic()
            if not first and got[0] not in fatal:
                first = now
                asked(name)
            elif got[0] in fatal or (got[0] in ENDING and now - first >= APART):
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
