"""A number for a state of a system: generated images against the data, always from the same noise."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from jaxgan.data import ImageData
from jaxgan.game.state import GameState, System
from jaxgan.metrics.evaluate import frechet_score
from jaxgan.metrics.features import Extractor
from jaxgan.metrics.gaussian import gaussian
from jaxgan.metrics.protocol import Score
from jaxgan.metrics.sides import Side, side_of, side_of_data
from jaxgan.train.progress import counting
from jaxgan.train.sampling import labels_for, make_batches

STREAM = 0x6A756467  # not that of samples: a state that was chosen by some images is not to be measured by the same
MOST = 10_000  # generated images where nobody asks for another number


Judge: TypeAlias = Callable[[GameState], Score]
"""The Fréchet distance of what a state generates; every process of a run must call it."""


def make_judge(system: System, data: ImageData, classes: int, extractor: Extractor, n: int, seed: int) -> Judge:
    """A judge of states of `system` by n images.

    Args:
        system: what generates them.
        data: what they are compared with, all of it.
        classes: of the images that are generated in turn, 0 for none.
        extractor: what images are seen by.
        n: images to generate.
        seed: of their noise.
    """
    with counting("features of the data", len(data.source)) as progress:
        real = side_of_data(data, extractor, progress=progress)
    # Kept as mean and covariance: the features of a large set would stay in memory for as long as the run.
    real = real._replace(gaussian=gaussian(real.taps["features"]), taps={})
    sample = make_batches(system, n, seed, classes, stream=STREAM)
    return lambda state: frechet_score(real, fakes_of(state, sample, extractor, n, classes))


def fakes_of(
    state: GameState,
    sample: Callable[[GameState], Any],
    extractor: Extractor,
    n: int,
    classes: int = 0,
    taps: Sequence[str] = ("features",),
    progress: Callable[[int], None] | None = None,
) -> Side:
    """The side that n images of `sample(state)`, from `make_batches`, make."""
    labels = labels_for(n, classes)
    return side_of("generated images", extractor, sample(state), taps, labels=labels, progress=progress)
