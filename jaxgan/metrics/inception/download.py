"""Fetching published weights, on request alone."""

import hashlib
import http.client
import os
import urllib.request
from pathlib import Path

from jaxgan.errors import UserError
from jaxgan.metrics.inception.published import Published

OFFLINE = "JAXGAN_OFFLINE"
"""Environment variable that, set to 1, forbids every download."""
_CHUNK = 2**20
_TIMEOUT_S = 30


def download(published: Published, folder: Path) -> Path:
    """Fetch a published file from the first of its places that gives it, with a progress bar on the error stream.

    The file appears under its name only when all its bytes are there and their SHA-256 is right.

    Args:
        published: what to fetch.
        folder: where to put it; made if need be.

    Returns:
        The path of the file.

    Raises:
        UserError: if no place gave the right bytes, with each one's reason, or the folder cannot be written.
    """
    target = folder / published.names[0]
    part = folder / f"{target.name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}.") from error
    try:
        reasons = []
        for url in published.urls:
            reason = _fetch(url, published, part)
            if reason is None:
                os.replace(part, target)
                return target
            reasons.append(f"{url}: {reason}")
    finally:
        part.unlink(missing_ok=True)
    raise UserError(f"the weights of {published.title} could not be downloaded ({'; '.join(reasons)}).")


def _fetch(url: str, published: Published, part: Path) -> str | None:
    """Write one place's bytes; None if they are right, else what is wrong."""
    try:
        found = _stream(url, published, part)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return None if found == published.sha256 else f"its SHA-256 is {found} and should be {published.sha256}"


def _stream(url: str, published: Published, part: Path) -> str:
    """SHA-256 of what was written: at most one chunk more than the right number of bytes."""
    import rich.progress
    from rich.console import Console

    digest, left, console = hashlib.sha256(), published.size, Console(stderr=True)
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response, part.open("wb") as file:
        bar = rich.progress.wrap_file(response, published.size, description=published.names[0], console=console)
        with bar as source:
            while left >= 0 and (chunk := source.read(_CHUNK)):
                file.write(chunk)
                digest.update(chunk)
                left -= len(chunk)
    return digest.hexdigest()
