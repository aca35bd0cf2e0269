"""Train a system: what `jaxgan train` calls, and what a researcher's own script may call with a system of its own."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxgan import data as datasets
from jaxgan.data.threads import telling
from jaxgan.errors import UserError
from jaxgan.game import GameState, System, parallel, with_frozen
from jaxgan.show.sheets import write_png
from jaxgan.train.loop import best, goals, memory, rollback, stages
from jaxgan.train.loop.best import Best
from jaxgan.train.loop.chunk_step import make_chunk_step
from jaxgan.train.loop.chunks import Chunks, make_chunks
from jaxgan.train.loop.monitoring import Monitor
from jaxgan.train.loop.opening import check_new, create, reopen, require_alike
from jaxgan.train.loop.plan import Build, Callback, Plan, make_plans
from jaxgan.train.loop.previews import reals
from jaxgan.train.loop.session import Past, Session
from jaxgan.train.loop.slow import warn_of_convolutions
from jaxgan.train.loop.stages import Origin
from jaxgan.train.run import rundir
from jaxgan.train.run.config import RunConfig
from jaxgan.train.run.failures import Collapse, TrainingError, computing, what_is_left, writing
from jaxgan.train.run.own import Code
from jaxgan.train.run.record import Recorder, marked_steps, read_metrics, sample_pictures
from jaxgan.train.run.rundir import RunDir
from jaxgan.train.screen import summary
from jaxgan.train.screen.log import LoggedReport
from jaxgan.train.screen.report import Report, make_report, quantity, reading


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
    callbacks: Sequence[Callback] = (),
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
        callbacks: functions `(step, state, metrics) -> None`, called every `run.sample_every` steps and at the end,
            after the step has been saved. The next step reuses the state's memory: a callback that keeps some of it
            copies it, by `jax.device_get`. All processes of a run call them.

    Returns:
        The last state and where everything is. A run that SIGINT or SIGTERM stopped has been saved.

    Raises:
        UserError: something that cannot work, found before the first step.
        TrainingError: a loss that is not finite, a collapse, a full disk, or too little memory.
    """
    log = _logged(report) if jax.process_index() == 0 else None
    report = log or Report()
    told: dict[str, Any] = {"report": report, "callbacks": callbacks}
    plans = make_plans(build, config, data, run or RunConfig(), recipe=recipe, code=code, **told)
    require_alike(plans[0])
    with contextlib.ExitStack() as held:
        found = reopen(plans, held) if resume else check_new(plans)
        start = found[1] if found else None
        first = stages.running(plans, start or 0)
        origin = stages.origin_of(plans[0]) if start is None and plans[0].run.from_ else None
        weigh = best.weigh_of(first)  # sees all the data, so what takes no time is checked before; nothing is made yet
        folder = found[0] if found else create(plans[0], held)
        plans = tuple(_in(plan, folder) for plan in plans)
        if log:
            held.enter_context(log.kept(folder.log))
            held.push(lambda kind, error, _: log.note(_end(kind, error)) if kind else None)
        for line in (*first.lines(), *(origin.lines if origin else ()), f"Output      {folder.root}"):
            report.line(line)
        return _train(plans, folder, start, origin, {first.stage.name: weigh})


def _logged(report: Report | None) -> LoggedReport:
    return report if isinstance(report, LoggedReport) else LoggedReport(report or make_report())


def _end(kind: type[BaseException], error: BaseException | None) -> str:
    """How a run ended that did not come to its end, for the log."""
    expected = issubclass(kind, UserError | TrainingError | KeyboardInterrupt)
    return f"Ended       {'' if expected else f'by {kind.__name__}: '}{error}"


def _in(plan: Plan, folder: RunDir) -> Plan:
    return dataclasses.replace(plan, run=dataclasses.replace(plan.run, out=str(folder.root)))


