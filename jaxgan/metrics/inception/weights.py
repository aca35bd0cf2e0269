"""Inception with its published weights: found on the machine, or fetched on request, and checked by their hash."""

import os
from pathlib import Path
from typing import NamedTuple

from jaxgan.game import Precision
from jaxgan.metrics.inception.inception import Resize, inception_2015, inception_torchvision
from jaxgan.metrics.inception.params import variables_from_state
from jaxgan.metrics.inception.published import (
    ALL,
    INCEPTION_2015,
    INCEPTION_TORCHVISION,
    VARIABLE,
    Published,
    candidates,
    find,
    not_found,
)
from jaxgan.metrics.inception.weights_file import Weights, identify, read_weights
from jaxgan.metrics.seen_by.features import Extractor
from jaxgan.paths import typed
from jaxgan.weights.download import OFFLINE, cache_folder, download

PathLike = str | os.PathLike[str]


class Place(NamedTuple):
    """A line of `status`.

    Attributes:
        place: a path, or an environment variable.
        found: what is there, in words.
    """

    place: str
    found: str


def load_inception(
    path: PathLike | None = None,
    *,
    resize: Resize = "legacy",
    precision: Precision = "float32",
    download: bool = False,
    allow_unverified: bool = False,
) -> Extractor:
    """The extractor that FID is defined by, with its published weights.

    They are looked for at `path` alone if it is given; else at `$JAXGAN_INCEPTION_WEIGHTS` if that is set; else in
    `$JAXGAN_CACHE/weights` or the user's cache folder, then in that of PyTorch's hub, where pytorch-fid and
    torch-fidelity leave them.

    Args:
        path: of a file of PyTorch's (.pth) or a converted one (.safetensors).
        resize: "legacy" for FID, "clean" for clean-FID.
        precision: "float32" for FID.
        download: where they are nowhere, fetch them into the cache; `JAXGAN_OFFLINE=1` forbids it.
        allow_unverified: take a file of other content too; the extractor then has its hash for a name.

    Returns:
        The extractor "inception-2015", or "inception-v3?sha256=<8 digits>" for other weights.

    Raises:
        WeightsNotFound: if there is no such file.
        UserError: if the file is broken or has other content, the download fails, or an option is unknown.
    """
    weights = _load(INCEPTION_2015, path, may_download=download, allow_unverified=allow_unverified)
    params = variables_from_state(INCEPTION_2015.variant, weights.state, "the file")
    return _named(inception_2015(params, weights.sha256, resize, precision), INCEPTION_2015, "inception-v3")


def load_torchvision_inception(
    path: PathLike | None = None, *, precision: Precision = "float32", allow_unverified: bool = False
) -> Extractor:
    """Torchvision's Inception with its published weights, whose distances are no FID.

    Args:
        path: of the file; else it is looked for as by `load_inception`, but for the environment variable.
        precision: number format of the convolutions.
        allow_unverified: take a file of other content too; the extractor then has its hash for a name.

    Returns:
        The extractor "inception-torchvision", or "inception-torchvision?sha256=<8 digits>" for other weights.

    Raises:
        WeightsNotFound: if there is no such file.
        UserError: if the file is broken or has other content, or the precision is unknown.
    """
    weights = _load(INCEPTION_TORCHVISION, path, may_download=False, allow_unverified=allow_unverified)
    params = variables_from_state(INCEPTION_TORCHVISION.variant, weights.state, "the file")
    extractor = inception_torchvision(params, weights.sha256, precision)
    return _named(extractor, INCEPTION_TORCHVISION, "inception-torchvision")


def fetch() -> Place:
    """The file of the weights that FID is defined by, where it lies already or fetched into the cache, and what it is.

    Raises:
        WeightsNotFound: `JAXGAN_OFFLINE=1` forbids the download.
        UserError: the download fails.
    """
    found = _found(INCEPTION_2015, None, may_download=True)
    return Place(str(found), identify(found))


def status() -> list[Place]:
    """Where weights are looked for, in order, and what lies there.

    Returns:
        One line for the environment variable, one for each path, one for the download.
    """
    variable = os.environ.get(VARIABLE)
    offline = f"forbidden by {OFFLINE}=1" if _offline() else "on request, into the first folder"
    return [
        Place(f"${VARIABLE}", _at(variable) if variable else "not set"),
        *(Place(str(path), _at(path)) for published in ALL for path in candidates(published)),
        Place("download", offline),
    ]


def _load(published: Published, path: PathLike | None, *, may_download: bool, allow_unverified: bool) -> Weights:
    found = _found(published, path, may_download=may_download)
    return read_weights(found, published, allow_unverified=allow_unverified)


def _found(published: Published, path: PathLike | None, *, may_download: bool) -> Path:
    found = find(published, path)
    if found is None and may_download and not _offline():
        path = cache_folder("weights") / published.names[0]
        found = download(f"the weights of {published.title}", published.urls, published.sha256, path)
    if found is None:
        forbidden = f"{OFFLINE}=1 forbids to download them." if may_download else ""
        raise not_found(published, forbidden)
    return found


def _named(extractor: Extractor, published: Published, unverified: str) -> Extractor:
    if extractor.weights == published.sha256:
        return extractor
    return extractor._replace(name=f"{unverified}?sha256={extractor.weights[:8]}")


def _at(path: PathLike) -> str:
    path = typed(path)
    return identify(path) if path.is_file() else "nothing"


def _offline() -> bool:
    return os.environ.get(OFFLINE, "") not in ("", "0")
