"""Work on many images at once: decoders leave the interpreter lock, so threads are enough."""

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_threads(function: Callable[[int], T], count: int) -> list[T]:
    """Returns [function(0), ..., function(count - 1)], computed by threads in chunks."""
    chunk = max(1, min(64, count // 64))

    def run(start: int) -> list[T]:
        return [function(index) for index in range(start, min(start + chunk, count))]

    # Pillow warns of large images and odd metadata; what it cannot decode is reported by the caller in one go.
    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.simplefilter("ignore")
        return [result for results in pool.map(run, range(0, count, chunk)) for result in results]
