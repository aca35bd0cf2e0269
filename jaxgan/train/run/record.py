"""What a run writes while it trains: metrics.jsonl, TensorBoard events and sample pictures."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.show.sheets import write_png
from jaxgan.train.run.rundir import RunDir


class Recorder:
    """Open files of a run. Only one process of a run has one."""

    def __init__(self, run: RunDir, start: int) -> None:
        """Open for writing from step `start` on; whatever was written after it is removed."""
        from tensorboardX import SummaryWriter

        run.samples.mkdir(exist_ok=True)
        for path in run.samples.glob("*.png"):
            if _step_of(path) > start:
                path.unlink()
        for path in (run.metrics, run.evaluations, run.monitor):
            truncate(path, start)
        self._samples = run.samples
        self._metrics = run.metrics.open("a", encoding="utf-8")
        self._evaluations, self._monitor = run.evaluations, run.monitor
        # A run that begins again draws the picture of step 0 again.
        self._events = SummaryWriter(str(run.tensorboard), purge_step=start + 1 if start else 0)

    def log(self, row: dict[str, Any]) -> None:
        """One logged step: `step`, `images`, `seconds` and the metrics, all finite."""
        self._metrics.write(json.dumps(row, allow_nan=False) + "\n")
        for name, value in row.items():
            if name not in ("step", "images", "seconds"):
                self._events.add_scalar(name, value, row["step"])

    def score(self, step: int, score: dict[str, Any]) -> None:
        """One measurement: its `name`, `extractor` ("" where nothing sees examples), `value` and more."""
        _append(self._evaluations, {"step": step, **score})
        self._events.add_scalar("/".join(filter(None, (score["name"], score["extractor"]))), score["value"], step)

    def samples(self, step: int, numbers: dict[str, Any]) -> None:
        """What was measured of the samples after a step; numbers that do not exist are None."""
        _append(self._monitor, {"step": step, "kind": "samples", "numbers": numbers})
        for name in ("diversity", "near_duplicates"):
            if numbers[name] is not None:
                self._events.add_scalar(f"samples/{name}", numbers[name], step)

    def mark(self, row: dict[str, Any]) -> None:
        """Something that the monitor has seen or done: `step`, `kind`, `sentence`, `action` and more."""
        _append(self._monitor, row)
        self._events.add_text("monitor", row["sentence"], position(row))

    def picture(self, step: int, image: UInt8[np.ndarray, "h w c"], suffix: str = "") -> Path:
        """A sample picture; returns its file, whose name ends on `suffix` where a run has several kinds."""
        path = self._samples / f"{step:08d}{suffix}.png"
        write_png(path, image)
        shown = image if image.shape[-1] in (1, 3) else image[..., :1]
        self._events.add_image(f"samples{suffix}", shown, step, dataformats="HWC")
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
    """The rows of a .jsonl file of a run, in order; a last line that a crash cut short is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def position(row: dict[str, Any]) -> int:
    """The step that a row belongs to: of going back, the step that the run then was at."""
    return row.get("to", row["step"])


def marked_steps(rows: Sequence[dict[str, Any]]) -> list[int]:
    """The steps at which the monitor has seen something begin, or has gone back."""
    return sorted({position(row) for row in rows if row["kind"] != "samples" and not row.get("over")})


def _append(path: Path, row: dict[str, Any]) -> None:
    """One line, on the disk when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def truncate(path: Path, step: int) -> None:
    """Drop the lines of steps after `step`; a file that is not there is left so."""
    if not path.exists():
        return
    kept = [row for row in read_metrics(path) if position(row) <= step]
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    os.replace(temporary, path)


def _step_of(path: Path) -> int:
    """The step of a sample picture; -1 of another file."""
    number = path.stem.partition("-")[0]
    return int(number) if number.isdigit() else -1


def sample_pictures(run: RunDir) -> list[tuple[int, Path]]:
    """The first kind of sample pictures of a run with their steps, in order."""
    return [(int(path.stem), path) for path in sorted(run.samples.glob("*.png")) if path.stem.isdigit()]
