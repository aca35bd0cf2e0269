"""Paths as people type them, in every option, argument and environment variable that takes one."""

import os
from pathlib import Path


def at_home(text: str | os.PathLike[str]) -> str:
    """A path whose `~` or `~user` in front is written out.

    A shell does that only where nothing stands before it: not in `--out=~/run`, nor in quotes. As there, what is
    nobody's home stays as it is.
    """
    return os.path.expanduser(os.fspath(text))


def typed(text: str | os.PathLike[str]) -> Path:
    """The path that a text means."""
    return Path(at_home(text))


def lasting(text: str | os.PathLike[str]) -> str:
    """A path that means the same from another working directory."""
    return os.path.abspath(at_home(text))
