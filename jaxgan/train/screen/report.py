"""What a command tells the person in front of it: lines, and progress, live on a terminal and now and then elsewhere.

A run speaks on standard output; where standard output is the result of a command, what it says is on stderr. Neither
can fail here (`jaxgan.streams`): a run goes on when nobody listens, and what it says is in its log.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO, cast

import jax

from jaxgan.streams import Lenient, Stream, lenient, why

SECONDS_BETWEEN_LINES = 10.0
STDOUT = "standard output"
MOST_OWN = 4  # of a system's own metrics that are shown
USUAL = (
    *("step", "images", "seconds", "loss", "grad_norm", "penalty", "r_t"),
    *("d_real", "d_fake", "accuracy_real", "accuracy_fake", "margin", "value"),
)
"""Ends of the names of metrics that games have in common; the first three are of rows of metrics.jsonl."""


def tell(text: str) -> None:
    """One line on stderr."""
    err = lenient(sys.stderr)
    err.write(text + "\n")
    err.flush()


@contextlib.contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many of `total` are done; of several processes the first one shows it."""
    if jax.process_index():
        yield lambda _: None
    elif not _moves(lenient(sys.stderr)):
        due = _now_and_then()
        yield lambda done: tell(f"{what}: {done} of {total}") if due() else None
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(bar_width=20), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(file=cast(TextIO, lenient(sys.stderr)))
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)


@contextlib.contextmanager
def reading(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """As `counting`, for what has already taken a while: the first line comes at once."""
    with counting(what, total) as tell_done:
        if not jax.process_index() and not _moves(lenient(sys.stderr)):
            tell(f"{what}: {total:,} examples, which takes a while")
        yield tell_done


def _now_and_then() -> Callable[[], bool]:
    """Whether it is time for another line: ten seconds after the last, the first time after now."""
    last = time.monotonic()

    def due() -> bool:
        nonlocal last
        if time.monotonic() - last < SECONDS_BETWEEN_LINES:
            return False
        last = time.monotonic()
        return True

    return due


class Report:
    """Where a run speaks. This one says nothing, as the processes of a run that are not the first."""

    def line(self, text: str) -> None:
        """One line that stays."""

    def start(self, done: int, total: int) -> None:
        """Progress begins at step `done` of `total`."""

    def progress(self, step: int, rate: float, images: float, metrics: Mapping[str, float]) -> None:
        """`step` steps are done, at `rate` steps and `images` images a second."""

    def stop(self) -> None:
        """Progress ends."""


class _Told(Report):
    """A report by a stream that may take nothing more, which is told once and is no reason to end."""

    def __init__(self, out: Stream | None, name: str) -> None:
        self._out, self._name, self._whole = lenient(out), name, True

    def _look(self) -> None:
        failure, self._out.failure = self._out.failure, None
        if failure and self._whole:
            self._whole = False
            reason = why(failure)
            told = f"cannot be written ({reason})" if reason else "is not read any more"
            tell(f"jaxgan: {self._name} {told}; the run goes on.")


class PlainReport(_Told):
    """Lines of text, for files and pipes."""

    def __init__(self, out: Stream | None = None, name: str = STDOUT) -> None:
        """Write to `out`, which people know as `name`; to standard output unless given."""
        super().__init__(out or sys.stdout, name)
        self._total = 0
        self._due = _now_and_then()

    def line(self, text: str) -> None:
        """One line."""
        self._out.write(text + "\n")
        self._out.flush()
        self._look()

    def start(self, done: int, total: int) -> None:  # noqa: ARG002
        """Progress begins."""
        self._total, self._due = total, _now_and_then()

    def progress(self, step: int, rate: float, images: float, metrics: Mapping[str, float]) -> None:
        """A line every ten seconds, and at the last step."""
        if self._due() or step == self._total:
            self.line(f"step {step}/{self._total}  {speed(self._total - step, rate, images)}  {scores(metrics)}")

    def stop(self) -> None:
        """Nothing to clear away."""


class LiveReport(_Told):
    """A progress bar under the lines, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console

        super().__init__(sys.stdout, STDOUT)
        self._console = Console(file=cast(TextIO, self._out), highlight=False)
        self._bar: Any = None
        self._task: Any = None

    def line(self, text: str) -> None:
        """One line above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)
        self._look()

    def start(self, done: int, total: int) -> None:
        """Show the bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        text = TextColumn("{task.fields[text]}", markup=False)
        self._bar = Progress(BarColumn(bar_width=14), MofNCompleteColumn(), text, console=self._console)
        self._task = self._bar.add_task("", total=total, completed=done, text="")
        self._bar.start()

    def progress(self, step: int, rate: float, images: float, metrics: Mapping[str, float]) -> None:
        """Move the bar."""
        total = self._bar.tasks[0].total
        # Two rows, so that an 80-column terminal shows all of it.
        text = f"{speed(total - step, rate, images)}\n{scores(metrics)}"
        self._bar.update(self._task, completed=step, text=text)

    def stop(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.stop()
            self._look()


def make_report() -> Report:
    """Live on a terminal that can show the bar, plain elsewhere."""
    out = lenient(sys.stdout)
    utf = (getattr(out, "encoding", None) or "").lower().startswith("utf")
    return LiveReport() if utf and _moves(out) else PlainReport()


def _moves(out: Lenient) -> bool:
    """Whether a stream is a terminal on which what was written can be written over."""
    if not out.isatty():
        return False
    from rich.console import Console

    return not Console(file=cast(TextIO, out)).is_dumb_terminal


def scores(metrics: Mapping[str, float]) -> str:
    """Losses, D(x) and D(G(z)) of each duel, and the system's own metrics, in a few words."""
    losses = {name.removesuffix("/loss").upper(): value for name, value in metrics.items() if name.endswith("/loss")}
    beliefs = [_of_boards(shown, metrics, name) for shown, name in (("D(x)", "d_real"), ("D(G(z))", "d_fake"))]
    own = [f"{name} {metrics[name]:.3g}" for name in own_metrics(metrics)]
    return "  ".join([*(f"{name} {value:.3f}" for name, value in losses.items()), *filter(None, beliefs), *own])


def own_metrics(names: Iterable[str]) -> list[str]:
    """Those of the metrics that only this system has, at most `MOST_OWN`; of a row of metrics.jsonl too."""
    return [name for name in names if _last(name) not in USUAL][:MOST_OWN]


def _of_boards(shown: str, metrics: Mapping[str, float], name: str) -> str:
    """A number of the scoreboard, of a system with several duels for each: `D(x) a 0.512 b 0.498`."""
    found = {each.removesuffix(name).strip("/"): value for each, value in metrics.items() if _last(each) == name}
    numbers = [f"{board} {value:.3f}".strip() for board, value in found.items()]
    return f"{shown} {' '.join(numbers)}" if numbers else ""


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def speed(steps: int, rate: float, images: float) -> str:
    """Rates, and the time that `steps` more steps take, in a few words."""
    left = duration(steps / rate) if rate else "?"
    return f"{per_second(rate)} steps/s  {images:,.0f} examples/s  {left} left"


def per_second(rate: float) -> str:
    """A rate for people: 0.123, 45.6, 2,780."""
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 100 else f"{rate:.3g}"


def duration(seconds: float) -> str:
    """A time span for people: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def quantity(number: float) -> str:
    """A count for people: 1.94 M, 20 G."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f} "
