"""Train a system: what `jaxgan train` calls, and what a researcher's own script may call with a system of its own."""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan import data as datasets
from jaxgan.errors import UserError
from jaxgan.game import GameState, System, parallel, with_frozen
from jaxgan.show.sheets import write_png
from jaxgan.train import agree, best, checkpoint, memory, pictures, rollback, rundir
from jaxgan.train.best import Best
from jaxgan.train.chunk import make_chunk_step
from jaxgan.train.config import MAY_CHANGE, OF_MACHINES, OF_MEASURING, RunConfig, defaults, flag
from jaxgan.train.feed import Feed, make_feed
from jaxgan.train.guard import Guard
from jaxgan.train.judge import Judge
from jaxgan.train.own import Code
from jaxgan.train.plan import Build, Plan, make_plan
from jaxgan.train.previews import reals
from jaxgan.train.record import Recorder, marked_steps, read_metrics, sample_pictures
from jaxgan.train.report import Report, make_report, quantity
from jaxgan.train.rundir import RunDir
from jaxgan.train.session import Session
from jaxgan.train.slow import warn_of_convolutions
from jaxgan.train.trouble import Collapse, computing, what_is_left, writing


class Result(NamedTuple):
    """What a run ends with.

    Attributes:
        state: the last state.
        system: the system that was trained.
        folder: where everything was written.
        step: steps done in all.
        signal: the signal that stopped the run before its last step, or None.
    """

    state: GameState
    system: System
    folder: RunDir
    step: int
    signal: int | None

    def __repr__(self) -> str:
        """One line."""
        return f"Result({self.folder.root}, step {self.step}, {self.system})"


def fit(
    build: Build,
    config: Any,
    data: datasets.Data,
    run: RunConfig | None = None,
    *,
    recipe: str | None = None,
    code: Code | None = None,
    resume: bool = False,
    report: Report | None = None,
) -> Result:
    """Train the system `build(config, data.spec, axis_name)` on `data` and leave a run folder.

    Args:
        build: makes the system, `(config, spec, axis_name) -> System`; a recipe's `build`, or your own.
        config: a frozen dataclass of plain values with at least `steps` and `batch_size`.
        data: from `jaxgan.data.load`, or arrays of your own by `jaxgan.data.of_arrays`.
        run: seed, devices, and what is written where and how often.
        recipe: the recipe's name, by which `jaxgan sample` finds it again; None for a system of your own.
        code: where the code of a user's own system is, so that `jaxgan sample` finds it again.
        resume: go on with the run in the folder `run.out` as if it had never stopped.
        report: where progress is told; on standard output unless given.

    Returns:
        The last state and where everything is. A run that SIGINT or SIGTERM stopped has been saved.

    Raises:
        UserError: something that cannot work, found before the first step.
        TrainingError: a loss that is not finite, a collapse, a full disk, or too little memory.
    """
    report = (report or make_report()) if jax.process_index() == 0 else Report()
    plan = make_plan(build, config, data, run or RunConfig(), recipe=recipe, code=code, report=report)
    _require_alike(plan)
    with contextlib.ExitStack() as held:
        found = _reopen(plan, held) if resume else _check_new(plan)
        judge = best.judge_of(plan)  # sees all the data, so what takes no time is checked before; nothing is made yet
        folder, start = found or (_create(plan, held), None)
        plan = dataclasses.replace(plan, run=dataclasses.replace(plan.run, out=str(folder.root)))
        for line in (*plan.lines(), f"Output      {folder.root}"):
            report.line(line)
        with computing(lambda: what_is_left(folder, start)):
            return _train(plan, folder, start, judge)


def _require_alike(plan: Plan) -> None:
    """Raise UserError, in all processes, where one was told of another run: they would train nonsense together."""
    about = plan.description()
    run = {flag(name): value for name, value in about["run"].items() if name not in OF_MACHINES}
    data = {name: value for name, value in about["data"].items() if name not in ("name", "description")}
    # What takes other options is told before they are compared: only alike things have alike parts.
    for parts in (
        {"the version of jaxgan": about["jaxgan"], "the recipe": about["recipe"]},
        {"the data": data, **run, **{flag(name): value for name, value in about["config"].items()}},
    ):
        for process, names in agree.others(parts):
            raise UserError(
                f"process {process} differs from process 0 in {', '.join(names)}, and all processes of a run must be "
                "told the same."
            )


