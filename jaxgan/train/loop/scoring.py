"""A number for a state of a system: what it makes against the data, always from the same noise."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jaxgan.data import Data
from jaxgan.fields import Spec
from jaxgan.game import GameState, System, Verb
from jaxgan.game.random import Stream
from jaxgan.metrics.compare.evaluate import frechet_score
from jaxgan.metrics.compare.feature_sets import FeatureSet, feature_set_of, feature_set_of_data
from jaxgan.metrics.compare.protocol import Score
from jaxgan.metrics.numbers.gaussian import gaussian
from jaxgan.metrics.seen_by.features import Extractor
from jaxgan.show import given as givens
from jaxgan.show.sampling import make_batches
from jaxgan.train.screen.report import counting

MOST = 10_000  # generated examples where nobody asks for another number


Scorer: TypeAlias = Callable[[GameState], Score]
"""The Fréchet distance of what a state makes; every process of a run must call it."""


class Made(NamedTuple):
    """What of a system is measured.

    Attributes:
        verb: what makes it.
        field: the made field, which the data has too.
        given: what the verb takes, drawn like the data.
        most: examples that can be made of other rows; None where there is no bound.
    """

    verb: Verb
    field: str
    given: givens.Given
    most: int | None

    def labels(self, n: int) -> np.ndarray | None:
        """Classes of the first n examples, where they are those of the data."""
        return self.given(0, n)["label"] if "label" in self.verb.given else None


def measured(system: System, spec: Spec) -> tuple[str, str] | None:
    """The verb and the field it makes by which a system is measured: the first that the data has, of the same kind."""
    for name, verb in system.verbs.items():
        for made, field in verb.makes.items():
            if made in spec and spec[made].kind == field.kind:
                return name, made
    return None


def made_by(system: System, data: Data, held: Data) -> Made | None:
    """What of `system` can be compared with the data; None where it makes nothing of the kind. Arguments of `drawn`."""
    found = measured(system, data.spec)
    return drawn(system.verb(found[0]), found[1], data, held) if found else None


def drawn(verb: Verb, field: str, data: Data, held: Data) -> Made:
    """A made field, drawn to be measured.

    Args:
        verb: makes it.
        field: its name.
        data: whose proportions classes are drawn in.
        held: rows from which all else is given, where a verb takes more than classes and codes.
    """
    free = all(given.kind in givens.CHOSEN for given in verb.given.values())
    rows = data if free else held
    most = None if free else min(rows.table(name).rows for name in verb.given)
    return Made(verb, field, givens.for_measuring(verb, rows), most)


def make_scorer(made: Made, data: Data, extractor: Extractor, n: int, seed: int) -> Scorer:
    """A judge of states by n examples.

    Args:
        made: what is measured.
        data: what it is compared with, all of it.
        extractor: what examples are seen by.
        n: examples to make; fewer where the rows that they are made from are fewer.
        seed: of their noise.
    """
    n = min(n, made.most or n)
    with counting("features of the data", data.table(made.field).rows) as progress:
        real = feature_set_of_data(data, extractor, field=made.field, progress=progress)
    # Kept as mean and covariance: the features of a large set would stay in memory for as long as the run.
    real = real._replace(gaussian=gaussian(real.taps["features"]), taps={})
    sample = make_batches(made.verb, n, seed, made.given, Stream.MEASURE)
    return lambda state: frechet_score(real, fakes_of(state, sample, made, extractor, n))


def fakes_of(
    state: GameState,
    sample: Callable[[GameState], Any],
    made: Made,
    extractor: Extractor,
    n: int,
    taps: Sequence[str] = ("features",),
    progress: Callable[[int], None] | None = None,
) -> FeatureSet:
    """The side that n examples of `sample(state)`, from `make_batches`, make."""
    batches = (batch[made.field] for batch in sample(state))
    name = "generated images" if extractor.kind == "image" else "generated examples"
    return feature_set_of(name, extractor, batches, taps, labels=made.labels(n), progress=progress)
