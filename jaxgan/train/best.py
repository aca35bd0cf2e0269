"""Which state to keep: states are measured now and then, the measurements logged, and the best state saved."""

from collections.abc import Callable

import jax
import numpy as np

from jaxgan.errors import UserError
from jaxgan.game import GameState
from jaxgan.metrics.protocol import KINDS, Score
from jaxgan.train import agree, checkpoint
from jaxgan.train.config import RunConfig
from jaxgan.train.judge import Judge, made_by, make_judge
from jaxgan.train.plan import Plan
from jaxgan.train.record import Recorder
from jaxgan.train.rundir import RunDir


def kept(run: RunConfig) -> int:
    """Checkpoints beside the latest ones: the best, and the one before it while a better is written."""
    return 2 if run.eval_every else 0


class Best:
    """Measures states and keeps the best one, in all processes of a run alike."""

    def __init__(self, plan: Plan, folder: RunDir, recorder: Recorder | None, judge: Judge) -> None:
        """Begin with what an earlier part of the run has kept.

        Args:
            plan: the run.
            folder: where it writes.
            recorder: None in processes that do not write.
            judge: measures a state, from `judge_of`.
        """
        self.plan, self.folder, self.recorder, self.judge = plan, folder, recorder, judge
        found = whole(folder, plan.report.line)
        self.value = None if found is None else float(checkpoint.metadata_of(folder.best, found)["score"]["value"])

    def consider(self, state: GameState, step: int) -> str:
        """Measure, log, and keep the state if it is the best so far; returns a line for people."""
        score = self.judge(state)
        if self.recorder:
            self.recorder.score(step, score.to_json())
        better = bool(agree.first(np.bool_(self.value is None or is_better(score, self.value))))
        if better:
            self._keep(state, step, score)
        return f"step {step}  {score}{'  (the best so far, kept)' if better else ''}"

    def _keep(self, state: GameState, step: int, score: Score) -> None:
        metadata = {**self.plan.description(), "step": step, "score": score.to_json()}
        if jax.process_index() == 0:  # a damaged state of this step; Orbax never writes a step again
            checkpoint.discard(self.folder.best, after=step - 1)
        agree.first(np.int32(step))  # the other processes save when it is gone
        checkpoint.save(self.folder.best, step, state, metadata, keep=1)
        self.value = score.value


def is_better(score: Score, value: float) -> bool:
    """Whether a score is better than an earlier one's value, by its metric's own direction."""
    return score.value > value if KINDS[score.protocol.metric].better == "higher" else score.value < value


def whole(folder: RunDir, say: Callable[[str], None]) -> int | None:
    """The step of the best state, or None where there is none or, as `say` is told, only a damaged one."""
    for step in reversed(checkpoint.steps(folder.best)):
        damage = checkpoint.damage_of(folder.best, step)
        if damage is None:
            return step
        say(f"The best state {folder.best / str(step)} is damaged ({damage}) and passed over.")
    return None


def judge_of(plan: Plan) -> Judge | None:
    """What measures the states of a run, or None; UserError where its images cannot be measured."""
    if plan.extractor is None:
        return None
    try:
        made = made_by(plan.system, plan.data, plan.held)
        return made and make_judge(made, plan.data, plan.extractor, plan.run.eval_samples, plan.run.seed)
    except UserError as error:
        raise UserError(f"--eval-every cannot measure these images: {error}") from error
