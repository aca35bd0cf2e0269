"""The monitor of a run: what it sees is said and written down, and what --on-collapse asks for is done."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from jaxgan.data import ImageData, gather
from jaxgan.train import agree, diversity
from jaxgan.train.findings import Finding
from jaxgan.train.monitor import NEAR
from jaxgan.train.plan import Plan
from jaxgan.train.record import Recorder
from jaxgan.train.rundir import RunDir
from jaxgan.train.trouble import Collapse, TrainingError
from jaxgan.train.watch import Event, Watch

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


class Guard:
    """Watches a run in all its processes alike.

    Attributes:
        watch: what it has seen.
        stopping: what the run is to be stopped for, as soon as its state is saved; or None.
    """

    def __init__(self, plan: Plan, folder: RunDir, recorder: Recorder | None, watch: Watch) -> None:
        """Go on with `watch`.

        Args:
            plan: the run.
            folder: where it writes.
            recorder: None in processes that do not write.
            watch: what earlier parts of the run have seen.
        """
        self.plan, self.folder, self.recorder, self.watch = plan, folder, recorder, watch
        self.stopping: Finding | None = None
        self._data: Data | None = None

    def see(self, step: int, row: Mapping[str, float]) -> None:
        """The metrics of a step, all finite. Raises Collapse where the run is to go back."""
        self._tell(step, self.watch.see(step, row))

    def see_samples(self, step: int, images: UInt8[np.ndarray, "n h w c"], regular: bool) -> None:
        """The samples after a step; those of no `regular` step are only measured. Raises Collapse as `see`."""
        images = images[:LOOKED_AT]
        if len(images) < 2 or len(self.plan.data.source) < 2:
            return
        numbers = self._numbers(step, images)
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

    def _numbers(self, step: int, images: UInt8[np.ndarray, "n h w c"]) -> dict[str, Any]:
        """What `monitor.look_at_samples` wants, as the first process measures it."""
        n, rows = len(images), self.plan.rows
        found = self._measure(images) if jax.process_index() == 0 else np.zeros(5, np.float32)
        distance, data, pairs, repeated, data_repeated = (float(value) for value in agree.first(found))
        return {
            "images": step * rows,
            "samples": n,
            "distance": distance,
            "data_distance": data,
            "diversity": distance / data if data else None,
            "near_duplicates": int(pairs),
            "repeated": int(repeated),
            "data_repeated": int(data_repeated),
            "data_images": len(self.plan.data.source),
            "support": diversity.support(n, int(pairs)),
        }

    def _measure(self, images: UInt8[np.ndarray, "n h w c"]) -> Float[np.ndarray, " 5"]:
        self._data = data = self._data or _measure_data(self.plan.data, len(images))
        distances = diversity.pairwise(_floats(images))
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
        return finding.sentence(self.plan.config, self.plan.recipe, self.plan.system.conditional)


def _measure_data(data: ImageData, n: int) -> Data:
    """What n images from all over the data set have, always the same; all where there are fewer."""
    rows = np.linspace(0, len(data.source) - 1, min(n, len(data.source))).astype(np.int32)
    distances = diversity.pairwise(_floats(gather(data.source, rows)["image"]))
    near = NEAR * float(np.median(np.asarray(diversity.nearest(distances))))
    return Data(float(diversity.mean_distance(distances)), near, int(diversity.repeated(distances, near)))


def _floats(images: UInt8[np.ndarray, "n h w c"]) -> Float[Array, "n h w c"]:
    return jnp.asarray(images, jnp.float32) / 127.5 - 1