def _train(
    plans: Sequence[Plan],
    folder: RunDir,
    start: int | None,
    origin: Origin | None,
    weighs: dict[str, goals.Weigh | None],
) -> Result:
    """Train from checkpoint `start` to the end; where the run goes back or a stage ends, it is opened as if resumed."""
    programs: dict[str, Callable[..., Any]] = {}
    mark = None
    with computing(lambda: what_is_left(folder, start)):
        while True:
            plan = stages.running(plans, start or 0)
            name, step = plan.stage.name, start or 0
            with telling(reading):  # pictures that lie on the disk are decoded once more
                chunks = make_chunks(plan.data, plan.system.batch, _shortened(plan), plan.rows, step, plan.mesh)
            state = stages.opened(plans, folder, start, origin)
            if plan.frozen:
                state = with_frozen(state, parallel.place_state(plan.frozen, plan.mesh))
            first = chunks.chunk(step, 1)
            programs[name] = programs.get(name) or _compile(plan, chunks, state, first)
            weighs[name] = weighs[name] if name in weighs else best.weigh_of(plan)
            session = _session(plan, folder, chunks, programs[name], start, mark, weighs[name])
            try:
                result = _run(session, state, step, first)
            except Collapse as collapse:
                start, mark = rollback.roll_back(plan, folder, collapse)
                continue
            if result.signal or plan is plans[-1]:
                return result
            start, mark, result = result.step, None, None  # the old state makes room


def _session(
    plan: Plan,
    folder: RunDir,
    chunks: Chunks,
    advance: Callable[..., Any],
    start: int | None,
    mark: dict[str, Any] | None,
    weigh: goals.Weigh | None,
) -> Session:
    """The loop of a stage, from checkpoint `start` on."""
    step = start or 0
    seconds = max((row["seconds"] for row in read_metrics(folder.metrics) if row["step"] <= step), default=0.0)
    recorder = _record(plan, folder, start, mark) if jax.process_index() == 0 else None
    monitor = Monitor(plan, folder, recorder, rollback.watch_of(folder, start, plan.system.duels, plan.stage.name))
    return Session(
        plan,
        folder,
        chunks=chunks,
        advance=advance,
        recorder=recorder,
        monitor=monitor,
        best=Best(plan, folder, recorder, weigh) if weigh else None,
        past=Past(start, seconds, rollback.times(folder, step)),
    )


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
    if recorder and (signal or step == plan.config.steps):
        with computing(lambda: what_is_left(folder, step)), writing(folder, lambda: what_is_left(folder, step)):
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
    longest = min(run.steps_per_dispatch, plan.ends, run.checkpoint_every, run.sample_every)
    return dataclasses.replace(run, steps_per_dispatch=longest)


def _compile(plan: Plan, chunks: Chunks, state: GameState, chunk: Any) -> Callable[..., Any]:
    """The compiled chunk; says what a step costs by XLA's count, which takes the body of the chunk's loop once.

    Raises UserError for a step that needs more memory than there is.
    """
    mirrored = plan.system.batch if plan.run.mirror else None
    many = make_chunk_step(plan.system.step, chunks, mirrored, parallel.axis_name_of(plan.run.parallel))
    run = parallel.parallelize(many, plan.run.parallel, plan.mesh, chunks.axes)
    warn_of_convolutions(plan, run, state, chunk, plan.key())
    compiled = memory.compiled(run.lower(state, chunk, plan.key()), plan.system.config, plan.mesh)
    flops = (compiled.cost_analysis() or {}).get("flops", 0.0) * plan.mesh.size
    if max(getattr(plan.system.config, "accumulate", 1), plan.system.microbatches) > 1:
        plan.report.line("Cost        not counted: XLA counts the body of a loop once")
    elif flops > 0:
        plan.report.line(f"Cost        {quantity(flops)}FLOP a step, by XLA's count")
    if need := memory.need_of(compiled, state):
        plan.report.line(memory.check(need, plan.mesh.local_devices, plan.system.config, chunks.resident))
    return compiled


def described(data: datasets.Data) -> str:
    """The data for a heading: of a path the last part."""
    name = data.name
    return data.description.replace(name, Path(name).name, 1) if os.path.isabs(name) else data.description


def _finish(plan: Plan, folder: RunDir, step: int, signal: int | None) -> None:
    if signal:
        plan.report.line(f"Stopped by a signal after step {step}, which is saved. Go on with:")
        plan.report.line(f"  jaxgan train --resume {folder.root}" if plan.recipe else "  fit(..., resume=True)")
        return
    title = f"{plan.recipe or plan.summary.rstrip('.')}, {described(plan.data)}, {step} steps"
    rows, scores = read_metrics(folder.metrics), read_metrics(folder.evaluations)
    marks = marked_steps(read_metrics(folder.monitor))
    boards = tuple(duel.board for duel in plan.system.duels if duel.critic == "odds")
    summary.write_summary(folder.summary, rows, sample_pictures(folder), title, scores, marks, boards)
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
