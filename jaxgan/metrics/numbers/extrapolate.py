"""What a biased metric would be with infinitely many images."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.inception_score import inception_score
from jaxgan.metrics.numbers.types import Features, Logits


class AtInfinity(NamedTuple):
    """A metric fitted as value + slope / n.

    Attributes:
        value: of the fit at 1 / n = 0.
        slope: bias of one image; divide by n for the bias that n images have.
        sizes: numbers of images n that were used.
        values: the metric at each of them.
    """

    value: float
    slope: float
    sizes: Int[np.ndarray, " points"]
    values: Float[np.ndarray, " points"]


def subset_sizes(n: int, points: int = 15) -> Int[np.ndarray, " points"]:
    """Numbers of images to use of n: even steps from 5000, or from n / 10 where that is less, to n.

    Args:
        n: how many images there are.
        points: how many sizes.

    Returns:
        Sizes in increasing order; fewer than `points` where n is so small that sizes coincide.

    Raises:
        UserError: fewer than 2 sizes come out.
    """
    sizes = np.unique(np.linspace(min(5000, max(n // 10, 2), n), n, max(points, 0)).astype(int))
    if len(sizes) < 2:
        raise UserError(
            f"a line through metrics takes at least 2 numbers of images, got {points} points of {n} images."
        )
    return sizes


def at_infinity(
    metric: Callable[[Features], float],
    features: Features,
    *,
    points: int = 15,
    sizes: Sequence[int] | Int[np.ndarray, " points"] | None = None,
    seed: int = 2020,
) -> AtInfinity:
    """A metric without its bias of finite samples, from a line through its values at several numbers of images.

    The bias of the Fréchet distance and of the Inception Score is proportional to 1 / n to first order; least squares
    on 1 / n gives its size and what is left (Chong and Forsyth 2020, arXiv 1911.07023: FID-infinity, IS-infinity). For
    FID-infinity pass `lambda part: frechet_distance(real, part).value`; statistics of the reals, which have a bias of
    their own, stay as they are.

    Args:
        metric: from some of the rows of `features` to a number.
        features: of all generated images.
        points: how many numbers of images, as `subset_sizes` spreads them.
        sizes: these numbers instead, in any order.
        seed: of the draws; each size draws its own images, without replacement.

    Returns:
        Value at infinity, slope, and what they were fitted to.

    Raises:
        UserError: fewer than 2 different sizes, or one that is not between 1 and the number of images.
    """
    n = len(features)
    chosen = subset_sizes(n, points) if sizes is None else np.asarray(sizes, int)
    if len(set(chosen.tolist())) < 2 or chosen.min() < 1 or chosen.max() > n:
        raise UserError(f"sizes must be at least 2 different numbers of images from 1 to {n}, got {chosen.tolist()}.")
    rng = np.random.RandomState(seed)
    values = np.array([float(metric(features[rng.permutation(n)[:size]])) for size in chosen], float)
    slope, value = np.polyfit(1 / chosen, values, 1)
    return AtInfinity(float(value), float(slope), chosen, values)


def inception_score_at_infinity(logits: Logits, *, points: int = 15, seed: int = 2020) -> AtInfinity:
    """IS-infinity: the Inception Score of one split, `at_infinity` (Chong and Forsyth 2020, arXiv 1911.07023).

    Args:
        logits: of a classifier, one row for each generated image.
        points: how many numbers of images the line goes through.
        seed: of the draws.

    Returns:
        As `at_infinity`; the slope is negative, as few images have too low a score.

    Raises:
        UserError: fewer than 2 sizes come out.
    """
    return at_infinity(lambda part: inception_score(part, splits=1, seed=None).mean, logits, points=points, seed=seed)
