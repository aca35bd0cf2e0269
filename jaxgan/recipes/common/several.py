"""A player that is several networks: its variables are `{kind: {name of a network: ...}}`, which Flax knows for one."""

from collections.abc import Mapping
from typing import Any


def own(all_: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The variables of one network: `{kind: ...}`."""
    return {kind: each[name] for kind, each in all_.items()}


def joined(each: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The player's variables out of those of its networks, by name, which are of the same kinds."""
    kinds = next(iter(each.values()))
    return {kind: {name: variables[kind] for name, variables in each.items()} for kind in kinds}


def replaced(all_: Mapping[str, Any], name: str, new: Mapping[str, Any]) -> dict[str, Any]:
    """The player's variables with those that a pass of one network has changed."""
    return {kind: {**each, name: new[kind]} if kind in new else each for kind, each in all_.items()}
