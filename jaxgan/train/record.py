"""What a run writes while it trains: metrics.jsonl, TensorBoard events and sample pictures."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.train.pictures import write_png
from jaxgan.train.rundir import RunDir


class Recorder:
    """Open files of a run. Only one process of a run has one."""

    def __init__(self, run: RunDir, start: int) -> None:
        """Open for writing from step `start` on; whatever was written after it is removed."""
        from tensorboardX import SummaryWriter

        run.samples.mkdir(exist_ok=True)
        for step, path in sample_pictures(run):
            if step > start:
                path.unlink()
        for path in (run.metrics, run.evaluations):
            truncate(path, start)
        self._samples = run.samples
        self._metrics = run.metrics.open("a", encoding="utf-8")
        self._evaluations = run.evaluations
        # A run that begins again draws the picture of step 0 again.
        self._events = SummaryWriter(str(run.tensorboard), purge_step=start + 1 if start else 0)

    def log(self, row: dict[str, Any]) -> None:
        """One logged step: `step`, `images`, `seconds` and the metrics, all finite."""
        self._metrics.write(json.dumps(row, allow_nan=False) + "\n")
        for name, value in row.items():
            if name not in ("step", "images", "seconds"):
                self._events.add_scalar(name, value, row["step"])

    def score(self, step: int, score: dict[str, Any]) -> None:
        """One measurement: the JSON of a `Score`."""
        with self._evaluations.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **score}, allow_nan=False) + "\n")
        self._events.add_scalar(f"{score['name']}/{score['extractor']}", score["value"], step)

    def picture(self, step: int, image: UInt8[np.ndarray, "h w c"]) -> Path:
        """A sample picture; returns its file."""
        path = self._samples / f"{step:08d}.png"
        write_png(path, image)
        shown = image if image.shape[-1] in (1, 3) else image[..., :1]
        self._events.add_image("samples", shown, step, dataformats="HWC")
        return path

    def flush(self) -> None:
        """Hand everything written so far to the operating system, so that a killed process loses none of it."""
        self._metrics.flush()
        self._events.flush()

    def close(self) -> None:
        """Flush and close."""
        try:
            self._metrics.close()
        finally:
            self._events.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl or evaluations.jsonl, in order; a last line that a crash cut short is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def truncate(path: Path, step: int) -> None:
    """Drop the lines of steps after `step`; a file that is not there is left so."""
    if not path.exists():
        return
    kept = [row for row in read_metrics(path) if row["step"] <= step]
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    os.replace(temporary, path)


def sample_pictures(run: RunDir) -> list[tuple[int, Path]]:
    """The sample pictures of a run with their steps, in order."""
    return [(int(path.stem), path) for path in sorted(run.samples.glob("*.png")) if path.stem.isdigit()]
