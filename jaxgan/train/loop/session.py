"""The loop: dispatch, watch, log, sample, save, and stop cleanly."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxgan.game import GameState, Metrics
from jaxgan.signals import noted_signals
from jaxgan.train.cluster import consensus
from jaxgan.train.loop.best import Best
from jaxgan.train.loop.chunk_step import all_finite
from jaxgan.train.loop.chunks import Chunks
from jaxgan.train.loop.dispatch_length import DispatchLength
from jaxgan.train.loop.monitoring import Monitor
from jaxgan.train.loop.plan import Plan
from jaxgan.train.loop.previews import make_previews
from jaxgan.train.loop.rollback import MONITOR
from jaxgan.train.monitor.rules import not_finite
from jaxgan.train.run import checkpoint
from jaxgan.train.run.failures import computing, what_is_left, writing
from jaxgan.train.run.record import Recorder
from jaxgan.train.run.rundir import RunDir
from jaxgan.train.screen.report import duration, per_second

Advance: TypeAlias = Callable[..., tuple[GameState, Metrics]]


class Dispatched(NamedTuple):
    """A chunk on its way: it began at step `start`; its metrics may not have been computed yet."""

    start: int
    steps: int
    metrics: Metrics
    clock: float


class Past(NamedTuple):
    """What a run was when it was opened.

    Attributes:
        saved: the newest checkpoint's step; None at the beginning.
        seconds: time that its earlier parts took.
        rollbacks: how often it has gone back.
    """

    saved: int | None = None
    seconds: float = 0.0
    rollbacks: int = 0


class Session:
    """All that the loop needs, put together by `fit`, and the little that it remembers."""

    def __init__(
        self,
        plan: Plan,
        folder: RunDir,
        *,
        chunks: Chunks,
        advance: Advance,
        recorder: Recorder | None,
        monitor: Monitor,
        best: Best | None,
        past: Past,
    ) -> None:
        """What `fit` has prepared.

        Args:
            plan: the run.
            folder: where it writes.
            chunks: what steps are trained on.
            advance: the compiled `(state, chunk, key) -> (state, metrics)`.
            recorder: None in processes that do not write.
            monitor: what watches the run.
            best: what measures states and keeps the best, or None.
            past: what the run was when it was opened.
        """
        self.plan, self.run, self.folder, self.chunks, self.advance = plan, plan.run, folder, chunks, advance
        self.recorder, self.report, self.seconds, self.saved = recorder, plan.report, past.seconds, past.saved
        self.total, self.key, self.best, self.monitor = plan.ends, plan.key(past.rollbacks), best, monitor
        self.row: dict[str, float] = {}  # of the last step that was looked at
        self.previews = make_previews(plan.system, plan.held, self.run.samples, self.run.seed)
        self.watched = next((each for each in self.previews if each.verb == self.monitor.verb), None)

    def train(self, state: GameState, step: int, first: Any) -> tuple[GameState, int, int | None]:
        """Train from `step` to the end of the stage.

        Args:
            state: the state after `step` steps; its memory is reused.
            step: steps done.
            first: the chunk of the next step, of length 1.

        Returns:
            The state, the steps done, and the signal that stopped the run before its last step, if one did.

        Raises:
            TrainingError: a number that is not finite, a collapse, a full disk, or too little memory.
            Collapse: the run is to go back.
        """
        with computing(self._what_is_left):
            return self._train(state, step, first)

    def _train(self, state: GameState, step: int, first: Any) -> tuple[GameState, int, int | None]:
        pace, pending, signal = self._pace(), None, None
        ahead = (first, 1)
        if step == 0:
            self._sample(state, step)
        with noted_signals(self._asked, self._ended) as received:
            while step < self.total and not signal:
                chunk, count = ahead or self._chunk(step, pace)
                state, metrics = self.advance(state, chunk, self.key)
                if pending:
                    self._digest(pending, pace)
                pending, step = Dispatched(step, count, metrics, time.perf_counter()), step + count
                stop = self.monitor.stopping or step == self._next_stop(step - 1)
                # Read while the devices compute: to agree is to wait for them.
                ahead = None if stop else self._chunk(step, pace)
                signal = consensus.largest(received[0] if received else 0) or None
                if signal or stop:
                    # The state is about to be read; what led to it is looked at first.
                    self._digest(pending, pace)
                    pending = None
                    self._rest(state, step, bool(signal))
            if step == self.total < self.plan.config.steps:  # a signal that came while the end of a stage was saved
                signal = signal or consensus.largest(received[0] if received else 0) or None
        return state, step, signal if step < self.plan.config.steps else None

    def _chunk(self, step: int, pace: DispatchLength) -> tuple[Any, int]:
        """What the steps after `step` are trained on, up to the next stop, and how many they are."""
        count = min(pace.count, self._next_stop(step) - step)
        return self.chunks.chunk(step, count), count

    def _pace(self) -> DispatchLength:
        # Several processes must agree on the length of a chunk, so they cannot choose it by their clocks.
        several = jax.process_count() > 1
        return DispatchLength(
            self.run.steps_per_dispatch or (self.chunks.capacity if several else None), self.chunks.capacity
        )

    def _next_stop(self, step: int) -> int:
        """The first step after `step` at which the state is read."""
        periods = (self.run.checkpoint_every, self.run.sample_every, self.run.eval_every or self.total)
        return min(self.total, *(step - step % period + period for period in periods))

    def _rest(self, state: GameState, step: int, stopping: bool) -> None:
        last, due = step == self.total, step % self.run.checkpoint_every == 0
        if due or last or step % self.run.sample_every == 0:  # a checkpoint is healthy only if its samples are
            self._sample(state, step)
        if due or last or stopping or self.monitor.stopping:
            self._save(state, step, due)
        if self.best and (step % (self.run.eval_every or self.total) == 0 or last):
            self._require_finite_state(state, step)
            with writing(self.folder, self._what_is_left):
                self.report.line(self.best.consider(state, step, self.row))
        if last or step % self.run.sample_every == 0:
            for callback in self.plan.callbacks:
                callback(step, state, dict(self.row))
        if self.monitor.stopping:
            raise self.monitor.farewell(self.monitor.stopping, step)

    def _digest(self, chunk: Dispatched, pace: DispatchLength) -> None:
        """Wait for a chunk, make sure that all its metrics are finite, watch and log them, show the last."""
        metrics = {name: values[: chunk.steps] for name, values in jax.device_get(chunk.metrics).items()}
        began, now = pace.measure(chunk.steps, chunk.clock)
        row: dict[str, float] = {}
        for i in range(chunk.steps):
            row = {name: float(values[i]) for name, values in metrics.items()}
            step = chunk.start + i + 1
            seconds = self.seconds + began + (now - began) * (i + 1) / chunk.steps
            with writing(self.folder, self._what_is_left):
                self._look(row, step, seconds)
        done = chunk.start + chunk.steps
        if done < self.total and pace.news():
            left, of = self.total - done, f" of {self.plan.stage.name}" if self.plan.stage.name else ""
            about = f"about {duration(left / pace.rate)} for {left:,} more steps{of}"
            self.report.line(f"Time        {per_second(pace.rate)} steps/s: {about}")
        self.row = row
        self.report.progress(done, pace.rate, pace.rate * self.plan.rows, row)

    def _look(self, row: dict[str, float], step: int, seconds: float) -> None:
        """Watch and log the metrics of a step."""
        broken = ", ".join(f"{name} is {value}" for name, value in row.items() if not np.isfinite(value))
        if broken:
            self.monitor.broken(step, not_finite(broken), f"at step {step} {broken}; {self._what_is_left()}")
        if self.recorder and (step % self.run.log_every == 0 or step == 1):
            log = {"step": step, "images": step * self.plan.rows, "seconds": round(seconds, 3)}
            self.recorder.log({**log, **row})
        self.monitor.see(step, row)

    def _require_finite_state(self, state: GameState, step: int) -> None:
        if not all_finite(state):
            sentence = f"after step {step} the state is not finite and is not saved; {self._what_is_left()}"
            self.monitor.broken(step, not_finite("the state is not finite"), sentence)

    def _sample(self, state: GameState, step: int) -> None:
        pictured = step % self.run.sample_every == 0
        regular = pictured or step % self.run.checkpoint_every == 0
        for preview in self.previews:
            made = preview.draw(state)
            with writing(self.folder, self._what_is_left):
                if self.recorder and (pictured or step == self.total):
                    self.recorder.picture(step, preview.picture(made), preview.suffix)
                if preview is self.watched:
                    self.monitor.see_samples(step, made, regular)

    def _save(self, state: GameState, step: int, due: bool) -> None:
        if step == self.saved:
            return
        self._require_finite_state(state, step)
        if due and self.monitor.watch.sound:
            self.monitor.watch.healthy = step
        healthy, monitor = self.monitor.watch.healthy, {MONITOR: self.monitor.watch.to_json()}
        metadata = {**self.plan.description(), "step": step, **monitor}
        with writing(self.folder, self._what_is_left):
            if self.recorder:
                self.recorder.flush()
            checkpoint.save(self.folder.checkpoints, step, state, metadata, self.run.keep, protect=healthy)
        self.saved = step

    def _asked(self, name: str) -> None:
        self.report.line(f"{name:<11} stopping, saving ... (Ctrl-C now ends it without saving)")

    def _ended(self, name: str) -> None:
        self.report.stop()  # a terminal's cursor comes back
        self.report.line(f"{name:<11} {self._what_is_left()}")

    def _what_is_left(self) -> str:
        return what_is_left(self.folder, self.saved)
