"""Recipes: one system a file, each from its paper.

A recipe is a module with a docstring (its first line is the summary), `NEEDS` (the fields that it takes of data; images
with an optional label unless given), a `Config`, perhaps `PRESETS` and `DATA` (the data where nobody names any), and
`build(config, spec, axis_name=None) -> System`. Putting a file into this package is all that it takes to add one. Other
packages offer theirs as entry points of the group `jaxgan.recipes`.
"""

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from jaxgan.errors import UserError, did_you_mean

SHARED = ("common",)  # what is here and no recipe
GROUP = "jaxgan.recipes"


def names() -> tuple[str, ...]:
    """The recipes there are, sorted: those of this package, then those that other packages offer."""
    return (*own(), *sorted(_offered()))


def own() -> tuple[str, ...]:
    """The recipes of this package, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED))


def load(name: str) -> ModuleType:
    """The module of the recipe `name`; a UserError lists the recipes when there is none of that name."""
    if name not in names():
        near = did_you_mean(name, names())
        raise UserError(
            f"there is no recipe {name!r}; {f'{near} The' if near else 'the'} recipes are {', '.join(names())}; a file "
            "(my_gan.py) or a package.module of your own will do too."
        )
    offered = _offered().get(name)
    return offered.load() if offered else importlib.import_module(f"{__name__}.{name}")


def _offered() -> dict[str, EntryPoint]:
    """Recipes of other packages by name; one of this package's names stays this package's."""
    taken = {*own(), *SHARED}
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in taken}


def origin(name: str) -> str:
    """The module and the package of a recipe that another package offers; "" for this package's own."""
    point = _offered().get(name)
    if point is None:
        return ""
    package = f", of {point.dist.name} {point.dist.version}" if point.dist else ""
    return f"{point.value}{package}"
