"""What readers ask of a recipe's needs."""

from typing import get_args

from jaxgan.data.settings import Look
from jaxgan.fields import Needs

LOOKS: tuple[str, ...] = get_args(Look)


def named(needs: Needs, kind: str) -> str | None:
    """Returns the first field that may be of this kind, those that must be there first; None if there is none."""
    able = sorted((name for name in needs.fields if kind in needs.kinds(name)), key=needs.optional)
    return next(iter(able), None)


def required(needs: Needs) -> list[str]:
    """Returns the fields that must be there."""
    return [name for name in needs.fields if not needs.optional(name)]


def pictures(needs: Needs) -> list[str]:
    """Returns the fields that picture files can give."""
    return [name for name in needs.fields if set(needs.kinds(name)) & set(LOOKS)]


def told(needs: Needs) -> str:
    """Returns the fields in words: "source (image or label_map), target (image)"."""
    return ", ".join(f"{name} ({' or '.join(needs.kinds(name))})" for name in needs.fields)
