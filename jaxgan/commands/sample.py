"""The command `jaxgan sample`."""

from collections.abc import Sequence

from jaxgan.commands.verbs import perform


def command(run: str, args: Sequence[str]) -> int:
    """Make examples with a trained run."""
    return perform("sample", "Make images, or whatever the system makes, with a trained run.", run, args)
