"""The command `jaxgan weights`: where Inception weights are looked for, their download and conversion."""

from collections.abc import Sequence
from pathlib import Path

from jaxgan.errors import UserError
from jaxgan.show.replace import told

HELP = "jaxgan weights takes: status, or: download, or: convert IN OUT.safetensors [--allow-unverified]"


def command(args: Sequence[str]) -> int:
    """Say where Inception weights are looked for and what is there, fetch them, or convert a file of them."""
    from jaxgan.metrics.inception.weights import fetch, status
    from jaxgan.metrics.inception.weights_file import convert

    match list(args):
        case ["status"]:
            for place, found in status():
                print(f"{place}: {found}")
        case ["download"]:
            print(": ".join(fetch()))
        case ["convert", source, target, *rest] if set(rest) <= {"--allow-unverified"}:
            stood = [Path(target)] if Path(target).exists() else []
            print(convert(source, target, allow_unverified=bool(rest)) + told(stood))
        case ["--help" | "-h", *_]:
            print(HELP)
        case _:
            raise UserError(f"{HELP}; got {' '.join(args) or 'nothing'}.")
    return 0
