"""What makes a number doubtful, a sentence each; and how many images a spread, a line or a resample takes at least."""

import dataclasses
from collections.abc import Sequence

from jaxgan.errors import UserError
from jaxgan.metrics.compare.protocol import Score

FEW = 10_000
SUBSET = 1000  # images of a subset, and
SPLITS = 10  # parts of all images: as published
LEAST_SUBSET = 10
LEAST_SPLIT = 50
LEAST_LINE = 100
LEAST_RESAMPLED = 10
LINE = 5000  # images from which on the law of the line is known (Chong and Forsyth 2020)
FEW_RESAMPLED = 100
FEW_RESAMPLES = 20
FEW_SEEDS = 3


def of_few(n: tuple[int, ...], dim: int, covariance: bool) -> tuple[str, ...]:
    """What to say of few images; `covariance` says whether the metric needs one of `dim` features."""
    found = []
    known = [count for count in n if count]
    if known and min(known) < FEW:
        found.append(f"with fewer than {FEW} images ({min(known)}) the number is biased; compare it at equal n only")
    if covariance and known and min(known) <= dim:
        found.append(f"{min(known)} images cannot fill a covariance of {dim} features: it is rank-deficient")
    return tuple(found)


def subset_size(n: int) -> int:
    """Images of a subset whose estimates have a spread: at most half of them, or all subsets were nearly one; or 0."""
    size = min(SUBSET, n // 2)
    return size if size >= LEAST_SUBSET else 0


def of_subsets(n: int) -> tuple[str, ...]:
    """What to say of the spread over subsets of n images."""
    size = subset_size(n)
    if not size:
        return (f"of {n} images the kernel distance has no spread: that takes {2 * LEAST_SUBSET}",)
    if size < SUBSET:
        return (f"the kernel distance's std is that of subsets of {size} images, half of {n}; usual are {SUBSET}",)
    return ()


def splits(n: int) -> int:
    """Parts of n images that are scored apart; 1 where parts would hold too few images."""
    return min(SPLITS, max(n // LEAST_SPLIT, 1))


def of_splits(n: int) -> tuple[str, ...]:
    """What to say of an Inception Score of n images."""
    parts = splits(n)
    if parts == 1:
        return (f"of {n} images the Inception Score has no spread: that takes {2 * LEAST_SPLIT}",)
    return (f"the Inception Score is of {parts} splits; usual are {SPLITS}",) if parts < SPLITS else ()


def check_line(n: int, what: str) -> None:
    """Raise UserError where n images are too few to go to infinity from."""
    if n < LEAST_LINE:
        raise UserError(
            f"{what} draws a line through numbers of images, from a tenth of them on, and takes at least {LEAST_LINE} "
            f"images; got {n}."
        )


def of_line(first: int, dim: int, value: float) -> tuple[str, ...]:
    """What to say of a line to infinity that begins at `first` images of `dim` features (0: no covariance)."""
    found = []
    if first < LINE:
        found.append(f"the line to infinity begins at {first} images, and its law is known from {LINE} on")
    if dim and first <= dim:
        found.append(f"it begins with fewer images ({first}) than features ({dim}), where the law does not hold")
    if dim and value < 0:
        found.append("a distance below 0 says that the line has gone too far")
    return tuple(found)


def of_classes(counts: Sequence[int], dim: int) -> tuple[str, ...]:
    """What to say of a Fréchet distance within classes that have so many images."""
    least = min(counts)
    full = "" if least > dim else f", which cannot fill a covariance of {dim} features"
    return (f"the smallest class has {least} images{full}; compare the number at equal n only",) if least < FEW else ()


def check_resampled(n: int) -> None:
    """Raise UserError where resamples of n images would be nearly the same few again and again."""
    if n < LEAST_RESAMPLED:
        raise UserError(f"a bootstrap draws from at least {LEAST_RESAMPLED} generated images, got {n}.")


def of_resamples(n: int, resamples: int) -> tuple[str, ...]:
    """What to say of a bootstrap's standard error."""
    found = []
    if n < FEW_RESAMPLED:
        found.append(f"a bootstrap over {n} images takes the error for smaller than it is")
    if resamples < FEW_RESAMPLES:
        found.append(f"an error from {resamples} resamples is itself uncertain by about {_uncertain(resamples)}")
    return tuple(found)


def of_seeds(score: Score) -> Score:
    """A mean over seeds with what is to be said of its error."""
    found = []
    if score.stderr == 0:
        found.append(f"all {score.repeats} seeds give the same number, so its error is unknown")
        score = dataclasses.replace(score, stderr=None)
    elif score.repeats < FEW_SEEDS:
        found.append(f"an error from {score.repeats} seeds is itself uncertain by about {_uncertain(score.repeats)}")
    return dataclasses.replace(score, warnings=(*score.warnings, *found))


def _uncertain(count: int) -> str:
    """The relative error of a standard deviation from so many numbers, 1 / sqrt(2 (n - 1))."""
    return f"{100 / (2 * (count - 1)) ** 0.5:.0f} %"
