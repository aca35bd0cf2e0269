"""Options of the commands that measure: `jaxgan fid`, `jaxgan stats`, `jaxgan evaluate`."""

import dataclasses
from typing import Literal

from jaxgan.errors import UserError
from jaxgan.game import Precision
from jaxgan.metrics.seen_by.extractors import Name
from jaxgan.options import PathText
from jaxgan.train.run.config import check_at_least, check_seed


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExtractorConfig:
    """What images are seen by."""

    extractor: Name = "auto"
    """Network whose features are compared; auto: fashion-cnn for grey images up to 64 pixels, else inception, or pixels
    where its weights are lacking."""
    weights: PathText | None = None
    """File of Inception weights (.pth or .safetensors); None looks in the usual places."""
    download: bool = False
    """Fetch the Inception weights where they are nowhere to be found."""
    allow_unverified: bool = False
    """Take Inception weights of unknown content; the result is then no FID."""
    precision: Precision = "float32"
    """Number format of Inception's products; only float32 gives an FID."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImagesConfig:
    """How images on the disk are read."""

    image_size: int | tuple[int, int] | None = None
    """Bring all images to this size first: pixels, or HEIGHT WIDTH; None: as they are, all of one size."""
    resize: Literal["crop", "pad", "stretch"] = "crop"
    """How images of another shape reach the image size."""
    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for colour; None keeps the channels of the images."""
    data_dir: PathText | None = None
    """Folder where TFDS keeps its data sets."""
    limit: int | None = None
    """Take at most this many images of each side, drawn evenly from all by a fixed rule; None for all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FidConfig:
    """Options of `jaxgan fid`."""

    ddof: Literal[0, 1] = 1
    """Covariances are divided by n - ddof: 1 as everybody's, 0 as StyleGAN's."""
    trust_statistics: bool = False
    """Take it that statistics which do not say how they were made were made as the other side."""
    bootstrap: int = 0
    """Resamples of B from which a standard error is computed; 0 for none."""
    seed: int = 2020
    """Seed of the resamples."""
    json: bool = False
    """Print one JSON object and nothing else."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StatsConfig:
    """Options of `jaxgan stats`."""

    out: PathText | None = None
    """The npz file to write, with mu and sigma as pytorch-fid, clean-fid and TTUR read them; -o for short."""
    ddof: Literal[0, 1] = 1
    """The covariance is divided by n - ddof."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Options of `jaxgan evaluate`."""

    metrics: tuple[str, ...] = ()
    """Which numbers; none: the usual ones, with all that the extractor gives."""
    n: int | None = None
    """Images to generate; None: as many as the data has, at most 10,000."""
    seeds: int = 1
    """Sets of generated images; from 2 on there are means with standard errors."""
    seed: int = 0
    """Seed of the first set of generated images."""
    step: int | Literal["best", "last"] | None = None
    """Checkpoint to take; None: the best, where there is one, and the last."""
    data: PathText | None = None
    """The data to compare with; None: what the run trained on."""
    data_dir: PathText | None = None
    """Folder where TFDS keeps its data sets."""
    out: PathText | None = None
    """The JSON file to write; None for evaluation.json in RUN."""
    json: bool = False
    """Print the JSON and nothing else."""
    system: PathText | None = None
    """File of your own system that trained the run, which is executed; None where this machine has trained with it."""


def check_fid(config: FidConfig) -> None:
    """Raise UserError for numbers that `jaxgan fid` cannot use."""
    check_seed(config.seed)
    if config.bootstrap == 1 or config.bootstrap < 0:
        raise UserError(f"--bootstrap takes 0 or at least 2 resamples, got {config.bootstrap}.")


def check_images(config: ImagesConfig) -> None:
    """Raise UserError for fewer images than a comparison takes."""
    if config.limit is not None:
        check_at_least("limit", config.limit, 2)


def check_evaluate(config: EvaluateConfig) -> None:
    """Raise UserError for numbers that `jaxgan evaluate` cannot use."""
    check_seed(config.seed)
    check_at_least("seeds", config.seeds, 1)
    check_seed(config.seed + config.seeds - 1)
    if config.n is not None:
        check_at_least("n", config.n, 2)
