"""The log of a run: what people were told, for those who come later."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import jaxgan
from jaxgan.train.screen.report import PlainReport, Report


class LoggedReport(Report):
    """Says everything twice: to people, and in the log of the run as soon as it has one."""

    def __init__(self, shown: Report) -> None:
        """Say it to people by `shown`."""
        self._shown = shown
        self._log: Report | None = None
        self._early: list[str] = []

    @contextlib.contextmanager
    def kept(self, path: Path) -> Iterator[None]:
        """Within it, what is said is appended to the file, after what has been said already.

        A disk that is full, or another fault of the file, is told once and costs lines of the log, not the run.
        """
        try:
            file = path.open("a", encoding="utf-8", errors="replace")
        except OSError as error:
            self._shown.line(f"Warning     {path} cannot be written ({error.strerror}): there is no log of this.")
            self._early, self._log = [], Report()
            yield
            return
        early, self._early = self._early, []
        self._log = PlainReport(file, str(path))
        for line in (f"--- {time.strftime('%Y-%m-%d %H:%M:%S')}, jaxgan {jaxgan.__version__}", *early):
            self._log.line(line)
        try:
            yield
        finally:
            self._log = None
            with contextlib.suppress(OSError):  # what a full disk did not take
                file.close()

    def line(self, text: str) -> None:
        """One line that stays, in both."""
        self._shown.line(text)
        self.note(text)

    def note(self, text: str) -> None:
        """One line for the log alone, of what people are told in another way."""
        if self._log is None:
            self._early.append(text)
        else:
            self._log.line(text)

    def start(self, done: int, total: int) -> None:
        """Progress begins."""
        self._shown.start(done, total)
        if self._log:
            self._log.start(done, total)

    def progress(self, step: int, rate: float, images: float, metrics: Mapping[str, float]) -> None:
        """Progress, of which the log has a line every ten seconds."""
        self._shown.progress(step, rate, images, metrics)
        if self._log:
            self._log.progress(step, rate, images, metrics)

    def stop(self) -> None:
        """Progress ends."""
        self._shown.stop()
