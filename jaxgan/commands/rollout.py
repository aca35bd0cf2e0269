"""The command `jaxgan rollout`."""

from collections.abc import Sequence

from jaxgan.commands.verbs import perform


def command(run: str, args: Sequence[str]) -> int:
    """Let a trained agent or simulator act."""
    return perform("rollout", "Let a trained agent or simulator act.", run, args)
