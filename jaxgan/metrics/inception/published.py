"""The published files of Inception's weights, and the places where they may lie on a machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jaxgan.errors import UserError
from jaxgan.metrics.inception.net import NET_2015, NET_TORCHVISION, Variant
from jaxgan.paths import typed
from jaxgan.weights.download import cache_folder

VARIABLE = "JAXGAN_INCEPTION_WEIGHTS"
"""Environment variable with the path of the weights that FID is defined by."""


class Published(NamedTuple):
    """A file that others publish.

    Attributes:
        title: what it holds, in words.
        variant: the network.
        names: what it is called, by each of those who publish it; the bytes are the same.
        size: bytes.
        sha256: of the bytes, in hex.
        urls: where it can be fetched.
        origin: how to get it, in words.
        variable: environment variable that may name its path, or nothing.
    """

    title: str
    variant: Variant
    names: tuple[str, ...]
    size: int
    sha256: str
    urls: tuple[str, ...]
    origin: str
    variable: str = ""


_RELEASES = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
INCEPTION_2015 = Published(
    title="Inception v3 of 2015",
    variant=NET_2015,
    names=tuple(url.rpartition("/")[2] for url in _RELEASES),
    size=95_628_359,
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    urls=_RELEASES,
    origin=f"download it from {' or '.join(_RELEASES)}",
    variable=VARIABLE,
)
INCEPTION_TORCHVISION = Published(
    title="torchvision's Inception v3",
    variant=NET_TORCHVISION,
    names=("inception_v3_google-0cc3c7bd.pth",),
    size=108_949_747,
    sha256="0cc3c7bd75056d25e46cba549dc184522069b81e9787eff6df84f397bd52a5ef",
    urls=(),
    origin="let torchvision fetch it by its inception_v3(weights='IMAGENET1K_V1')",
)
ALL = (INCEPTION_2015, INCEPTION_TORCHVISION)


class WeightsNotFound(UserError):  # noqa: N818
    """No file of the weights is on this machine; the message says what to put where."""


def torch_folder() -> Path:
    """Where PyTorch's hub keeps what it has fetched: `hub/checkpoints` in `$TORCH_HOME` or in its cache folder."""
    home = os.environ.get("TORCH_HOME") or f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/torch"
    return typed(home) / "hub" / "checkpoints"


def candidates(published: Published) -> Iterator[Path]:
    """Every path at which a file may lie, in the order of search, whether or not one does.

    Args:
        published: which file.

    Yields:
        Paths: this package's cache, there the converted file first, and PyTorch's.
    """
    converted = Path(published.names[0]).with_suffix(".safetensors").name
    yield from (cache_folder("weights") / name for name in (converted, *published.names))
    yield from (torch_folder() / name for name in published.names)


def find(published: Published, path: str | os.PathLike[str] | None = None) -> Path | None:
    """The file to read: the given one, or that of the environment variable, or the first that is in its place.

    Args:
        published: which file is looked for.
        path: of a file, or None to look for one.

    Returns:
        Its path, or None where there is none.

    Raises:
        UserError: if the path, or the one in the environment, is not that of a file.
    """
    if path is not None:
        return _named(Path(path), str(path))
    named = os.environ.get(published.variable)
    if named:
        return _named(Path(named), f"{published.variable}={named}")
    return next((each for each in candidates(published) if each.is_file()), None)


def not_found(published: Published, note: str = "") -> WeightsNotFound:
    """The exception that says what is missing and how to get it.

    Args:
        published: what was looked for.
        note: a last sentence, or nothing.

    Returns:
        The exception, for the caller to raise.
    """
    name, folder = published.names[0], cache_folder("weights")
    lines = [
        f"The weights of {published.title} are not on this machine.",
        f"File:     {name}, {published.size:,} bytes, SHA-256 {published.sha256}",
        f"Searched: {', '.join(str(each) for each in _searched(published))}",
        f"To do:    {published.origin}, then: mkdir -p {folder} && cp {name} {folder}/",
        "Or:       `jaxgan weights download` fetches it; --extractor pixels needs no weights.",
        *([note] if note else []),
    ]
    return WeightsNotFound("\n".join(lines))


def _searched(published: Published) -> Iterator[str | Path]:
    if published.variable:
        yield f"${published.variable} (not set)"
    yield from candidates(published)


def _named(path: Path, what: str) -> Path:
    path = typed(path)
    if not path.is_file():
        raise UserError(f"{what} is a folder, not a file of weights." if path.is_dir() else f"{what} does not exist.")
    return path
