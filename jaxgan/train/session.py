"""The loop: dispatch, watch, log, sample, save, and stop cleanly."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxgan.game.state import GameState, Metrics
from jaxgan.train import checkpoint
from jaxgan.train.best import Best
from jaxgan.train.chunk import all_finite
from jaxgan.train.feed import Feed
from jaxgan.train.pace import Pace
from jaxgan.train.pictures import columns_of, grid
from jaxgan.train.plan import Plan
from jaxgan.train.record import Recorder
from jaxgan.train.report import duration, per_second
from jaxgan.train.rundir import RunDir
from jaxgan.train.sampling import make_sampler
from jaxgan.train.signals import noted_signals
from jaxgan.train.trouble import TrainingError, computing, what_is_left, writing

Advance: TypeAlias = Callable[..., tuple[GameState, Metrics]]


class Dispatched(NamedTuple):
    """A chunk on its way: it began at step `start`; its metrics may not have been computed yet."""

    start: int
    steps: int
    metrics: Metrics
    clock: float


class Session:
    """All that the loop needs, put together by `fit`, and the little that it remembers."""

    def __init__(
        self,
        plan: Plan,
        folder: RunDir,
        feed: Feed,
        advance: Advance,
        recorder: Recorder | None,
        seconds: float,
        saved: int | None,
        best: Best | None = None,
    ) -> None:
        """What `fit` has prepared.

        Args:
            plan: the run.
            folder: where it writes.
            feed: where chunks come from.
            advance: the compiled `(state, chunk, key) -> (state, metrics)`.
            recorder: None in processes that do not write.
            seconds: time that earlier parts of a resumed run took.
            saved: the newest checkpoint's step, or None.
            best: what measures states and keeps the best, or None.
        """
        self.plan, self.run, self.folder, self.feed, self.advance = plan, plan.run, folder, feed, advance
        self.recorder, self.report, self.seconds, self.saved = recorder, plan.report, seconds, saved
        self.total, self.key, self.best = plan.config.steps, plan.key, best
        self.columns = columns_of(self.run.samples, plan.classes)
        n = -(-self.run.samples // self.columns) * self.columns
        self.draw = make_sampler(plan.system, n, self.run.seed, plan.classes)

    def train(self, state: GameState, step: int, first: Any) -> tuple[GameState, int, int | None]:
        """Train from `step` to the end.

        Args:
            state: the state after `step` steps; its memory is reused.
            step: steps done.
            first: the chunk of the next step, of length 1.

        Returns:
            The state, the steps done, and the signal that stopped the run before its last step, if one did.

        Raises:
            TrainingError: a number that is not finite, a full disk, or too little memory.
        """
        with computing(self._what_is_left):
            return self._train(state, step, first)

    def _train(self, state: GameState, step: int, first: Any) -> tuple[GameState, int, int | None]:
        pace, pending, signal = self._pace(), None, None
        if step == 0:
            self._sample(state, step)
        with noted_signals() as received:
            while step < self.total and not signal:
                count = 1 if first is not None else min(pace.count, self._next_stop(step) - step)
                chunk, first = first if first is not None else self.feed.chunk(step, count), None
                state, metrics = self.advance(state, chunk, self.key)
                if pending:
                    self._digest(pending, pace)
                pending, step = Dispatched(step, count, metrics, time.perf_counter()), step + count
                signal = _agreed(received[0] if received else None)
                if signal or step == self._next_stop(step - 1):
                    # The state is about to be read; what led to it is looked at first.
                    self._digest(pending, pace)
                    pending = None
                    self._rest(state, step, bool(signal))
        return state, step, signal if step < self.total else None

    def _pace(self) -> Pace:
        # Several processes must agree on the length of a chunk, so they cannot choose it by their clocks.
        several = jax.process_count() > 1
        return Pace(self.run.steps_per_dispatch or (self.feed.capacity if several else None), self.feed.capacity)

    def _next_stop(self, step: int) -> int:
        """The first step after `step` at which the state is read."""
        periods = (self.run.checkpoint_every, self.run.sample_every, self.run.eval_every or self.total)
        return min(self.total, *(step - step % period + period for period in periods))

    def _rest(self, state: GameState, step: int, stopping: bool) -> None:
        last = step == self.total
        if step % self.run.sample_every == 0 or last:
            self._sample(state, step)
        if step % self.run.checkpoint_every == 0 or last or stopping:
            self._save(state, step)
        if self.best and (step % (self.run.eval_every or self.total) == 0 or last):
            self._require_finite_state(state, step)
            with writing(self.folder, self._what_is_left):
                self.report.line(self.best.consider(state, step))

    def _digest(self, chunk: Dispatched, pace: Pace) -> None:
        """Wait for a chunk, make sure that all its metrics are finite, log them, show the last."""
        metrics = {name: values[: chunk.steps] for name, values in jax.device_get(chunk.metrics).items()}
        began, now = pace.measure(chunk.steps, chunk.clock)
        row: dict[str, float] = {}
        for i in range(chunk.steps):
            row = {name: float(values[i]) for name, values in metrics.items()}
            step = chunk.start + i + 1
            self._require_finite(row, step)
            if self.recorder and (step % self.run.log_every == 0 or step == 1):
                seconds = self.seconds + began + (now - began) * (i + 1) / chunk.steps
                log = {"step": step, "images": step * self.plan.rows, "seconds": round(seconds, 3), **row}
                with writing(self.folder, self._what_is_left):
                    self.recorder.log(log)
        done = chunk.start + chunk.steps
        if pace.news():
            left = duration((self.total - done) / pace.rate)
            self.report.line(
                f"Time        {per_second(pace.rate)} steps/s: about {left} for {self.total - done:,} more steps"
            )
        self.report.progress(done, pace.rate, pace.rate * self.plan.rows, row)

    def _require_finite(self, row: dict[str, float], step: int) -> None:
        broken = [f"{name} is {value}" for name, value in row.items() if not np.isfinite(value)]
        if broken:
            raise TrainingError(f"at step {step} {', '.join(broken)}; {self._what_is_left()}")

    def _require_finite_state(self, state: GameState, step: int) -> None:
        if not all_finite(state):
            raise TrainingError(f"after step {step} the state is not finite and is not saved; {self._what_is_left()}")

    def _sample(self, state: GameState, step: int) -> None:
        images = self.draw(state)
        if self.recorder:
            with writing(self.folder, self._what_is_left):
                self.recorder.picture(step, grid(images, self.columns))

    def _save(self, state: GameState, step: int) -> None:
        if step == self.saved:
            return
        self._require_finite_state(state, step)
        if self.recorder:
            with writing(self.folder, self._what_is_left):
                self.recorder.flush()
        try:
            metadata = {**self.plan.description(), "step": step}
            checkpoint.save(self.folder.checkpoints, step, state, metadata, self.run.keep)
        except (OSError, ValueError) as error:  # a full disk; tensorstore says so by a ValueError
            reason = str(error).splitlines()[0]
            raise TrainingError(f"checkpoint {step} cannot be written ({reason}); {self._what_is_left()}") from error
        self.saved = step

    def _what_is_left(self) -> str:
        return what_is_left(self.folder, self.saved)


def _agreed(signal: int | None) -> int | None:
    """The signal that any process of the run has received: all must stop at the same step."""
    if jax.process_count() == 1:
        return signal
    from jax.experimental import multihost_utils

    return int(np.max(multihost_utils.process_allgather(np.int32(signal or 0)))) or None
