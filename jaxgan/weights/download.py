"""Fetching published weights, on request alone, and the folder that they are kept in."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxgan.errors import UserError
from jaxgan.paths import typed

OFFLINE = "JAXGAN_OFFLINE"
"""Environment variable that, set to 1, forbids every download."""


def cache_folder(what: str) -> Path:
    """Where this package keeps what can be made or fetched again; the folder need not exist.

    Args:
        what: the name of a folder, such as "weights".

    Returns:
        `$JAXGAN_CACHE/WHAT`, or `jaxgan/WHAT` in the user's cache folder, wherever the platform has it.

    Raises:
        RuntimeError: if there is no home.
    """
    import platformdirs

    own = os.environ.get("JAXGAN_CACHE")
    folder = typed(own) if own else platformdirs.user_cache_path("jaxgan", appauthor=False)
    return folder / what


def download(title: str, urls: Sequence[str], sha256: str, path: Path) -> Path:
    """Fetch a published file from the first of its places that gives it, with a progress bar on the error stream.

    The file appears under its name only when all its bytes are there and their SHA-256 is right.

    Args:
        title: what it is, in words, for the error.
        urls: its places.
        sha256: of its bytes, in hex.
        path: where to put it; the folder is made if need be.

    Returns:
        The path of the file.

    Raises:
        UserError: if no place gave the right bytes, with each one's reason, or the folder cannot be written.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")  # the bar says what is fetched
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path.parent} cannot be written: {error.strerror}.") from error
    fetch: Any = pooch.HTTPDownloader(progressbar=True)  # pooch calls by position what its types name
    reasons = []
    for url in urls:
        try:
            return Path(pooch.retrieve(url, f"sha256:{sha256}", path.name, path.parent, downloader=fetch))
        except (OSError, ValueError) as error:  # no connection, an answer that is none; another hash
            reasons.append(f"{url}: {_first_cause(error)}")
    raise UserError(f"{title} could not be downloaded ({'; '.join(reasons)}).")


def _first_cause(error: BaseException) -> str:
    """What went wrong at the bottom, such as "Connection refused"; libraries wrap it in paragraphs."""
    inner = error.__cause__ or error.__context__
    return _first_cause(inner) if inner else str(error).partition(". ")[0]
