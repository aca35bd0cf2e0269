"""The commands `jaxgan fid`, `jaxgan stats` and `jaxgan weights`: images or statistics in, numbers out."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np

from jaxgan import data as datasets
from jaxgan.commands.metric_options import (
    ExtractorConfig,
    FidConfig,
    ImagesConfig,
    StatsConfig,
    check_fid,
    check_images,
)
from jaxgan.commands.train import quiet
from jaxgan.errors import UserError
from jaxgan.metrics.compare.evaluate import bootstrap, frechet_score
from jaxgan.metrics.compare.feature_sets import FeatureSet, about, feature_set_of_data, reference_of, side_of_statistics
from jaxgan.metrics.compare.protocol import Score
from jaxgan.metrics.numbers import gaussian, statistics
from jaxgan.metrics.numbers.checks import check_finite
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.frechet import frechet_distance, prepare
from jaxgan.metrics.numbers.statistics import Statistics
from jaxgan.metrics.seen_by.extractors import choose
from jaxgan.metrics.seen_by.features import Extractor, batches_of, count_of, stream_features
from jaxgan.options import parse
from jaxgan.train.run.rundir import check_file
from jaxgan.train.screen.progress import counting, tell

OWN = {  # names of extractors in statistics, as --extractor knows them
    ("fashion-cnn", "28x28"): "fashion-cnn",
    ("inception-2015", "legacy"): "inception",
    ("inception-2015", "clean"): "clean-inception",
    ("random-inception-0", "legacy"): "random-inception",
    ("pixels-16", "16x16"): "pixels",
}
INCEPTION_FEATURES = 2048
WEIGHTS_HELP = "jaxgan weights takes: status, or: convert IN OUT.safetensors [--allow-unverified]"
Source = datasets.Data | Statistics


def fid(names: Sequence[str], args: Sequence[str]) -> int:
    """Compare two sets of images, or their statistics, by a Fréchet distance."""
    kinds = (FidConfig, ExtractorConfig, ImagesConfig)
    config, seen_by, how = parse("jaxgan fid A B", "The Fréchet distance of B from A.", kinds, args)
    check_fid(config)
    check_images(how)
    quiet()
    sources = [open_source(name, how) for name in names]
    if config.bootstrap and isinstance(sources[1], Statistics):
        raise UserError(f"--bootstrap draws from the images of B, but {names[1]} holds statistics only.")
    extractor = _extractor_for(sources, seen_by)
    sides = [_side(name, source, extractor, how) for name, source in zip(names, sources, strict=True)]
    score = _with_error(frechet_score(*sides, ddof=config.ddof, trust=config.trust_statistics), sides, config)
    score = dataclasses.replace(score, warnings=(*score.warnings, *_shape_doubts(names, sources)))
    if config.json:
        print(json.dumps(score.to_json(), indent=2, allow_nan=False))
        return 0
    print(score)
    show_warnings([score])
    return 0


def stats(name: str, args: Sequence[str]) -> int:
    """Write mean and covariance of the features of images."""
    args = ["--out" if arg == "-o" else arg for arg in args]
    kinds = (StatsConfig, ExtractorConfig, ImagesConfig)
    config, seen_by, how = parse("jaxgan stats DATA -o FILE.npz", "Statistics of features.", kinds, args)
    check_images(how)
    if config.out is None or not config.out.endswith(".npz"):
        raise UserError(f"--out (-o) takes a .npz file to write, got {config.out or 'nothing'}.")
    check_file(Path(config.out), "--out")
    quiet()
    source = open_source(name, how)
    if isinstance(source, Statistics):
        raise UserError(f"{name} holds statistics already; jaxgan stats takes images.")
    extractor = choose(seen=[source.spec["image"]], **chosen(seen_by))
    found = _stream_statistics(source, extractor, how.limit, config.ddof)
    made = about(extractor, prepared(how)) | {"reference": reference_of(source, "image", how.limit)}
    statistics.write(Path(config.out), found, made, config.ddof)
    print(f"{config.out}: mean and covariance of {found.n} images, {len(found.mean)} features of {extractor.name}")
    return 0


def weights(args: Sequence[str]) -> int:
    """Say where Inception weights are looked for and what is there, or convert a file of them."""
    from jaxgan.metrics.inception.weights import status
    from jaxgan.metrics.inception.weights_file import convert

    match list(args):
        case ["status"]:
            for place, found in status():
                print(f"{place}: {found}")
        case ["convert", source, target, *rest] if set(rest) <= {"--allow-unverified"}:
            print(convert(source, target, allow_unverified=bool(rest)))
        case ["--help" | "-h", *_]:
            print(WEIGHTS_HELP)
        case _:
            raise UserError(f"{WEIGHTS_HELP}; got {' '.join(args) or 'nothing'}.")
    return 0


def open_source(name: str, how: ImagesConfig) -> Source:
    """Images by name or path, of one size; or the statistics in an npz."""
    path = Path(name).expanduser()
    if path.suffix == ".npz" and path.is_file() and statistics.is_statistics(path):
        return statistics.read(path)
    size: Any = "own" if how.image_size is None else how.image_size
    try:
        data = datasets.load(name, image_size=size, resize=how.resize, channels=how.channels, data_dir=how.data_dir)
    except UserError as error:  # here images are named without an option
        said = str(error).replace("--data ", "")
        raise UserError(said if said.startswith(name) else f"{name}: {said}") from error
    if " taken as " in data.description:  # a guess about numbers
        tell(data.description)
    return data


def prepared(how: ImagesConfig) -> str:
    """What the options do to images before an extractor sees them, in a few words; "" for nothing."""
    sides = (how.image_size,) * 2 if isinstance(how.image_size, int) else how.image_size
    size = "" if sides is None else f"{how.resize} to {sides[0]}x{sides[1]}"
    channels = {None: "", 1: "grey", 3: "colour"}[how.channels]
    return ", ".join(part for part in (size, channels) if part)


def show_warnings(scores: Sequence[Score]) -> None:
    """Each warning once, on stderr."""
    for warning in dict.fromkeys(warning for score in scores for warning in score.warnings):
        tell(f"Warning: {warning}.")


def _extractor_for(sources: Sequence[Source], config: ExtractorConfig) -> Extractor | None:
    """What the images among `sources` are seen by; None where both are statistics."""
    seen = [source.spec["image"] for source in sources if not isinstance(source, Statistics)]
    if not seen:
        return None
    options = chosen(config)
    if config.extractor == "auto" and len(seen) < len(sources):  # features of the kind that there are statistics of
        options["name"] = _maker(next(source for source in sources if isinstance(source, Statistics)))
    return choose(seen=seen, **options)


def _maker(found: Statistics) -> str:
    """The `--extractor` by which statistics were made, as far as they tell."""
    made = OWN.get((found.about.get("extractor", ""), found.about.get("resize", "")))
    return made or ("inception" if len(found.gaussian.mean) == INCEPTION_FEATURES else "auto")


def chosen(config: ExtractorConfig) -> dict[str, Any]:
    """The options of an extractor as `choose` takes them."""
    values = dataclasses.asdict(config)
    return {"name": values.pop("extractor"), **values}


def _side(name: str, source: Source, extractor: Extractor | None, how: ImagesConfig) -> FeatureSet:
    if isinstance(source, Statistics):
        return side_of_statistics(name, source)
    assert extractor is not None
    with counting(f"features of {name}", count_of(source, "image", how.limit)) as progress:
        how_seen: dict[str, Any] = {"name": name, "prepared": prepared(how), "limit": how.limit}
        return feature_set_of_data(source, extractor, progress=progress, **how_seen)


def _with_error(score: Score, sides: Sequence[FeatureSet], config: FidConfig) -> Score:
    if not config.bootstrap:
        return score
    real, fake = sides
    reference = prepare(real.gaussian or real.taps["features"], config.ddof)
    distance = lambda features: frechet_distance(reference, features, config.ddof).value  # noqa: E731
    error = bootstrap(distance, fake.taps["features"], config.bootstrap, config.seed)
    return dataclasses.replace(score, stderr=error, repeats=config.bootstrap, seed=config.seed)


def _shape_doubts(names: Sequence[str], sources: Sequence[Source]) -> tuple[str, ...]:
    shapes = [None if isinstance(source, Statistics) else source.spec["image"].shape for source in sources]
    if None in shapes or shapes[0] == shapes[1]:
        return ()
    words = [
        f"{name} has images of {'x'.join(map(str, shape or ()))}" for name, shape in zip(names, shapes, strict=True)
    ]
    return (f"{' and '.join(words)}: part of the distance is that difference",)


def _stream_statistics(
    data: datasets.Data, extractor: Extractor, limit: int | None, ddof: Literal[0, 1]
) -> gaussian.Gaussian:
    """Mean and covariance in float64, of any number of images in the memory of one batch."""
    found: gaussian.GaussianStats | None = None
    update = jax.jit(gaussian.update)
    with counting(f"features of {data.name}", count_of(data, "image", limit)) as progress:
        for part in stream_features(extractor, batches_of(data, "image", limit), progress=progress):
            check_finite(part["features"], data.name)
            with double():
                features = part["features"].astype(np.float64)
                found = update(found or gaussian.init(features.shape[1]), features)
    assert found is not None
    return gaussian.finalize(found, ddof)
