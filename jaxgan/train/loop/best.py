"""Which state to keep: states are measured now and then, the measurements logged, and the best state saved."""

from collections.abc import Callable, Mapping

import jax
import numpy as np

from jaxgan.errors import UserError
from jaxgan.game import GameState
from jaxgan.train.cluster import consensus
from jaxgan.train.loop import goals
from jaxgan.train.loop.goals import Verdict, Weigh
from jaxgan.train.loop.plan import Plan
from jaxgan.train.loop.scoring import made_by, make_scorer
from jaxgan.train.run import checkpoint
from jaxgan.train.run.config import RunConfig
from jaxgan.train.run.record import Recorder
from jaxgan.train.run.rundir import RunDir


def kept(run: RunConfig) -> int:
    """Checkpoints beside the latest ones: the best, and the one before it while a better is written."""
    return 2 if run.eval_every else 0


class Best:
    """Measures states and keeps the best one, in all processes of a run alike."""

    def __init__(self, plan: Plan, folder: RunDir, recorder: Recorder | None, weigh: Weigh) -> None:
        """Begin with what an earlier part of the run has kept.

        Args:
            plan: the run.
            folder: where it writes.
            recorder: None in processes that do not write.
            weigh: measures a state, from `weigh_of`.
        """
        self.plan, self.folder, self.recorder, self.weigh = plan, folder, recorder, weigh
        self._told: set[str] = set()
        found = whole(folder, plan.report.line)
        self.best = None if found is None else checkpoint.metadata_of(folder.best, found)["score"]

    def consider(self, state: GameState, step: int, row: Mapping[str, float]) -> str:
        """Measure, log, and keep the state if it is the best so far; returns a line for people.

        Args:
            state: after `step` steps.
            step: of the run.
            row: the metrics of that step.
        """
        verdict = self.weigh(state, row)
        for doubt in verdict.content.get("warnings", ()):
            if doubt not in self._told:
                self.plan.report.line(f"Warning     {doubt}.")
        self._told.update(verdict.content.get("warnings", ()))
        if self.recorder:
            self.recorder.score(step, verdict.content)
        better = bool(consensus.first(np.bool_(verdict.beats(self.best))))
        if better:
            self._keep(state, step, verdict)
        return f"step {step}  {verdict.told}{'  (the best so far, kept)' if better else ''}"

    def _keep(self, state: GameState, step: int, verdict: Verdict) -> None:
        metadata = {**self.plan.description(), "step": step, "score": verdict.content}
        if jax.process_index() == 0:  # a damaged state of this step; Orbax never writes a step again
            checkpoint.discard(self.folder.best, after=step - 1)
        consensus.first(np.int32(step))  # the other processes save when it is gone
        checkpoint.save(self.folder.best, step, state, metadata, keep=1)
        self.best = verdict.content


def whole(folder: RunDir, say: Callable[[str], None]) -> int | None:
    """The step of the best state, or None where there is none or, as `say` is told, only a damaged one."""
    for step in reversed(checkpoint.steps(folder.best)):
        damage = checkpoint.damage_of(folder.best, step)
        if damage is None:
            return step
        say(f"The best state {folder.best / str(step)} is damaged ({damage}) and passed over.")
    return None


def weigh_of(plan: Plan) -> Weigh | None:
    """What states of a stage are compared by, or None; UserError where what it makes cannot be measured."""
    run, system = plan.run, plan.system
    if run.eval_every and system.goal:
        return goals.by_goal(system, system.goal, plan.data, plan.held, run.eval_samples, run.seed)
    made = made_by(system, plan.data, plan.held)
    if plan.extractor is None or made is None:
        return None
    try:
        return goals.by_score(make_scorer(made, plan.data, plan.extractor, run.eval_samples, run.seed))
    except UserError as error:
        raise UserError(f"--eval-every cannot measure these images: {error}") from error
