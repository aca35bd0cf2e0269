"""Files that are whole or not there, and the one rule for what stands where a result is to go.

A name that a command chooses itself is a free one. A file that the user names and that is there already is replaced,
and the command says so. A folder must be new or empty.
"""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

_STOOD: ContextVar[list[Path] | None] = ContextVar("stood", default=None)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary file to write, which takes the place of `path` at the end; nothing stays after an error."""
    temporary, stood = path.with_name(path.name + ".tmp"), path.exists()
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if stood:
        note(path)


@contextlib.contextmanager
def noticing() -> Iterator[list[Path]]:
    """A list that fills with the files that are replaced while it is open."""
    stood: list[Path] = []
    token = _STOOD.set(stood)
    try:
        yield stood
    finally:
        _STOOD.reset(token)


def note(path: Path) -> None:
    """Tell who is `noticing` that a file has been replaced."""
    noticed = _STOOD.get()
    if noticed is not None:
        noticed.append(path)


def told(stood: Sequence[Path]) -> str:
    """The end of a line on what has been written: " (replaced)", " (3 files replaced)", "" where nothing was there."""
    return "" if not stood else " (replaced)" if len(stood) == 1 else f" ({len(stood):,} files replaced)"


def free(path: Path) -> Path:
    """The path, or where it is taken the first of name-2, name-3, ... that is not."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], names) if not each.exists())
