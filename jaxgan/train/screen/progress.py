"""Progress of a command whose standard output is its result: on stderr, a bar on terminals, else lines."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import jax

SECONDS_BETWEEN_LINES = 10.0


def tell(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many of `total` are done; of several processes the first one shows it."""
    if jax.process_index():
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        yield _lines(what, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    text = TextColumn("{task.description}", markup=False)
    columns = (text, BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextlib.contextmanager
def reading(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """As `counting`, for what has already taken a while: the first line comes at once."""
    with counting(what, total) as tell_done:
        if not jax.process_index() and not sys.stderr.isatty():
            tell(f"{what}: {total:,} examples, which takes a while")
        yield tell_done


def _lines(what: str, total: int) -> Callable[[int], None]:
    last = time.monotonic()

    def progress(done: int) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            tell(f"{what}: {done} of {total}")

    return progress
