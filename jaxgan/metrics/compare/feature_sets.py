"""What is compared: images by their features, or statistics from a file, and where each comes from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxgan.data import Data
from jaxgan.errors import UserError
from jaxgan.metrics.numbers.checks import check_finite
from jaxgan.metrics.numbers.gaussian import Gaussian
from jaxgan.metrics.numbers.statistics import Statistics
from jaxgan.metrics.seen_by import each
from jaxgan.metrics.seen_by.features import Extractor, Progress, count_of, examples_of, extract

MADE_BY = ("extractor", "weights_sha256", "resize", "prepared", "tap", "precision")  # what two sides must share


class FeatureSet(NamedTuple):
    """One side of a comparison.

    Attributes:
        name: what the user calls it.
        n: how many images; 0 where a file does not say.
        taps: {tap: features [n, ...]}, {} where there are statistics only.
        gaussian: mean and covariance from a file, or None.
        about: extractor, weights_sha256, resize, prepared, tap, precision, reference; {} where a file does not say.
        ddof: of the covariance in a file.
        labels: classes of the images, or None.
        of: of how many the n are a part; 0 where they are all.
    """

    name: str
    n: int
    taps: Mapping[str, np.ndarray]
    gaussian: Gaussian | None
    about: Mapping[str, str]
    ddof: int = 1
    labels: np.ndarray | None = None
    of: int = 0


def feature_set_of(
    name: str,
    extractor: Extractor,
    batches: Iterable[np.ndarray],
    taps: Sequence[str] = ("features",),
    *,
    reference: str = "",
    prepared: str = "",
    labels: np.ndarray | None = None,
    **how: Any,
) -> FeatureSet:
    """The side that images make.

    Args:
        name: what to call it.
        extractor: what to see them by.
        batches: uint8 images.
        taps: which outputs.
        reference: fingerprint of the data, where they are data.
        prepared: what was done to the images before, such as another size, in a few words.
        labels: their classes.
        **how: further arguments of `extract`.

    Raises:
        UserError: fewer than two images, or features that are not finite.
    """
    found = extract(extractor, batches, taps, **how)
    for tap, features in found.items():
        if features.ndim != 2:
            raise UserError(f"{tap} of {extractor.name} must be one row an image, got {list(features.shape)}.")
        check_finite(features, name)
    n = len(found[taps[0]])
    if n < 2:
        raise UserError(f"{name} holds 1 image, and a comparison takes at least 2.")
    return FeatureSet(name, n, found, None, about(extractor, prepared) | {"reference": reference}, labels=labels)


def feature_set_of_data(
    data: Data,
    extractor: Extractor,
    taps: Sequence[str] = ("features",),
    *,
    field: str = "image",
    name: str | None = None,
    prepared: str = "",
    limit: int | None = None,
    progress: Progress | None = None,
    alone: bool = False,
) -> FeatureSet:
    """The side that the `field` of a data set, called `name`, makes; with a `limit`, `data.some_rows` of them.

    Images of several sizes, and all where they are to be `alone`, are resized each by itself (`seen_by.each`).

    Errors as for `feature_set_of`.
    """
    labels: list[np.ndarray] = []
    alone = alone or each.mixed(data, field)
    batches = each.examples_of(data, field, extractor, limit) if alone else examples_of(data, field, limit)

    def images() -> Iterator[np.ndarray]:
        for examples in batches:  # labels on the way: reading one may be decoding its image
            if "label" in examples:
                labels.append(examples["label"])
            yield examples[field]

    prepared = ", ".join(filter(None, [prepared, each.words_of(extractor) if alone else ""]))
    how: dict[str, Any] = {"reference": reference_of(data, field, limit), "prepared": prepared, "progress": progress}
    how |= {"resized": alone}
    side = feature_set_of(name or data.name, extractor, images(), taps, **how)
    return side._replace(labels=np.concatenate(labels) if labels else None, of=whole_of(data, field, limit))


def reference_of(data: Data, field: str, limit: int | None) -> str:
    """By what `limit` images of a data set are known again: a part is another reference than the whole."""
    n = count_of(data, field, limit)
    return f"{data.fingerprint[:44]}:{n} drawn" if whole_of(data, field, limit) else data.fingerprint


def whole_of(data: Data, field: str, limit: int | None) -> int:
    """Of how many images `limit` are a part; 0 where they are all."""
    rows = data.table(field).rows
    return rows if count_of(data, field, limit) < rows else 0


def side_of_statistics(name: str, statistics: Statistics) -> FeatureSet:
    """The side that a file of statistics makes."""
    gaussian, about, ddof, of = statistics
    return FeatureSet(name, gaussian.n, {}, gaussian, about, ddof, of=of)


def about(extractor: Extractor, prepared: str = "") -> dict[str, str]:
    """The texts by which statistics of this extractor's features are known again."""
    return {
        "extractor": extractor.name,
        "weights_sha256": extractor.weights,
        "resize": extractor.resize,
        "prepared": prepared,
        "tap": "features",
        "precision": extractor.precision,
    }


def agreed(real: FeatureSet, fake: FeatureSet, trust: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """What both sides were made by, and warnings where one does not say.

    Args:
        real: one side.
        fake: the other.
        trust: take the word of the side that says for both.

    Raises:
        UserError: they were made by different means, naming the first.
    """
    both = bool(real.about and fake.about)
    for key in MADE_BY if both else ():
        if real.about[key] != fake.about[key]:
            raise UserError(
                f"{real.name} and {fake.name} may not be compared: {key} is {real.about[key] or 'none'} in one and "
                f"{fake.about[key] or 'none'} in the other."
            )
    known = dict(real.about or fake.about)
    if both:
        return known, ()
    silent = " and ".join(side.name for side in (real, fake) if not side.about)
    if trust and known:
        return known, (f"what made the statistics in {silent} is taken on the word of --trust-statistics",)
    unknown = dict.fromkeys(MADE_BY, "") | {"extractor": "unknown", "resize": "unknown", "tap": "features"}
    return unknown, (f"nothing in {silent} says what made the statistics",)