def _check_new(plan: Plan) -> None:
    """Raise UserError where a new run cannot be written."""
    if jax.process_count() > 1 and plan.run.out is None:
        raise UserError("--out is needed where several processes train together.")
    if jax.process_index() > 0:
        return
    rundir.check_out(plan.run.out)
    rundir.check_disk(Path(plan.run.out or "runs"), checkpoint.nbytes(plan.abstract), _kept(plan.run))


def _create(plan: Plan, held: contextlib.ExitStack) -> RunDir:
    """The folder of a new run that `_check_new` has passed; the first process makes it and keeps it for itself."""
    if jax.process_index() == 0:
        folder = rundir.create(plan.run.out, plan.recipe, plan.data.name)
        held.enter_context(rundir.alone(folder))
        held.push(lambda kind, *_: rundir.unmake(folder) if kind else None)
        if jax.process_count() == 1:
            return folder
    agree.first(np.int32(0))  # it is there
    folder = RunDir(Path(plan.run.out or ""))
    if not folder.root.is_dir():
        raise UserError(f"--out {folder.root} is not seen by all processes; it takes a folder that all machines share.")
    return folder


def _reopen(plan: Plan, held: contextlib.ExitStack) -> tuple[RunDir, int | None]:
    """The folder of a run that goes on, the first process's own, and its checkpoint; None where it has none yet."""
    folder, saved = rundir.read_config(plan.run.out or "")
    _require_same(saved, plan, measured=bool(read_metrics(folder.evaluations)))
    rundir.check_access(folder)
    step = None
    if jax.process_index() == 0:
        held.enter_context(rundir.alone(folder))
        step = _tidied(plan, folder)
    chosen = int(agree.first(np.int32(-1 if step is None else step)))
    return folder, None if chosen < 0 else chosen


def _tidied(plan: Plan, folder: RunDir) -> int | None:
    """The checkpoint to go on from, when what a crash has left is cleared away; one process must call this."""
    step = checkpoint.latest(folder.checkpoints, plan.report.line)
    if step is not None and step >= plan.config.steps:
        raise UserError(f"{folder.root} has {step} steps; --steps takes a larger total, got {plan.config.steps}.")
    checkpoint.tidy(folder.checkpoints, step)
    checkpoint.tidy(folder.best, max(checkpoint.steps(folder.best), default=None))
    present = len(checkpoint.steps(folder.checkpoints)) + len(checkpoint.steps(folder.best))
    rundir.check_disk(folder.root, checkpoint.nbytes(plan.abstract), _kept(plan.run), present)
    return step


def _kept(run: RunConfig) -> int:
    """Checkpoints that a run keeps: the latest, the last healthy one, and what measuring keeps."""
    return run.keep + 1 + best.kept(run)


def _require_same(saved: dict[str, Any], plan: Plan, measured: bool) -> None:
    """Raise UserError where a resumed run would differ in anything that changes its numbers."""
    now = plan.description()
    free = set(MAY_CHANGE) - (set(OF_MEASURING) if measured else set())
    if saved["data"]["fingerprint"] != now["data"]["fingerprint"]:
        raise UserError(
            f"the data are not those that the run began with: it had {saved['data']['description']}, "
            f"now there are {now['data']['description']}, or the same number with other content."
        )
    for name in sorted(set(saved.get("frozen", {})) | set(now["frozen"])):
        if saved.get("frozen", {}).get(name) != now["frozen"].get(name):
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


def _train(plan: Plan, folder: RunDir, start: int | None, judge: Judge | None) -> Result:
    """Train from checkpoint `start` to the end; each time that the run goes back, it is opened as if resumed there."""
    advance, mark = None, None
    while True:
        step = start or 0
        feed = make_feed(plan.data, plan.system.batch, _shortened(plan), plan.rows, step, plan.mesh)
        state = _begin(plan) if start is None else checkpoint.restore(folder.checkpoints, start, plan.abstract)
        if plan.frozen:
            state = with_frozen(state, parallel.place_state(plan.frozen, plan.mesh))
        first = feed.chunk(step, 1)
        advance = advance or _compile(plan, feed, state, first)
        seconds = max((row["seconds"] for row in read_metrics(folder.metrics) if row["step"] <= step), default=0.0)
        recorder = _record(plan, folder, start, mark) if jax.process_index() == 0 else None
        guard = Guard(plan, folder, recorder, rollback.watch_of(folder, start, plan.system.duels))
        keeper = Best(plan, folder, recorder, judge) if judge else None
        times = rollback.times(folder, step)
        session = Session(plan, folder, feed, advance, recorder, guard, times, seconds, start, keeper)
        try:
            return _run(session, state, step, first)
        except Collapse as collapse:
            start, mark = rollback.roll_back(plan, folder, collapse)


