"""What the monitor finds, in words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

SERIOUS = ("not_finite", "exploding", "collapse", "duplicates")
"""Kinds of findings that --on-collapse acts on at once: nothing that training does from there on is worth having."""


class Finding(NamedTuple):
    """Something that goes wrong.

    Attributes:
        kind: its name, by which `System.cures` has what helps.
        seen: what is seen, with numbers; the beginning of a sentence.
        numbers: those numbers.
    """

    kind: str
    seen: str
    numbers: dict[str, float]

    @property
    def serious(self) -> bool:
        """Whether --on-collapse acts on it as soon as it is said; `watch.LASTING` has those that must last."""
        return self.kind in SERIOUS

    def sentence(self, cures: Mapping[str, Sequence[str]]) -> str:
        """What is seen, and what usually helps: the system's `cures`."""
        words = cures.get(self.kind, ())
        return f"{self.seen}; what usually helps: {_alternatives(words)}." if words else f"{self.seen}."


def _alternatives(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, or {words[-1]}"
