"""Before the first step: a new run's folder, or an existing run that goes on, with everything checked."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.errors import UserError
from jaxgan.train.cluster import consensus
from jaxgan.train.loop import best
from jaxgan.train.loop.plan import Plan
from jaxgan.train.run import checkpoint, rundir
from jaxgan.train.run.config import MAY_CHANGE, OF_MACHINES, OF_MEASURING, RunConfig, defaults, flag
from jaxgan.train.run.record import read_metrics
from jaxgan.train.run.rundir import RunDir


def require_alike(plan: Plan) -> None:
    """Raise UserError, in all processes, where one was told of another run: they would train nonsense together."""
    about = plan.description()
    run = {flag(name): value for name, value in about["run"].items() if name not in OF_MACHINES}
    data = {name: value for name, value in about["data"].items() if name not in ("name", "description")}
    # What takes other options is told before they are compared: only alike things have alike parts.
    for parts in (
        {"the version of jaxgan": about["jaxgan"], "the recipe": about["recipe"]},
        {"the data": data, **run, **{flag(name): value for name, value in about["config"].items()}},
    ):
        for process, names in consensus.others(parts):
            raise UserError(
                f"process {process} differs from process 0 in {', '.join(names)}, and all processes of a run must be "
                "told the same."
            )


def check_new(plans: Sequence[Plan]) -> None:
    """Raise UserError where a new run cannot be written."""
    plan = plans[0]
    if jax.process_count() > 1 and plan.run.out is None:
        raise UserError("--out is needed where several processes train together.")
    if jax.process_index() > 0:
        return
    rundir.check_out(plan.run.out)
    rundir.check_disk(Path(plan.run.out or "runs"), _largest(plans), _kept(plan.run))


def create(plan: Plan, held: contextlib.ExitStack) -> RunDir:
    """The folder of a new run that `check_new` has passed; the first process makes it and keeps it for itself."""
    if jax.process_index() == 0:
        folder = rundir.create(plan.run.out, plan.recipe, plan.data.name)
        held.enter_context(rundir.alone(folder))
        held.push(lambda kind, *_: rundir.unmake(folder) if kind else None)
        if jax.process_count() == 1:
            return folder
    consensus.first(np.int32(0))  # it is there
    folder = RunDir(Path(plan.run.out or ""))
    if not folder.root.is_dir():
        raise UserError(f"--out {folder.root} is not seen by all processes; it takes a folder that all machines share.")
    return folder


def reopen(plans: Sequence[Plan], held: contextlib.ExitStack) -> tuple[RunDir, int | None]:
    """The folder of a run that goes on, the first process's own, and its checkpoint; None where it has none yet."""
    plan = plans[0]
    folder, saved = rundir.read_config(plan.run.out or "")
    _require_same(saved, plans, measured=bool(read_metrics(folder.evaluations)))
    rundir.check_access(folder)
    step = None
    if jax.process_index() == 0:
        held.enter_context(rundir.alone(folder))
        step = _tidied(plans, folder)
    chosen = int(consensus.first(np.int32(-1 if step is None else step)))
    return folder, None if chosen < 0 else chosen


def _tidied(plans: Sequence[Plan], folder: RunDir) -> int | None:
    """The checkpoint to go on from, when what a crash has left is cleared away; one process must call this."""
    plan = plans[0]
    step = checkpoint.latest(folder.checkpoints, plan.report.line)
    if step is not None and step >= plan.config.steps:
        raise UserError(f"{folder.root} has {step} steps; --steps takes a larger total, got {plan.config.steps}.")
    checkpoint.tidy(folder.checkpoints, step)
    checkpoint.tidy(folder.best, max(checkpoint.steps(folder.best), default=None))
    present = len(checkpoint.steps(folder.checkpoints)) + len(checkpoint.steps(folder.best))
    rundir.check_disk(folder.root, _largest(plans), _kept(plan.run), present)
    return step


def _largest(plans: Sequence[Plan]) -> int:
    """Bytes of the largest checkpoint of a run."""
    return max(checkpoint.nbytes(plan.abstract) for plan in plans)


def _kept(run: RunConfig) -> int:
    """Checkpoints that a run keeps: the latest, the last healthy one, and what measuring keeps."""
    return run.keep + 1 + best.kept(run)


def _require_same(saved: dict[str, Any], plans: Sequence[Plan], measured: bool) -> None:
    """Raise UserError where a resumed run would differ in anything that changes its numbers."""
    then = next((plan for plan in plans if plan.stage.name == saved["stage"]), plans[0])
    plan, now = plans[0], then.description()
    free = set(MAY_CHANGE) - (set(OF_MEASURING) if measured else set())
    if saved["data"]["fingerprint"] != now["data"]["fingerprint"]:
        raise UserError(
            f"the data are not those that the run began with: it had {saved['data']['description']}, "
            f"now there are {now['data']['description']}, or the same number with other content."
        )
    if saved["stages"] != now["stages"]:
        raise UserError(
            f"the stages of the run were {_told(saved['stages'])} when it began, now {_told(now['stages'])}."
        )
    for name in sorted(set(saved["frozen"]) | set(now["frozen"])):
        if saved["frozen"].get(name) != now["frozen"].get(name):
            raise UserError(f"the frozen network {name} is not the one that the run began with.")
    for part, options in (("config", plan.config), ("run", plan.run)):
        # A run that is older than an option had what is now its default.
        then = {**defaults(type(options)), **saved[part]}
        if part == "config" and then.get("schedule_steps", 0) is None:
            then["schedule_steps"] = then["steps"]
        for name in sorted(set(then) | set(now[part])):
            old, new = then.get(name), now[part].get(name)
            if name not in free and old != new:
                raise UserError(f"{flag(name)} was {old} when the run began and cannot change now; got {new}.")


def _told(stages: list[Any]) -> str:
    return ", ".join(f"{name} until {'the end' if until is None else until}" for name, until in stages)