def _run(session: Session, state: GameState, step: int, first: Any) -> Result:
    plan, folder, recorder = session.plan, session.folder, session.recorder
    plan.report.start(step, plan.config.steps)
    try:
        state, step, signal = session.train(state, step, first)
    finally:
        plan.report.stop()
        if recorder:
            with contextlib.suppress(OSError):  # what counts was flushed with the last checkpoint
                recorder.close()
    if recorder:
        with writing(folder, lambda: what_is_left(folder, step)):
            _finish(plan, folder, step, signal)
    return Result(state, plan.system, folder, step, signal)


def _record(plan: Plan, folder: RunDir, start: int | None, mark: dict[str, Any] | None) -> Recorder:
    with writing(folder, lambda: what_is_left(folder, start)):
        rundir.write_json(folder.config, plan.description())
        if not folder.reals.exists():
            write_png(folder.reals, reals(plan.data, plan.system.batch, plan.run.samples))
        recorder = Recorder(folder, start or 0)
        try:
            if mark:
                recorder.mark(mark)
        except BaseException:
            recorder.close()
            raise
        return recorder


def _shortened(plan: Plan) -> RunConfig:
    """The run's options with no more steps a dispatch than the loop can ever use: they take memory."""
    run = plan.run
    if run.steps_per_dispatch is None:
        return run
    longest = min(run.steps_per_dispatch, plan.config.steps, run.checkpoint_every, run.sample_every)
    return dataclasses.replace(run, steps_per_dispatch=longest)


def _begin(plan: Plan) -> GameState:
    state = jax.device_get(jax.jit(plan.system.init)(jax.random.key(plan.run.seed)))
    return parallel.place_state(parallel.own_rows(state), plan.mesh)


def _compile(plan: Plan, feed: Feed, state: GameState, chunk: Any) -> Callable[..., Any]:
    """The compiled chunk; says what a step costs by XLA's count, which takes the body of the chunk's loop once.

    Raises UserError for a step that needs more memory than there is.
    """
    run = parallel.parallelize(make_chunk_step(plan.system.step, feed), plan.run.parallel, plan.mesh, feed.axes)
    warn_of_convolutions(plan, run, state, chunk, plan.key())
    compiled = memory.compiled(run.lower(state, chunk, plan.key()), plan.config, plan.mesh)
    flops = (compiled.cost_analysis() or {}).get("flops", 0.0) * plan.mesh.size
    if max(getattr(plan.config, "accumulate", 1), plan.system.microbatches) > 1:
        plan.report.line("Cost        not counted: XLA counts the body of a loop once")
    elif flops > 0:
        plan.report.line(f"Cost        {quantity(flops)}FLOP a step, by XLA's count")
    if need := memory.need_of(compiled, state):
        plan.report.line(memory.check(need, plan.mesh.local_devices, plan.config, feed.resident))
    return compiled


def _finish(plan: Plan, folder: RunDir, step: int, signal: int | None) -> None:
    if signal:
        plan.report.line(f"Stopped by a signal after step {step}, which is saved. Go on with:")
        plan.report.line(f"  jaxgan train --resume {folder.root}" if plan.recipe else "  fit(..., resume=True)")
        return
    title = f"{plan.recipe or plan.summary.rstrip('.')}, {plan.data.description}, {step} steps"
    rows, scores = read_metrics(folder.metrics), read_metrics(folder.evaluations)
    marks = marked_steps(read_metrics(folder.monitor))
    pictures.write_summary(folder.summary, rows, sample_pictures(folder), title, scores, marks)
    for name, path in (
        ("Samples", folder.samples),
        ("Checkpoint", folder.checkpoints / str(step)),
        *([("Best", folder.best)] if scores else []),
        ("Metrics", folder.metrics),
        ("Monitor", folder.monitor),
        ("TensorBoard", folder.tensorboard),
        ("Summary", folder.summary),
    ):
        plan.report.line(f"{name:<11} {path}")
