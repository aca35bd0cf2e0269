"""What states are compared by: the Fréchet distance of what they make, or a number that the system itself names."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxgan import fields
from jaxgan.data import Data
from jaxgan.errors import UserError
from jaxgan.game import GameState, Goal, System, Verb, with_frozen
from jaxgan.game.random import Stream
from jaxgan.metrics.compare.protocol import KINDS, Score
from jaxgan.show.sampling import make_batches
from jaxgan.train.loop.scoring import drawn


class Verdict(NamedTuple):
    """What a state is worth.

    Attributes:
        value: the number.
        better: which numbers are better.
        told: the number for people.
        content: JSON values, at least `name`, `extractor` and `value`.
    """

    value: float
    better: Literal["lower", "higher", "neither"]
    told: str
    content: dict[str, Any]

    def beats(self, other: Mapping[str, Any] | None) -> bool:
        """Whether it is better than the `content` of an earlier verdict; true of another number, or where is none."""
        if other is None or any(other[key] != self.content[key] for key in ("name", "extractor")):
            return True
        value = other["value"]
        return self.value > value if self.better == "higher" else self.value < value


Weigh: TypeAlias = Callable[[GameState, Mapping[str, float]], Verdict]
"""`(state, metrics of its last step) -> verdict`; every process of a run must call it."""


def by_score(judge: Callable[[GameState], Score]) -> Weigh:
    """States by a metric of what they make."""

    def weigh(state: GameState, _row: Mapping[str, float]) -> Verdict:
        score = judge(state)
        return Verdict(score.value, KINDS[score.protocol.metric].better, str(score), score.to_json())

    return weigh


def by_goal(system: System, goal: Goal, data: Data, held: Data, n: int, seed: int) -> Weigh:
    """States by the system's own number.

    Args:
        system: has the goal.
        goal: a metric of the step, or a number that a verb makes, of which the mean over n examples is taken.
        data: as for `drawn`.
        held: as for `drawn`.
        n: examples to make.
        seed: of their noise, the same at every measurement.
    """
    verb = _maker(system, goal)
    if verb is None:
        return lambda _state, row: _verdict(goal, row[goal.name], 0)
    made = drawn(verb, goal.name, data, held)
    n = min(n, made.most or n)
    sample = make_batches(made.verb, n, seed, made.given, Stream.MEASURE)

    def weigh(state: GameState, _row: Mapping[str, float]) -> Verdict:
        numbers = np.concatenate([np.asarray(batch[goal.name], np.float64) for batch in sample(state)])
        return _verdict(goal, float(numbers.mean()), n)

    return weigh


def check(system: System, frozen: Mapping[str, Any], rows: int) -> None:
    """Raise UserError where the system's goal is no number that it has; traces a step, which must know no axis.

    Args:
        system: has a goal.
        frozen: its frozen networks.
        rows: examples of a batch.
    """
    goal = system.goal
    if goal is None or _maker(system, goal):
        return
    state = with_frozen(jax.eval_shape(system.init, jax.random.key(0)), frozen)
    metrics = jax.eval_shape(system.step, state, fields.shapes(system.batch, rows), jax.random.key(0))[1]
    if goal.name not in metrics:
        raise UserError(
            f"the system's goal {goal.name} is no number that a verb makes, and no metric of its step, which are "
            f"{', '.join(metrics)}."
        )


def _maker(system: System, goal: Goal) -> Verb | None:
    """The verb that makes the number `goal`, or None."""
    makers = (verb for verb in system.verbs.values() if goal.name in verb.makes)
    return next((verb for verb in makers if verb.makes[goal.name].kind == "number"), None)


def _verdict(goal: Goal, value: float, n: int) -> Verdict:
    about = f" ({n:,} examples)" if n else ""
    content = {"name": goal.name, "extractor": "", "value": value, "n": n, "better": goal.better}
    return Verdict(value, goal.better, f"{goal.name} {value:.4g}{about}", content)
