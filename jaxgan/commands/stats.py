"""The command `jaxgan stats`: mean and covariance of features, for later comparisons."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import jax
import numpy as np

from jaxgan import data as datasets
from jaxgan.commands.metric_options import (
    ExtractorConfig,
    ImagesConfig,
    StatsConfig,
    check_images,
)
from jaxgan.commands.sources import chosen, grey_named, open_source, prepared, seen
from jaxgan.errors import UserError
from jaxgan.metrics.compare.feature_sets import about, reference_of, whole_of
from jaxgan.metrics.numbers import gaussian, statistics
from jaxgan.metrics.numbers.checks import check_finite
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.statistics import Statistics
from jaxgan.metrics.seen_by import each
from jaxgan.metrics.seen_by.extractors import choose
from jaxgan.metrics.seen_by.features import Extractor, batches_of, count_of, stream_features
from jaxgan.options import parse
from jaxgan.show.replace import told
from jaxgan.train.run.rundir import check_file
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import counting


def command(name: str, args: Sequence[str]) -> int:
    """Write mean and covariance of the features of images."""
    args = [f"--out{arg[2:]}" if arg == "-o" or arg.startswith("-o=") else arg for arg in args]
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
    with grey_named([name], [source], how):
        extractor = choose(seen=[seen(source)], **chosen(seen_by))
    found = _stream_statistics(source, extractor, how.limit, config.ddof)
    first = each.words_of(extractor) if each.mixed(source, "image") else ""
    made = about(extractor, prepared(how, first)) | {"reference": reference_of(source, "image", how.limit)}
    whole = whole_of(source, "image", how.limit)
    stood = [path for path in (Path(config.out),) if path.exists()]
    statistics.write(Path(config.out), found, made, config.ddof, whole)
    images = f"{found.n} images{f' drawn of {whole}' if whole else ''}"
    features = f"{len(found.mean)} features of {extractor.name}"
    print(f"{config.out}: mean and covariance of {images}, {features}{told(stood)}")
    return 0


def _stream_statistics(
    data: datasets.Data, extractor: Extractor, limit: int | None, ddof: Literal[0, 1]
) -> gaussian.Gaussian:
    """Mean and covariance in float64, of any number of images in the memory of one batch."""
    found: gaussian.GaussianStats | None = None
    update, alone = jax.jit(gaussian.update), each.mixed(data, "image")
    resized = each.examples_of(data, "image", extractor, limit)
    batches = (part["image"] for part in resized) if alone else batches_of(data, "image", limit)
    with counting(f"features of {data.name}", count_of(data, "image", limit)) as progress:
        for part in stream_features(extractor, batches, progress=progress, resized=alone):
            check_finite(part["features"], data.name)
            with double():
                features = part["features"].astype(np.float64)
                found = update(found or gaussian.init(features.shape[1]), features)
    assert found is not None
    return gaussian.finalize(found, ddof)
