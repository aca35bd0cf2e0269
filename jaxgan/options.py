"""From dataclasses to command-line options, and from a mistake to one sentence."""

import contextlib
import dataclasses
import functools
import io
import itertools
import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from jaxgan.errors import UserError, did_you_mean, flag
from jaxgan.paths import at_home


class OfPath:
    """Marks the type of an option that takes a path."""


PathText: TypeAlias = Annotated[str, OfPath()]
"""A path, or a name where there is no such path; `with_homes` writes out its `~`."""
C = TypeVar("C")


def with_homes(config: C) -> C:
    """The dataclass with `~` written out in all fields that take a path."""
    hints: dict[str, Any] = get_type_hints(type(config), include_extras=True)
    given = {name: getattr(config, name) for name, hint in hints.items() if _takes_path(hint)}
    written = {name: at_home(value) for name, value in given.items() if isinstance(value, str)}
    return dataclasses.replace(config, **written) if written else config  # type: ignore[type-var]


def _takes_path(hint: Any) -> bool:
    return any(isinstance(each, OfPath) for each in _bounds(hint))


def parse(
    command: str,
    description: str,
    kinds: Sequence[type],
    args: Sequence[str],
    defaults: Mapping[type, Any] | None = None,
) -> list[Any]:
    """Instances of the dataclasses `kinds`, filled from a flat command line.

    Args:
        command: what the user typed before the options, for the help.
        description: a line for the help.
        kinds: frozen dataclasses whose fields have docstrings.
        args: the options.
        defaults: an instance in place of a kind's own defaults.

    Raises:
        UserError: an option that does not exist, or a value that it cannot take.
        SystemExit: after printing the help that was asked for.
    """
    import tyro

    hints = {flag(name): hint for kind in kinds for name, hint in get_type_hints(kind).items()}
    _check_names(command, hints, args)
    groups = [kind.__name__.lower().removesuffix("config") or "recipe" for kind in kinds]
    own = {kind: dataclasses.field(default=value) for kind, value in (defaults or {}).items()}
    rest = {kind: dataclasses.field(default_factory=kind) for kind in kinds if kind not in own} if own else {}
    starts = own | rest
    fields = [
        (name, tyro.conf.OmitArgPrefixes[kind], *([starts[kind]] if kind in starts else []))
        for name, kind in zip(groups, kinds, strict=True)
    ]
    options = dataclasses.make_dataclass("Options", fields)
    read = functools.partial(tyro.cli, options, prog=command, description=description)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # tyro draws a box
            parsed = read(args=list(args))
    except SystemExit as stop:
        if stop.code:
            raise UserError(_sentence(_first_wrong(read, args), hints, command)) from None
        raise
    return [_plain(kind, getattr(parsed, name)) for kind, name in zip(kinds, groups, strict=True)]


