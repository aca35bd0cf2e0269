"""Work on many images at once: decoders leave the interpreter lock, so threads are enough."""

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

T = TypeVar("T")
PATIENCE = 2.0
"""Seconds after which it is told how far the work is."""
Teller: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""`(what, total)` -> within it, a function that is told how many are done."""
_TELLER: ContextVar[Teller | None] = ContextVar("teller", default=None)


@contextlib.contextmanager
def telling(teller: Teller) -> Iterator[None]:
    """Within it, reading that takes longer than `PATIENCE` tells how far it is."""
    token = _TELLER.set(teller)
    try:
        yield
    finally:
        _TELLER.reset(token)


def in_threads(function: Callable[[int], T], count: int) -> list[T]:
    """Returns [function(0), ..., function(count - 1)], computed by threads in chunks."""
    chunk, stopped = max(1, min(64, count // 64)), threading.Event()

    def run(start: int) -> list[T]:
        return [function(index) for index in range(start, min(start + chunk, count)) if not stopped.is_set()]

    # Pillow warns of large images and odd metadata; what it cannot decode is reported by the caller in one go.
    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.simplefilter("ignore")
        try:
            return _gathered(pool.map(run, range(0, count, chunk)), count)
        except BaseException:  # Ctrl-C too, which does not wait for all that has been handed out
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _gathered(parts: Iterator[list[T]], count: int) -> list[T]:
    """Returns all results in order; tells how many there are when it takes long."""
    results: list[T] = []
    teller, start = _TELLER.get(), time.monotonic()
    with contextlib.ExitStack() as stack:
        tell: Callable[[int], None] | None = None
        for part in parts:
            results += part
            if teller and tell is None and time.monotonic() - start > PATIENCE:
                tell = stack.enter_context(teller("Reading data", count))
            if tell:
                tell(len(results))
    return results
