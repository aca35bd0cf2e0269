"""What samples say about a run's health: pure rules of their diversity, from numbers to findings."""

from collections.abc import Mapping
from typing import Any

from jaxgan.train.monitor.findings import Finding

PATIENCE = 30_000  # images before samples are judged: a generator begins with one grey image
ALIKE = 0.1  # of the data's mean distance
FALLEN = 0.25  # of the largest diversity of the run so far
FEW = 16  # images from which on duplicates are counted
REPEATED = 0.5  # of the samples
NEAR = 0.2  # of the median distance of an image of the data to its nearest neighbour: closer ones are near-duplicates


def largest_diversity(picture: Mapping[str, Any], largest: float) -> float:
    """`largest`, raised to the diversity of a picture that is judged."""
    return max(picture["diversity"], largest) if _is_judged(picture) else largest


def look_at_samples(picture: Mapping[str, Any], largest: float) -> list[Finding]:
    """What a sample picture says.

    Args:
        picture: the `images` trained on so far, the `samples` looked at, their `diversity` (mean distance over that of
            the data, None where the data have none), the pairs of `near_duplicates` and the `support` that follows,
            how many samples are `repeated`, how many of as many images of the data are (`data_repeated`), and
            `data_images`, all of them.
        largest: diversity as `largest_diversity` has gathered it.
    """
    if not _is_judged(picture):
        return []
    if picture["diversity"] < max(ALIKE, FALLEN * largest):
        return [_collapse(picture, largest)]
    return [_duplicates(picture)] if _has_duplicates(picture) else []


def _is_judged(picture: Mapping[str, Any]) -> bool:
    return picture["images"] >= PATIENCE and picture["diversity"] is not None


def _collapse(picture: Mapping[str, Any], largest: float) -> Finding:
    diversity, n = picture["diversity"], picture["samples"]
    fell = f", and were up to {largest:.2g} times" if largest > 2 * diversity else ""
    seen = (
        f"the generator has collapsed: {n} samples are {diversity:.2g} times as different from each other as {n} "
        f"images of the data are{fell}, with {picture['near_duplicates']} near-duplicate pairs"
    )
    return Finding("collapse", seen, {"diversity": diversity, "largest": largest})


def _has_duplicates(picture: Mapping[str, Any]) -> bool:
    """Half of the samples are repeated, from a support that is small beside the data; and those are not."""
    n, repeated = picture["samples"], picture["repeated"]
    many = n >= FEW and repeated >= REPEATED * n and repeated > 2 * picture["data_repeated"]
    return many and picture["support"] < picture["data_images"] / 4


def _duplicates(picture: Mapping[str, Any]) -> Finding:
    n, repeated, size = picture["samples"], picture["repeated"], picture["support"]
    seen = (
        f"the generator repeats itself: {repeated} of {n} samples have a near-duplicate, as if it made only about "
        f"{size:.0f} different images"
    )
    return Finding("duplicates", seen, {"repeated": repeated, "support": size})
