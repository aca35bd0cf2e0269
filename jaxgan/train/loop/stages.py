"""A run as a sequence of systems: which one a step belongs to, and what a run begins with."""

from collections.abc import Sequence
from typing import NamedTuple

import jax

from jaxgan.errors import UserError
from jaxgan.game import GameState, Transfer, by_path, parallel
from jaxgan.train.loop.plan import Plan
from jaxgan.train.run import checkpoint
from jaxgan.train.run.load import load
from jaxgan.train.run.rundir import RunDir


class Origin(NamedTuple):
    """The state that a new run begins with.

    Attributes:
        state: on the host; its arrays are kept, for the run may go back to its beginning.
        lines: what `--from` took over, for people; none without it.
    """

    state: GameState
    lines: tuple[str, ...] = ()


def running(plans: Sequence[Plan], step: int) -> Plan:
    """The plan of the stage that trains after `step` steps of the run."""
    return next((plan for plan in plans if step < plan.ends), plans[-1])


def saved_in(plans: Sequence[Plan], step: int) -> Plan:
    """The plan of the stage that checkpoint `step` was saved in: where a stage ends, of that which ended."""
    return next((plan for plan in plans if step <= plan.ends), plans[-1])


def origin_of(plan: Plan) -> Origin:
    """The state in which a run begins: fresh, or with what `--from` takes over.

    Raises:
        UserError: no such run, one whose code may not be executed, or one that has nothing that fits.
    """
    fresh = _fresh(plan)
    if plan.run.from_ is None:
        return Origin(fresh)
    trained = load(plan.run.from_, say=plan.report.line)
    state, transfer = by_path(jax.device_get(trained.state), fresh)
    if not transfer.taken:
        raise UserError(f"--from {plan.run.from_} has no array that fits this system by name, shape and number format.")
    first = f"From        {trained.folder.root}, step {trained.step}: {transfer}"
    return Origin(state, (first, *_indented(transfer)))


def opened(plans: Sequence[Plan], folder: RunDir, start: int | None, origin: Origin | None) -> GameState:
    """The state of `running(plans, start)` on the devices: from its checkpoint, or begun where another stage ended."""
    plan = running(plans, start or 0)
    if start is None:
        return _placed((origin or origin_of(plan)).state, plan)
    before = saved_in(plans, start)
    state = checkpoint.restore(folder.checkpoints, start, before.abstract)
    if before is plan:
        return state
    state, fresh = jax.device_get(parallel.own_rows(state)), _fresh(plan)
    if plan.stage.begin:
        state, told, more = plan.stage.begin(state, fresh), "begun by its own rule", []
    else:
        state, transfer = by_path(state, fresh)
        told, more = str(transfer), _indented(transfer)
    for line in (f"Stage       {plan.stage.name} from step {start:,}: {told}", *more):
        plan.report.line(line)
    return _placed(state, plan)


def _fresh(plan: Plan) -> GameState:
    """The first state of a stage, on the host; each stage has a seed of its own."""
    key = jax.random.key(plan.run.seed)
    index = plan.stages.index(plan.stage)
    return jax.device_get(jax.jit(plan.system.init)(jax.random.fold_in(key, index) if index else key))


def _indented(transfer: Transfer) -> list[str]:
    return [f"            {line}" for line in transfer.lines()]


def _placed(state: GameState, plan: Plan) -> GameState:
    return parallel.place_state(parallel.own_rows(state), plan.mesh)
