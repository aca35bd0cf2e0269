"""Back to the last healthy checkpoint, and on from there with other noise."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxgan.game import Duel
from jaxgan.train.cluster import consensus
from jaxgan.train.loop.plan import Plan
from jaxgan.train.monitor.episodes import Episodes
from jaxgan.train.run import checkpoint
from jaxgan.train.run.failures import Collapse, TrainingError
from jaxgan.train.run.record import read_metrics
from jaxgan.train.run.rundir import RunDir

MOST = 3  # times that a run goes back to the same checkpoint
MONITOR = "monitor"  # where the watch lies in a checkpoint's metadata


def healthy_step(folder: RunDir, say: Callable[[str], None]) -> int | None:
    """The newest checkpoint that is whole and was healthy, or None; `say` is told of damaged ones."""
    for step in reversed(checkpoint.steps(folder.checkpoints)):
        damage = checkpoint.damage_of(folder.checkpoints, step)
        if damage:
            say(f"Checkpoint {folder.checkpoints / str(step)} is damaged ({damage}) and passed over.")
        elif watch_of(folder, step).healthy == step:
            return step
    return None


def watch_of(folder: RunDir, step: int | None, duels: Sequence[Duel] = (), stage: str | None = None) -> Episodes:
    """What the monitor remembered when checkpoint `step` was saved; nothing at the beginning of a run.

    Args:
        folder: of the run.
        step: of the checkpoint, or None.
        duels: as in `System`, where the watch goes on.
        stage: the stage that goes on; where another one was saved, only the healthy step is remembered.
    """
    if step is None:
        return Episodes(None, duels)
    about = checkpoint.metadata_of(folder.checkpoints, step)
    remembered = about.get(MONITOR)
    if remembered and stage is not None and stage != about.get("stage", ""):
        remembered = {"healthy": remembered["healthy"]}
    return Episodes(remembered, duels)


def times(folder: RunDir, start: int) -> int:
    """How often the run had gone back when it was at step `start`."""
    return int(consensus.first(np.int32(sum(row["to"] <= start for row in _marks(folder)))))


def roll_back(plan: Plan, folder: RunDir, collapse: Collapse) -> tuple[int | None, dict[str, Any]]:
    """Remove the checkpoints, and the best state, after the last healthy checkpoint.

    Whoever is killed in here finds, on resuming, a run that comes to the same collapse and goes back again: the mark in
    monitor.jsonl, by which going back is counted, is written when all is done.

    Returns:
        The checkpoint to go on from (None: from the beginning), and the mark.

    Raises:
        TrainingError: the run has gone back there `MOST` times.
    """
    step, so_far = consensus.first(np.array(_target(plan, folder), np.int32)).tolist()
    good = f"checkpoint {folder.checkpoints / str(step)}" if step else "the beginning"
    sentence = collapse.finding.sentence(plan.system.cures)
    if so_far >= MOST:
        raise TrainingError(
            f"at step {collapse.step} {sentence.rstrip('.')}; training stopped after it went back {MOST} times to "
            f"{good}, which is the last healthy state, and never came to another healthy one."
        )
    if jax.process_index() == 0:
        checkpoint.discard(folder.checkpoints, after=step)
        checkpoint.discard(folder.best, after=step)
    consensus.first(np.int32(step))  # the other processes look at what is left
    plan.report.line(f"Monitor     back to {good}, on with other noise (time {so_far + 1} of {MOST})")
    mark = {"step": collapse.step, "kind": "rollback", "to": step, "sentence": sentence}
    return step or None, {**mark, "cause": collapse.finding.kind, "action": "rollback"}


def _target(plan: Plan, folder: RunDir) -> tuple[int, int]:
    """Where to go back to, 0 for the beginning, and how often the run has done so."""
    if jax.process_index() > 0:
        return 0, 0
    step = healthy_step(folder, plan.report.line) or 0
    return step, sum(row["to"] == step for row in _marks(folder))


def _marks(folder: RunDir) -> list[dict[str, Any]]:
    return [row for row in read_metrics(folder.monitor) if row["kind"] == "rollback"]
