"""From findings to episodes: what is wrong is said when it begins and when it is over, not again and again.

`Episodes` are plain numbers that depend on the steps of the run only, not on how these were cut into dispatches, and
they lie in every checkpoint: a run that goes on sees what it would have seen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jaxgan.game import Duel
from jaxgan.train.monitor import rules, samples
from jaxgan.train.monitor.findings import Finding
from jaxgan.train.monitor.rules import BLOCK, RECENT, WINDOW

QUIET = 8  # blocks without a finding after which it is over
CONFIRMED = 2  # pictures in a row that must find something, or not find it any more
FROM_SAMPLES = ("collapse", "duplicates")
LASTING = {"strong_discriminator": 32}
"""Blocks in which a finding must be seen to be serious, where it may pass: a generator that starves can recover."""


class Event(NamedTuple):
    """The beginning of an episode, or its end; it began at step `began`, and `step` is when that is said."""

    step: int
    finding: Finding
    began: int
    over: bool = False


class Episode(NamedTuple):
    """A finding that lasts.

    Attributes:
        finding: what was seen first.
        began: the step of it.
        seen: how many looks have found it.
        quiet: how many have not, since the last that did.
    """

    finding: Finding
    began: int
    seen: int = 0
    quiet: int = 0


class Episodes:
    """What the monitor remembers of a run.

    Attributes:
        healthy: the step of the last checkpoint that was saved while nothing was wrong, or None.
    """

    def __init__(self, state: Mapping[str, Any] | None = None, duels: Sequence[Duel] = (Duel(),)) -> None:
        """Begin, or go on from what `to_json` gave; `duels` as in `System`."""
        state, self._duels = state or {}, duels
        self.healthy: int | None = state.get("healthy")
        self._rows: list[dict[str, float]] = list(state.get("rows", ()))
        self._blocks: list[dict[str, float]] = list(state.get("blocks", ()))
        self._usual: dict[str, float] = dict(state.get("usual", {}))
        self._largest: dict[str, float] = dict(state.get("largest", {}))
        self._diversity: float = state.get("diversity", 0.0)  # the largest
        self._open: dict[str, Episode] = {
            kind: Episode._make((Finding(*finding), *counts))
            for kind, (finding, *counts) in state.get("open", {}).items()
        }

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            "healthy": self.healthy,
            "rows": self._rows,
            "blocks": self._blocks,
            "usual": self._usual,
            "largest": self._largest,
            "diversity": self._diversity,
            "open": self._open,
        }

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, nor seems to be."""
        return not self._open

    @property
    def sound(self) -> bool:
        """Whether a checkpoint made now is healthy: all is well, and none of the last blocks alone says otherwise.

        What begins shortly before a checkpoint is said after it, and going back to the middle of it would not help.
        """
        alone = ([block] * RECENT for block in self._blocks[-RECENT:])
        return self.well and not any(rules.look(blocks, self._usual, self._largest, self._duels) for blocks in alone)

    def see(self, step: int, row: Mapping[str, float]) -> list[Event]:
        """Step `step` is done, the metrics are finite."""
        self._rows.append(dict(row))
        if step % BLOCK:
            return []
        self._blocks = [*self._blocks, rules.condense(self._rows)][-WINDOW:]
        self._rows = []
        found = rules.look(self._blocks, self._usual, self._largest, self._duels)
        events = self._episodes(step, found, of_samples=False)
        if self.well:  # what goes wrong never becomes usual, nor what a sound gradient is measured by
            self._usual = rules.usual_norms(self._blocks)
            self._largest = rules.largest_norms(self._blocks, self._largest)
        return events

    def see_samples(self, step: int, numbers: dict[str, Any]) -> list[Event]:
        """The sample picture after `step`, as `samples.look_at_samples` wants it."""
        events = self._episodes(step, samples.look_at_samples(numbers, self._diversity), of_samples=True)
        if not self.serious():  # images of a generator that explodes may be very different from each other
            self._diversity = samples.largest_diversity(numbers, self._diversity)
        return events

    def serious(self) -> Finding | None:
        """A serious finding that has been said and is not over, or None."""
        said = {kind: episode for kind, episode in self._open.items() if episode.seen >= _enough(kind)}
        lasting = {kind for kind, blocks in LASTING.items() if kind in said and said[kind].seen >= blocks}
        serious = (episode.finding for kind, episode in said.items() if kind in lasting or episode.finding.serious)
        return next(serious, None)

    def _episodes(self, step: int, found: Sequence[Finding], of_samples: bool) -> list[Event]:
        """What begins with the findings of a look, and what is over because it has not been found for long enough."""
        now, events = {finding.kind: finding for finding in found}, []
        for kind, finding in now.items():
            old = self._open.get(kind, Episode(finding, step))
            self._open[kind] = old._replace(seen=old.seen + 1, quiet=0)
            if old.seen + 1 == _enough(kind):
                events.append(Event(step, finding, old.began))
        for kind in sorted(kind for kind in self._open if (kind in FROM_SAMPLES) == of_samples and kind not in now):
            old = self._open.pop(kind)
            said = old.seen >= _enough(kind)
            if said and old.quiet + 1 < (CONFIRMED if of_samples else QUIET):
                self._open[kind] = old._replace(quiet=old.quiet + 1)
            elif said:
                events.append(Event(step, old.finding, old.began, over=True))
        return events


def _enough(kind: str) -> int:
    """Looks that must find something before it is said: blocks hold many steps, a picture is a single one."""
    return CONFIRMED if kind in FROM_SAMPLES else 1
