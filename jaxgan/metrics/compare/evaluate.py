"""Metrics by name: from two sides to results that know their protocol. One set of features serves them all."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxgan.errors import UserError
from jaxgan.metrics.compare import doubts
from jaxgan.metrics.compare.feature_sets import FeatureSet, agreed
from jaxgan.metrics.compare.protocol import KINDS, Protocol, Score, Settings
from jaxgan.metrics.numbers.extrapolate import at_infinity, inception_score_at_infinity
from jaxgan.metrics.numbers.frechet import frechet_distance, prepare
from jaxgan.metrics.numbers.gaussian import Gaussian
from jaxgan.metrics.numbers.inception_score import inception_score
from jaxgan.metrics.numbers.intra import intra_class
from jaxgan.metrics.numbers.kernel import kernel_distance, polynomial_mmd
from jaxgan.metrics.numbers.neighbours import authenticity, density_coverage, precision_recall
from jaxgan.metrics.numbers.sliced import mind
from jaxgan.metrics.numbers.vendi import vendi

SEED = 2020  # of subsets, splits and directions, as everybody's


class Metric(NamedTuple):
    """One or two numbers that are computed together.

    Attributes:
        taps: outputs of the extractor that it needs.
        scores: `(real, fake, seed) -> scores`.
        usual: measured where nothing else is asked for.
    """

    taps: tuple[str, ...]
    scores: Callable[[FeatureSet, FeatureSet, int], Iterable[Score]]
    usual: bool = True


def evaluate(real: FeatureSet, fake: FeatureSet, metrics: Sequence[str], seed: int = SEED) -> list[Score]:
    """Measure two sides of which both are images.

    Args:
        real: the data.
        fake: the generated images.
        metrics: keys of `METRICS`.
        seed: of subsets, splits and directions.

    Raises:
        UserError: sides by different means, too few images, or a metric that there is not.
    """
    check_metrics(metrics)
    for side in (real, fake):
        if side.gaussian is not None:
            raise UserError(f"these metrics take images on both sides, and {side.name} holds statistics.")
    agreed(real, fake, trust=False)
    return [score for name in metrics for score in METRICS[name].scores(real, fake, seed)]


def check_metrics(metrics: Sequence[str]) -> None:
    """Raise UserError for a name that no metric has."""
    for name in metrics:
        if name not in METRICS:
            raise UserError(f"--metrics takes some of {', '.join(METRICS)}, got {name}.")


def usual_metrics(taps: Sequence[str]) -> tuple[str, ...]:
    """Names of the metrics that are measured by default with an extractor that has these outputs."""
    return tuple(name for name, metric in METRICS.items() if metric.usual and set(metric.taps) <= set(taps))


def taps_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """The outputs that these metrics need, "features" first."""
    return tuple(dict.fromkeys(("features", *(tap for name in metrics for tap in METRICS[name].taps))))


def frechet_score(real: FeatureSet, fake: FeatureSet, ddof: int = 1, trust: bool = False, key: str = "fd") -> Score:
    """The Fréchet distance of two sides, of which either may be statistics from a file.

    Args:
        real: the data.
        fake: the generated images.
        ddof: of the covariances of features.
        trust: statistics that do not say what they were made by were made as the other side.
        key: "fd", or "sfd" for the tap "spatial".

    Raises:
        UserError: sides that were made by different means, or that are no statistics.
    """
    made, unsure = agreed(real, fake, trust)
    for side in (real, fake):
        if side.gaussian is not None and side.ddof != ddof:
            raise UserError(f"the covariance in {side.name} has ddof {side.ddof}; --ddof must be the same, got {ddof}.")
    tap = KINDS[key].tap
    if real.gaussian is not None and fake.gaussian is not None and key == "fd":
        tap = made["tap"]
    elif made["tap"] != "features" or (key != "fd" and (real.gaussian or fake.gaussian)):
        raise UserError(f"statistics of {made['tap']} may not be compared with {tap} of images.")
    a, b = (side.gaussian or side.taps[tap] for side in (real, fake))
    found = frechet_distance(a, b, ddof)
    dim = len(b.mean) if isinstance(b, Gaussian) else b.shape[1]
    score = _score(key, real, fake, found.value, dim, made=made, tap=tap, ddof=ddof)
    terms = {"mean_term": found.mean_term, "covariance_term": found.covariance_term}
    return dataclasses.replace(score, warnings=(*unsure, *score.warnings), **terms)


def combined(scores: Sequence[Score]) -> Score:
    """Mean and standard error of the same number measured with several seeds."""
    if len(scores) == 1:
        return scores[0]
    values = np.asarray([score.value for score in scores])
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if np.ptp(values) else 0.0
    changes: dict[str, Any] = {"value": float(values.mean()), "stderr": error, "repeats": len(values)}
    for name in ("mean_term", "covariance_term", "std"):
        parts = [getattr(score, name) for score in scores]
        changes[name] = None if None in parts else float(np.mean(parts))
    return doubts.of_seeds(dataclasses.replace(scores[0], **changes))


def bootstrap(distance: Callable[[np.ndarray], float], fake: np.ndarray, resamples: int, seed: int = SEED) -> float:
    """Standard error of `distance(fake)` by the bootstrap over generated images (B. Efron 1979).

    Args:
        distance: of features to whatever they are compared with.
        fake: features [n, d].
        resamples: how many sets of n images to draw with replacement, at least 2.
        seed: of the draws.

    Raises:
        UserError: fewer than 2 resamples, or than 10 images to draw from.
    """
    if resamples < 2:
        raise UserError(f"a bootstrap takes at least 2 resamples, got {resamples}.")
    doubts.check_resampled(len(fake))
    rng = np.random.Generator(np.random.Philox(seed))
    values = [distance(fake[rng.integers(len(fake), size=len(fake))]) for _ in range(resamples)]
    return float(np.std(values, ddof=1))


def _score(
    key: str,
    real: FeatureSet | None,
    fake: FeatureSet,
    value: float,
    dim: int = 0,
    *,
    made: dict[str, str] | None = None,
    tap: str | None = None,
    settings: Settings = (),
    ddof: int | None = None,
    seed: int | None = None,
    std: float | None = None,
    unsure: tuple[str, ...] = (),
) -> Score:
    """A score with its protocol; `real` is None for a metric of generated images alone."""
    made, kind = made or dict(fake.about), KINDS[key]
    if not np.isfinite(value):
        raise UserError(f"{kind.general} is {value}: the features are too large, or all alike.")
    protocol = Protocol(
        metric=key,
        extractor=made["extractor"],
        weights=made["weights_sha256"],
        resize=made["resize"],
        prepared=made["prepared"],
        tap=tap or kind.tap,
        precision=made["precision"],
        ddof=ddof,
        dtype=kind.dtype,
        settings=tuple(sorted(settings)),
    )
    n = (fake.n,) if real is None else (real.n, fake.n)
    reference = "" if real is None else real.about.get("reference", "")
    of = tuple(side.of for side in (real, fake) if side is not None)
    few = doubts.of_few(n, dim, covariance=ddof is not None) if kind.biased else ()
    about = {"n": n, "of": of if any(of) else (), "reference": reference, "warnings": (*few, *unsure)}
    return Score(value=value, protocol=protocol, std=std, seed=seed, **about)


def _frechet(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    yield frechet_score(real, fake)


def _spatial(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    yield frechet_score(real, fake, key="sfd")


def _kernel(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    features, n = (real.taps["features"], fake.taps["features"]), min(real.n, fake.n)
    size, unsure = doubts.subset_size(n), doubts.of_subsets(n)
    if not size:
        settings = (("subsets", 1), ("subset_size", "all"))
        yield _score("kd", real, fake, float(polynomial_mmd(*features)), settings=settings, unsure=unsure)
        return
    found = kernel_distance(*features, subset_size=size, seed=seed)
    settings = (("subsets", 100), ("subset_size", size))
    yield _score("kd", real, fake, found.mean, std=found.std, settings=settings, seed=seed, unsure=unsure)


def _kernel_full(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    yield _score("kd_full", real, fake, float(polynomial_mmd(real.taps["features"], fake.taps["features"])))


def _inception(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del real
    splits = doubts.splits(fake.n)
    found = inception_score(fake.taps["logits"], splits=splits, seed=seed)
    about = {"std": found.std if splits > 1 else None, "settings": (("splits", splits),), "seed": seed}
    yield _score("is", None, fake, found.mean, unsure=doubts.of_splits(fake.n), **about)


def _precision_recall(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    found = precision_recall(real.taps["features"], fake.taps["features"], k=3)
    yield _score("precision", real, fake, float(found.precision), settings=(("k", 3),))
    yield _score("recall", real, fake, float(found.recall), settings=(("k", 3),))


def _density_coverage(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    found = density_coverage(real.taps["features"], fake.taps["features"], k=5)
    yield _score("density", real, fake, float(found.density), settings=(("k", 5),))
    yield _score("coverage", real, fake, float(found.coverage), settings=(("k", 5),))


def _mind(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    value = float(mind(real.taps["features"], fake.taps["features"], directions=1000, seed=seed))
    yield _score("mind", real, fake, value, settings=(("directions", 1000),), seed=seed)


def _vendi(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del real, seed
    yield _score("vendi", None, fake, float(vendi(fake.taps["features"])), settings=(("q", 1),))


def _authenticity(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    yield _score("authenticity", real, fake, float(authenticity(real.taps["features"], fake.taps["features"])))


def _frechet_at_infinity(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    doubts.check_line(fake.n, "fd_infinity")
    reference, features = prepare(real.taps["features"]), fake.taps["features"]
    found = at_infinity(lambda part: frechet_distance(reference, part).value, features, points=15, seed=seed)
    dim = features.shape[1]
    unsure = doubts.of_line(int(found.sizes[0]), dim, found.value)
    about = {"settings": (("points", len(found.sizes)),), "ddof": 1, "seed": seed}
    yield _score("fd_infinity", real, fake, found.value, dim, unsure=unsure, **about)


def _inception_at_infinity(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del real
    doubts.check_line(fake.n, "is_infinity")
    found = inception_score_at_infinity(fake.taps["logits"], points=15, seed=seed)
    unsure = doubts.of_line(int(found.sizes[0]), 0, found.value)
    settings = (("points", len(found.sizes)),)
    yield _score("is_infinity", None, fake, found.value, settings=settings, seed=seed, unsure=unsure)


def _intra(real: FeatureSet, fake: FeatureSet, seed: int) -> Iterable[Score]:
    del seed
    if real.labels is None or fake.labels is None:
        raise UserError("--metrics intra_fd takes labelled data and a conditional system.")
    features = real.taps["features"], real.labels, fake.taps["features"], fake.labels
    found = intra_class(lambda a, b: frechet_distance(a, b).value, *features)
    dim = real.taps["features"].shape[1]
    counts = [int(count) for labels in features[1::2] for count in np.unique(labels, return_counts=True)[1]]
    score = _score("intra_fd", real, fake, found.mean, ddof=1)
    yield dataclasses.replace(score, warnings=doubts.of_classes(counts, dim))


METRICS = {
    "fd": Metric(("features",), _frechet),
    "kd": Metric(("features",), _kernel),
    "is": Metric(("logits",), _inception),
    "pr": Metric(("features",), _precision_recall),
    "dc": Metric(("features",), _density_coverage),
    "mind": Metric(("features",), _mind),
    "vendi": Metric(("features",), _vendi),
    "authenticity": Metric(("features",), _authenticity),
    "kd_full": Metric(("features",), _kernel_full, usual=False),
    "sfd": Metric(("spatial",), _spatial, usual=False),
    "fd_infinity": Metric(("features",), _frechet_at_infinity, usual=False),
    "is_infinity": Metric(("logits",), _inception_at_infinity, usual=False),
    "intra_fd": Metric(("features",), _intra, usual=False),
}
"""Metrics of features by the name that the command line takes."""
