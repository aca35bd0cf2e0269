"""The monitor of a run: what it sees is said and written down, and what --on-collapse asks for is done."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from jaxgan import fields
from jaxgan.data import Table, gather
from jaxgan.data.source import spread
from jaxgan.train.cluster import consensus
from jaxgan.train.loop.plan import Plan
from jaxgan.train.loop.scoring import measured
from jaxgan.train.monitor import diversity
from jaxgan.train.monitor.episodes import Episodes, Event
from jaxgan.train.monitor.findings import Finding
from jaxgan.train.monitor.samples import NEAR
from jaxgan.train.run.failures import Collapse, TrainingError
from jaxgan.train.run.record import Recorder
from jaxgan.train.run.rundir import RunDir

LOOKED_AT = 256  # samples of a picture at most: pairs grow with the square


class Data(NamedTuple):
    """What samples are compared with.

    Attributes:
        distance: mean distance of images of the data.
        near: distance below which two images are near-duplicates.
        repeated: images of the data that have one so near.
    """

    distance: float
    near: float
    repeated: int


class Monitor:
    """Watches a run in all its processes alike.

    Attributes:
        watch: what it has seen.
        stopping: what the run is to be stopped for, as soon as its state is saved; or None.
        verb: what it makes is compared with the data; "" for none.
    """

    def __init__(self, plan: Plan, folder: RunDir, recorder: Recorder | None, watch: Episodes) -> None:
        """Go on with `watch`.

        Args:
            plan: the run.
            folder: where it writes.
            recorder: None in processes that do not write.
            watch: what earlier parts of the run have seen.
        """
        self.plan, self.folder, self.recorder, self.watch = plan, folder, recorder, watch
        self.stopping: Finding | None = None
        self.verb, self._name = _compared(plan)
        self._table = plan.data.table(self._name) if self._name else plan.data.tables[0]
        self._data: Data | None = None

    def see(self, step: int, row: Mapping[str, float]) -> None:
        """The metrics of a step, all finite. Raises Collapse where the run is to go back."""
        self._tell(step, self.watch.see(step, row))

    def see_samples(self, step: int, made: Mapping[str, np.ndarray], regular: bool) -> None:
        """What a verb has made after a step, as it is stored; that of no `regular` step is only measured.

        Raises Collapse as `see`.
        """
        if self._name not in made:
            return
        examples = made[self._name][:LOOKED_AT]
        if len(examples) < 2 or self._table.rows < 2:
            return
        numbers = self._numbers(step, examples)
        if self.recorder:
            self.recorder.samples(step, numbers)
        if regular:
            self._tell(step, self.watch.see_samples(step, numbers))

    def broken(self, step: int, finding: Finding, sentence: str) -> None:
        """A number is not finite: raise Collapse where the run is to go back, else TrainingError with `sentence`."""
        back = self.plan.run.on_collapse == "rollback"
        self._mark(Event(step, finding, step), "rollback" if back else "stop")
        raise Collapse(step, finding) if back else TrainingError(sentence)

    def farewell(self, finding: Finding, step: int) -> TrainingError:
        """What stops a run that has been saved at `step` because of a finding."""
        healthy, folder = self.watch.healthy, self.folder.checkpoints
        good = "there is no healthy one" if healthy is None else f"the last healthy one is {folder / str(healthy)}"
        reason = self._sentence(finding).rstrip(".")
        return TrainingError(
            f"training stopped after step {step}, as --on-collapse stop asks: {reason}; checkpoint "
            f"{folder / str(step)} is saved but not healthy, {good}; with --on-collapse warn it goes on nevertheless."
        )

    def _numbers(self, step: int, examples: np.ndarray) -> dict[str, Any]:
        """What `monitor.look_at_samples` wants, as the first process measures it."""
        n, rows = len(examples), self.plan.rows
        found = self._measure(examples) if jax.process_index() == 0 else np.zeros(5, np.float32)
        distance, data, pairs, repeated, data_repeated = (float(value) for value in consensus.first(found))
        return {
            "images": step * rows,
            "samples": n,
            "distance": distance,
            "data_distance": data,
            "diversity": distance / data if data else None,
            "near_duplicates": int(pairs),
            "repeated": int(repeated),
            "data_repeated": int(data_repeated),
            "data_images": self._table.rows,
            "support": diversity.support(n, int(pairs)),
        }

    def _measure(self, examples: np.ndarray) -> Float[np.ndarray, " 5"]:
        self._data = data = self._data or _measure_data(self._table, self._name, len(examples))
        distances = diversity.pairwise(self._table.spec[self._name].inside(examples))
        counts = diversity.near_duplicates(distances, data.near), diversity.repeated(distances, data.near)
        return np.array([diversity.mean_distance(distances), data.distance, *counts, data.repeated], np.float32)

    def _tell(self, step: int, events: list[Event]) -> None:
        wanted, serious = self.plan.run.on_collapse, self.watch.serious()
        for event in events:
            self._mark(event, wanted if event.finding.serious and not event.over else "warn")
        if serious and wanted == "rollback":
            raise Collapse(step, serious)
        if serious and wanted == "stop":
            self.stopping = serious

    def _mark(self, event: Event, action: str) -> None:
        """Say it and write it down."""
        step, finding, began, sentence = event.step, event.finding, event.began, self._sentence(event.finding)
        said = f"over, after it began at step {began}: {finding.seen}." if event.over else sentence
        self.plan.report.line(f"Monitor     step {step}: {said}")
        if self.recorder:
            row = {"step": step, "kind": finding.kind, "began": began, "over": event.over, "sentence": sentence}
            self.recorder.mark({**row, "numbers": finding.numbers, "action": "none" if event.over else action})

    def _sentence(self, finding: Finding) -> str:
        return finding.sentence(self.plan.system.cures)


def _compared(plan: Plan) -> tuple[str, str]:
    """The verb and its made field whose diversity is compared with the data's; "" where there is none, or no float."""
    found = measured(plan.system, plan.data.spec)
    if found is None or fields.whole(plan.data.spec[found[1]]):
        return "", ""
    return found


def _measure_data(table: Table, name: str, n: int) -> Data:
    """What n examples from all over the data set have, always the same; all where there are fewer."""
    rows = spread(table.rows, n)
    distances = diversity.pairwise(table.spec[name].inside(gather(table.source, rows, [name])[name]))
    near = NEAR * float(np.median(np.asarray(diversity.nearest(distances))))
    return Data(float(diversity.mean_distance(distances)), near, int(diversity.repeated(distances, near)))
