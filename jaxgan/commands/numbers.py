"""Numbers of a state that are measured on examples themselves: against right answers, and between sets of shapes."""

from collections.abc import Mapping

import numpy as np

from jaxgan.data import Data, gather, some
from jaxgan.game import GameState, Goal, System, Verb
from jaxgan.metrics.numbers.direct import PAIRED, SETS, Number
from jaxgan.show import given as givens
from jaxgan.show.sampling import make_sampler
from jaxgan.train.loop.scoring import drawn

MOST = 500  # examples


def examine(system: System, state: GameState, data: Data, held: Data, seed: int) -> dict[str, list[Number]]:
    """Numbers by what they are of: "target of 500 held-out examples".

    Args:
        system: its verbs are measured.
        state: of the system.
        data: what it was trained on.
        held: examples that it was not trained on; the same as `data` where there are none.
        seed: of the noise.
    """
    found: dict[str, list[Number]] = {}
    for verb in system.verbs.values():
        found |= _answers(verb, state, held, seed) | _sets(verb, state, data, held, seed)
        found |= _numbers(verb, system.goal, state, data, held, seed)
    return found


def _answers(verb: Verb, state: GameState, held: Data, seed: int) -> dict[str, list[Number]]:
    names = [name for name in verb.truth if verb.makes[name].kind in PAIRED]
    if not names:
        return {}
    held = some(held, MOST)  # of all classes, where rows are sorted
    n = min(held.table(name).rows for name in (*names, *verb.given))
    rows = np.arange(n, dtype=np.int32)
    made = make_sampler(verb, n, seed, givens.from_rows(verb.given, held))(state)
    found = {}
    for name in names:
        truth = gather(held.table(name).source, rows, [name])[name]
        found[f"{name} of {n} held-out examples"] = PAIRED[verb.makes[name].kind](truth, made[name])
        mean = np.broadcast_to(np.round(truth.mean(0)).astype(truth.dtype), truth.shape)
        found[f"for scale, {name} answered by the mean of all"] = PAIRED[verb.makes[name].kind](truth, mean)
        found |= _unchanged(verb, name, held, rows, truth)
    return found


def _unchanged(verb: Verb, name: str, held: Data, rows: np.ndarray, truth: np.ndarray) -> dict[str, list[Number]]:
    """The same numbers where what is given is handed back as the answer, if it is of the same kind and shape."""
    for given, field in verb.given.items():
        if field.kind == verb.makes[name].kind:
            same = gather(held.table(given).source, rows, [given])[given]
            if same.shape == truth.shape:
                return {f"for scale, {name} answered by {given}": PAIRED[field.kind](truth, same)}
    return {}


def _numbers(
    verb: Verb, goal: Goal | None, state: GameState, data: Data, held: Data, seed: int
) -> dict[str, list[Number]]:
    """The means of the numbers that a verb makes, such as the return of an episode."""
    found = {}
    for name in (name for name, field in verb.makes.items() if field.kind == "number"):
        made = drawn(verb, name, data, held)
        n = min(MOST, made.most or MOST)
        values = np.asarray(make_sampler(verb, n, seed, made.given)(state)[name], np.float64).reshape(n, -1).mean(1)
        better = goal.better if goal and goal.name == name else "neither"
        error = float(values.std(ddof=1) / np.sqrt(n)) if n > 1 else None
        found[f"{name} of {n} examples"] = [Number("mean", float(values.mean()), better, error)]
    return found


def _sets(verb: Verb, state: GameState, data: Data, held: Data, seed: int) -> dict[str, list[Number]]:
    found = {}
    drawn_like_the_data = all(name in data.spec or field.kind == "code" for name, field in verb.given.items())
    for name, field in verb.makes.items():
        if drawn_like_the_data and field.kind in SETS and name in held.spec:
            reals = givens.from_rows({name: held.spec[name]}, held, shuffled=True)
            n = min(MOST, held.table(name).rows)
            made = make_sampler(verb, n, seed, givens.for_measuring(verb, data))(state)
            what = "held-out examples" if held is not data else "examples of the data"
            found[f"{name} against {n} {what}"] = SETS[field.kind](reals(0, n)[name], made[name])
    return found


def to_json(found: Mapping[str, list[Number]]) -> dict[str, dict[str, dict[str, object]]]:
    """All numbers as JSON values."""
    return {what: {each.name: each._asdict() for each in numbers} for what, numbers in found.items()}
