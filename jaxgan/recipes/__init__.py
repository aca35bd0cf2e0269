"""Recipes: one system a file, each from its paper.

A recipe is a module of this package with a docstring (its first line is the summary), `NEEDS` (the fields that it takes
of data), a `Config`, perhaps `PRESETS`, and `build(config, spec, axis_name=None) -> System`. Putting a file here is all
that it takes to add one.
"""

import difflib
import importlib
import pkgutil
from types import ModuleType

from jaxgan.errors import UserError

SHARED = ("base", "cures", "doubts", "toolbox", "wiring")  # modules here that are no recipes


def names() -> tuple[str, ...]:
    """The recipes there are, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED))


def load(name: str) -> ModuleType:
    """The module of the recipe `name`; a UserError lists the recipes when there is none of that name."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UserError(f"there is no recipe {name!r}; the recipes are {', '.join(names())}.{hint}")
    return importlib.import_module(f"{__name__}.{name}")
