"""The command `jaxgan fid`: two sets of images, or their statistics, and a Fréchet distance."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from jaxgan.commands.metric_options import (
    ExtractorConfig,
    FidConfig,
    ImagesConfig,
    check_fid,
    check_images,
)
from jaxgan.commands.sources import (
    Source,
    extractor_of,
    grey_in_colour,
    grey_named,
    open_source,
    prepared,
    seen,
    show_warnings,
)
from jaxgan.errors import UserError
from jaxgan.metrics.compare import doubts
from jaxgan.metrics.compare.evaluate import bootstrap, frechet_score
from jaxgan.metrics.compare.feature_sets import FeatureSet, feature_set_of_data, side_of_statistics
from jaxgan.metrics.compare.protocol import Score
from jaxgan.metrics.numbers.frechet import frechet_distance, prepare
from jaxgan.metrics.numbers.statistics import Statistics
from jaxgan.metrics.seen_by import each
from jaxgan.metrics.seen_by.extractors import Name
from jaxgan.metrics.seen_by.features import Extractor, count_of
from jaxgan.options import parse
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import counting

OWN: dict[tuple[str, str], Name] = {  # names of extractors in statistics, as --extractor knows them
    ("fashion-cnn", "28x28"): "fashion-cnn",
    ("inception-2015", "legacy"): "inception",
    ("inception-2015", "clean"): "clean-inception",
    ("random-inception-0", "legacy"): "random-inception",
    ("pixels-16", "16x16"): "pixels",
}
INCEPTION_FEATURES = 2048


def command(real: str, fake: str, args: Sequence[str]) -> int:
    """Compare two sets of images, or their statistics, by a Fréchet distance."""
    kinds = (FidConfig, ExtractorConfig, ImagesConfig)
    config, seen_by, how = parse("jaxgan fid A B", "The Fréchet distance of B from A.", kinds, args)
    check_fid(config)
    check_images(how)
    quiet()
    names = (real, fake)
    sources = [open_source(name, how) for name in names]
    if config.bootstrap and isinstance(sources[1], Statistics):
        raise UserError(f"--bootstrap draws from the images of B, but {names[1]} holds statistics only.")
    with grey_named(names, sources, how):
        extractor = _extractor_for(sources, seen_by)
        alone = any(not isinstance(source, Statistics) and each.mixed(source, "image") for source in sources)
        sides = [_side(name, source, extractor, how, alone) for name, source in zip(names, sources, strict=True)]
        score = frechet_score(*sides, ddof=config.ddof, trust=config.trust_statistics)
    score = _with_error(score, sides, config)
    score = dataclasses.replace(score, warnings=(*score.warnings, *_shape_doubts(names, sources)))
    if config.json:
        print(json.dumps(score.to_json(), indent=2, allow_nan=False))
        return 0
    print(score)
    show_warnings([score])
    return 0


def _extractor_for(sources: Sequence[Source], config: ExtractorConfig) -> Extractor | None:
    """What the images among `sources` are seen by; None where both are statistics."""
    fields = [seen(source) for source in sources if not isinstance(source, Statistics)]
    if not fields:
        return None
    name = None
    if config.extractor == "auto" and len(fields) < len(sources):  # features of the kind that there are statistics of
        name = _maker(next(source for source in sources if isinstance(source, Statistics)))
    return extractor_of(fields, config, name)


def _maker(found: Statistics) -> Name:
    """The `--extractor` by which statistics were made, as far as they tell."""
    made = OWN.get((found.about.get("extractor", ""), found.about.get("resize", "")))
    return made or ("inception" if len(found.gaussian.mean) == INCEPTION_FEATURES else "auto")


def _side(name: str, source: Source, extractor: Extractor | None, how: ImagesConfig, alone: bool) -> FeatureSet:
    if isinstance(source, Statistics):
        return side_of_statistics(name, source)
    assert extractor is not None
    with counting(f"features of {name}", count_of(source, "image", how.limit)) as progress:
        how_seen: dict[str, Any] = {"name": name, "prepared": prepared(how), "limit": how.limit, "alone": alone}
        return feature_set_of_data(source, extractor, progress=progress, **how_seen)


def _with_error(score: Score, sides: Sequence[FeatureSet], config: FidConfig) -> Score:
    if not config.bootstrap:
        return score
    real, fake = sides
    reference = prepare(real.gaussian or real.taps["features"], config.ddof)
    distance = lambda features: frechet_distance(reference, features, config.ddof).value  # noqa: E731
    error = bootstrap(distance, fake.taps["features"], config.bootstrap, config.seed)
    warnings = (*score.warnings, *doubts.of_resamples(fake.n, config.bootstrap))
    return dataclasses.replace(score, stderr=error, repeats=config.bootstrap, seed=config.seed, warnings=warnings)


def _shape_doubts(names: Sequence[str], sources: Sequence[Source]) -> tuple[str, ...]:
    shapes = [None if isinstance(source, Statistics) else source.spec["image"].shape for source in sources]
    if None in shapes or shapes[0] == shapes[1]:
        return ()
    told = ["several sizes" if None in (shape or ()) else "x".join(map(str, shape or ())) for shape in shapes]
    words = [f"{name} has images of {what}" for name, what in zip(names, told, strict=True)]
    grey = grey_in_colour(names, sources)
    return (f"{' and '.join(words)}: part of the distance is that difference{f'; {grey}' if grey else ''}",)