def _plain(kind: type, value: Any) -> Any:
    values = {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
    for name in (name for name, given in values.items() if given == ""):
        raise UserError(f"{flag(name)} takes a text, got an empty one.")
    return with_homes(kind(**values))


def _check_names(command: str, hints: dict[str, Any], args: Sequence[str]) -> None:
    known = {"--help", "-h", *hints, *(f"--no-{name[2:]}" for name, hint in hints.items() if hint is bool)}
    for arg in args:
        name = arg.partition("=")[0].replace("_", "-")
        if name.startswith("-") and not re.match(r"-\.?\d", name) and name not in known:
            near = did_you_mean(name, sorted(known))
            hint = f"{near} " if near else ""
            raise UserError(f"{command} has no option {name}; {hint}{command} --help lists them all.")


def _first_wrong(read: Callable[..., Any], args: Sequence[str]) -> list[str]:
    """The first option, and what follows it, that cannot be read alone: options do not depend on each other."""
    starts = [i for i, arg in enumerate(args) if i == 0 or arg.startswith("--")]
    each = [list(args[i:j]) for i, j in itertools.pairwise([*starts, len(args)])]
    for given in each:
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                read(args=given, console_outputs=False)
        except SystemExit as stop:
            if stop.code:
                return given
    return list(args)


def _sentence(wrong: Sequence[str], hints: Mapping[str, Any], command: str) -> str:
    """What the option takes and what it got; of what is no option, that it is not taken."""
    option, equals, value = wrong[0].partition("=")
    option = option.replace("_", "-")
    hint = hints.get(option, bool if option.startswith("--no-") else None)
    if hint is None:
        place = next((f"; say {each} {wrong[0]}" for each in ("--data", "--out") if each in hints), "")
        return f"{command} takes options alone, got {wrong[0]}{place}; {command} --help lists them all."
    got = " ".join([value] * bool(equals) + list(wrong[1:])) or "nothing"
    return f"{option} takes {words_of(hint)}, got {got}."


def words_of(hint: Any) -> str:
    """A type in words."""
    names = {int: "a whole number", float: "a number", str: "a text", bool: "no value", type(None): "None"}
    if hint in names:
        return names[hint]
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(words_of(each) for each in inner)
    if get_origin(hint) is tuple:
        one = words_of(inner[0]).removeprefix("a ") + "s"
        return one if Ellipsis in inner else f"{len(inner)} {one}"
    return str(hint)


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a field's type."""
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return value in inner
    if get_origin(hint) in (Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if get_origin(hint) is tuple:
        kinds = inner[:1] * len(value) if isinstance(value, tuple) and Ellipsis in inner else inner
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(fits, value, kinds))
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def check_fields(config: Any) -> None:
    """Raise a UserError that names the first field of a dataclass whose value is impossible.

    A number must be finite and above 0, unless its type has other bounds (of `annotated_types`):
    `Annotated[float, Ge(0), Lt(1)]`. A field that a subclass gives anew without bounds keeps those of its base.
    """
    hints, bounded = (get_type_hints(type(config), include_extras=extras) for extras in (False, True))
    for name in (field.name for field in dataclasses.fields(config)):
        value, hint = getattr(config, name), hints[name]
        bounds = _bounds(bounded[name]) or _inherited(type(config), name)
        if not fits(value, hint):
            raise UserError(f"{flag(name)} takes {words_of(hint)}; got {value!r}.")
        if value == ():
            raise UserError(f"{flag(name)} takes at least one number, got none.")
        for number in value if isinstance(value, tuple) else (value,):
            needed = _needed(number, bounds)
            if needed:
                raise UserError(f"{flag(name)} must be {needed}, got {number}.")


def _needed(number: Any, bounds: Sequence[Any]) -> str:
    """What a number should be and is not, in words; nothing where it is, or is no number."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return ""
    ge, gt, le, lt = (_bound(bounds, kind) for kind in ("ge", "gt", "le", "lt"))
    least = f"above {gt or 0}" if ge is None else f"at least {ge}"
    if not (number > (gt or 0) if ge is None else number >= ge):  # nor is what is no number at all
        return least
    if math.isinf(number):
        return "finite"
    if le is not None and number > le:
        return f"at most {le}"
    return f"{least} and below {lt}" if lt is not None and number >= lt else ""


def _bounds(hint: Any) -> list[Any]:
    """What a type says of its numbers, or of those of its parts."""
    if get_origin(hint) is Annotated:
        return [*get_args(hint)[1:], *_bounds(get_args(hint)[0])]
    return [bound for part in get_args(hint) for bound in _bounds(part)]


def _inherited(kind: type[Any], name: str) -> list[Any]:
    """What the nearest base that bounds the field says of its numbers."""
    bases = [get_type_hints(base, include_extras=True) for base in kind.__mro__[1:] if dataclasses.is_dataclass(base)]
    return next((bounds for hints in bases if (bounds := _bounds(hints.get(name)))), [])


def _bound(bounds: Sequence[Any], kind: str) -> Any:
    return next((getattr(bound, kind) for bound in bounds if hasattr(bound, kind)), None)
