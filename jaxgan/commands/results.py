"""evaluation.json: what was measured stays when something else is measured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

Content: TypeAlias = dict[str, Any]
"""{"run", "data", "seeds", checkpoint: {"step", "scores": {metric: score}, "numbers": {what: numbers}}}, and "earlier":
a list of {"checkpoint", "step", "kind", "name", "value"}."""
PARTS = ("scores", "numbers")


def read(path: Path) -> Content | None:
    """What an evaluation has written to a file; None where there is no file, or something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(found, dict) and {"run", "data", "seeds"} <= set(found)
    return found if known and all(isinstance(found[name], Mapping) for name in checkpoints(found)) else None


def checkpoints(content: Content) -> list[str]:
    """Names of the checkpoints that were measured."""
    return [name for name in content if name not in ("run", "data", "seeds", "earlier")]


def merged(old: Content, new: Content) -> Content:
    """`new`, with all that `old` has beside it.

    Of one checkpoint each metric has its newest number. A number of another step, data, seeds or protocol that gives
    way to it is kept under "earlier"; one that was measured again in the very same way is not.
    """
    found = {**new, "earlier": list(old.get("earlier", ()))}
    for name in checkpoints(old):
        if name not in new:
            found[name] = _dated(old[name], old)
            continue
        before, now = _dated(old[name], old), dict(_dated(new[name], new))
        same = before["step"] == now["step"]
        for part in PARTS:
            kept = before.get(part, {})
            found["earlier"] += [
                {"checkpoint": name, "step": before["step"], "kind": part, "name": each, "value": value}
                for each, value in kept.items()
                if not same or (each in now.get(part, {}) and _how(value) != _how(now[part][each]))
            ]
            if same and (kept or part in now):
                now[part] = {**kept, **now.get(part, {})}
        found[name] = now
    return found if found["earlier"] else {key: value for key, value in found.items() if key != "earlier"}


def _dated(entry: Mapping[str, Any], content: Content) -> Content:
    """An entry whose scores say by themselves what they were measured on: the file speaks of its last command only."""
    about = {"data": content["data"], "seeds": content["seeds"]}
    parts = {part: {key: {**about, **value} for key, value in entry[part].items()} for part in PARTS if part in entry}
    return {**entry, **parts}


def _how(value: Mapping[str, Any]) -> Content:
    """All of a number but what was found: its protocol."""
    found = ("value", "stderr", "std", "mean_term", "covariance_term", "text", "warnings")
    own = {key: each for key, each in value.items() if key not in found}
    return {key: _how(each) if isinstance(each, Mapping) else each for key, each in own.items()}
