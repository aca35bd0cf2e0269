"""Standard output and error that cannot fail: closed, full, gone, or of an encoding that lacks a letter.

What is said on them is told to people; no such failure is a reason to end what they have asked for.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, TypeAlias, cast

Stream: TypeAlias = Any
"""What has `write`, `flush` and `isatty`: notebooks and others that listen put streams of their own in place."""


class Lenient:
    """A text stream that takes whatever is written; in all else the stream that it is made of.

    Attributes:
        failure: the last error of the stream, None while there was none, or when it has been told.
    """

    def __init__(self, stream: Stream) -> None:
        """Write to `stream` what it can take."""
        self._stream = stream
        self.failure: Exception | None = None

    def write(self, text: str) -> int:
        """Write a text, with question marks for what the encoding lacks, such as letters of a folder's name."""
        try:
            return self._stream.write(text)
        except UnicodeEncodeError:
            encoding = getattr(self._stream, "encoding", None) or "ascii"
            return self.write(text.encode(encoding, "replace").decode(encoding))
        except (OSError, ValueError) as error:  # the latter of a stream that this process has closed
            self.failure = error
            return len(text)

    def flush(self) -> None:
        """Hand over what was written, if anybody takes it."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self.failure = error

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        try:
            return self._stream.isatty()
        except (OSError, ValueError):
            return False

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of a stream."""
        return getattr(self._stream, name)


def lenient(stream: Stream | None) -> Lenient:
    """The stream as one that cannot fail; of a missing one, as without a console, what nobody reads."""
    return stream if isinstance(stream, Lenient) else Lenient(_Nowhere() if stream is None else stream)


class _Nowhere(io.TextIOBase):
    """Takes everything."""

    def write(self, text: str, /) -> int:
        return len(text)


def why(failure: Exception) -> str:
    """An error of a stream in a few words; "" where its reader has gone, which a reader may."""
    if isinstance(failure, BrokenPipeError):
        return ""
    return (isinstance(failure, OSError) and failure.strerror) or str(failure)


@contextlib.contextmanager
def unfailing() -> Iterator[Lenient]:
    """Within it, for a whole process, print and all else that writes to standard output and error cannot fail.

    Gives standard output, whose `failure` says afterwards whether something was lost.
    """
    _occupy()
    out, err = lenient(sys.stdout), lenient(sys.stderr)
    try:
        with contextlib.redirect_stdout(cast(TextIO, out)), contextlib.redirect_stderr(cast(TextIO, err)):
            yield out
    finally:
        for stream in (out, err):
            _settle(stream)


def _occupy() -> None:
    """Open what was closed: the first file opened would be taken for standard output by whatever writes there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number


def _settle(stream: Lenient) -> None:
    """Let what a stream could not take vanish: Python would try once more at its end, and complain."""
    stream.flush()
    if stream.failure is None:
        return
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
