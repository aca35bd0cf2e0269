"""Systems of a user's own: a file or a module with a `Config` and a `build`, and when a run may execute it again.

A run folder may come from anyone, so a command never executes what a run folder names unless this user has: on this
command line (`--system FILE`), or by training with a file of that very content, at that place, on this machine before.
"""

import contextlib
import dataclasses
import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from jaxgan import recipes
from jaxgan.errors import UserError
from jaxgan.fields import IMAGES, Needs
from jaxgan.paths import typed
from jaxgan.train.run.imports import importing


class Code(NamedTuple):
    """Where the code of a system comes from.

    Attributes:
        file: its absolute path.
        sha256: of its content, hex.
        module: its dotted name, where it was imported by one; "" of a file.
    """

    file: str
    sha256: str
    module: str = ""


class Recipe(NamedTuple):
    """A module that makes systems.

    Attributes:
        module: has `NEEDS`, `Config` and `build`.
        name: of the recipe, or of the file without its ending.
        code: None for a recipe that is installed.
    """

    module: ModuleType
    name: str
    code: Code | None = None


def is_own(name: str) -> bool:
    """Whether a name on the command line means a user's own file or module."""
    return name.endswith(".py") or "/" in name or (name not in recipes.names() and "." in name)


def named(name: str) -> Recipe:
    """The recipe, file or module that a user names, which is executed.

    Raises:
        UserError: there is none, or it is no system: a syntax error, no `build`, no `Config`, files written at import.
    """
    if not is_own(name):
        return _installed(name)
    return _of_file(typed(name)) if name.endswith(".py") or "/" in name else _of_module(name, Path.cwd())


def _installed(name: str) -> Recipe:
    """A recipe of this package, or one that another package offers."""
    return Recipe(_checked(recipes.load(name), f"the recipe {name}"), name)


def of_run(saved: dict[str, Any], run: str, system: str | None) -> Recipe:
    """The recipe of a run.

    Args:
        saved: the run's config.json.
        run: its folder, for sentences.
        system: the file or module that the user names on this command line, or None.

    Raises:
        UserError: a system of the user's own that this command line must name.
    """
    if system is not None:
        return named(system)
    if saved["recipe"] is None:
        raise UserError(f"{run} was trained by a system of your own; read it with jaxgan.train.restore(run, system).")
    code = _recorded(saved, run)
    if code is None:
        return _installed(saved["recipe"])
    digest = _digest(Path(code.file))
    if digest is not None and code._replace(sha256=digest) in _trusted():
        return _of_module(code.module, _root(code)) if code.module else _of_file(Path(code.file))
    why = "has never been trained with on this machine"
    if digest != code.sha256:
        why = "is not there any more" if digest is None else "has changed since"
    raise UserError(
        f"{run} was trained by {code.file}, which {why}; to execute a file of yours for it, say --system FILE."
    )


def _recorded(saved: dict[str, Any], run: str) -> Code | None:
    """Where a run says that its code is; a run may come from anyone, so it may say anything."""
    code = saved.get("code")
    if code is None:
        return None
    if (
        not isinstance(code, dict)
        or set(code) != set(Code._fields)
        or not all(isinstance(x, str) for x in code.values())
    ):
        raise UserError(f"{run}/config.json does not say which code the run was trained by; say --system FILE.")
    return Code(**code)


def _root(code: Code) -> Path:
    """The folder from which the module was imported; not the present one, where others may have put a namesake."""
    file, depth = Path(code.file), code.module.count(".")
    return file.parents[depth + (file.name == "__init__.py")]


def differs(saved: dict[str, Any], recipe: Recipe) -> str:
    """A sentence where the code of a run is not that which it began with; "" where it is."""
    then = saved.get("code")
    if then is None or recipe.code is None or then["sha256"] == recipe.code.sha256:
        return ""
    return f"{recipe.code.file} is not what the run was trained with: its content has changed since."


def taken(args: Sequence[str], option: str = "--system") -> str | None:
    """The value of an option, read before the others can be: they depend on it."""
    for i, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name == option:
            given = value if equals else "".join(args[i + 1 : i + 2])
            if not given:
                raise UserError(f"{option} takes a value, got nothing.")
            return given
    return None


def trust(recipe: Recipe) -> None:
    """Remember that this user has trained with the recipe's code, at its place, on this machine."""
    if recipe.code is None or recipe.code in _trusted():
        return
    path = _memory()
    with contextlib.suppress(OSError):  # a home that cannot be written: the next command must name the file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(recipe.code) + "\n")


def _memory() -> Path:
    given = os.environ.get("XDG_STATE_HOME")
    home = Path(given) if given and Path(given).is_absolute() else Path.home() / ".local" / "state"
    return home / "jaxgan" / "trained-systems"


def _trusted() -> set[Code]:
    """What this user has trained with: the same content elsewhere may have other neighbours, which it imports."""
    try:
        lines = _memory().read_text(encoding="utf-8").splitlines()
        return {Code(*json.loads(line)) for line in lines}
    except (OSError, RuntimeError, TypeError, ValueError):  # no home, or not what we wrote: nothing is trusted
        return set()


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except (OSError, ValueError):  # a run folder may name anything
        return None


def _of_file(path: Path) -> Recipe:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); a system of your own is a Python file with Config and build."
        ) from error
    if path.suffix != ".py":
        raise UserError(f"{path} is no Python file; a system of your own ends in .py.")
    file, digest = path.resolve(), hashlib.sha256(content).hexdigest()
    module = _module(file, digest)
    with importing(str(path), file.parent):
        # What was read and no other: neither what is there a moment later, nor what __pycache__ takes for it.
        exec(compile(content, str(file), "exec"), vars(module))
    return Recipe(_checked(module, str(path)), path.stem, Code(str(file), digest))


def _module(file: Path, digest: str) -> ModuleType:
    """An empty module for a file, in a package of its folder, so that `from .neighbour import x` works."""
    package = ModuleType(f"jaxgan_system_{digest[:16]}")
    package.__path__ = [str(file.parent)]
    name = f"{package.__name__}.{file.stem.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise UserError(f"{file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules.update({package.__name__: package, name: module})  # dataclasses look their module up by name
    return module


def _of_module(name: str, folder: Path) -> Recipe:
    with importing(name, folder):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise UserError(
                f"there is no recipe and no module {name!r}; recipes: {', '.join(recipes.names())}."
            ) from error
    file = getattr(module, "__file__", None)
    digest = _digest(Path(file)) if file else None
    if file is None or digest is None:
        raise UserError(f"{name} has no file; name the module that has the Config and the build.")
    return Recipe(_checked(module, name), name.rpartition(".")[2], Code(str(Path(file).resolve()), digest, name))


def _checked(module: ModuleType, what: str) -> ModuleType:
    if not callable(getattr(module, "build", None)):
        raise UserError(f"{what} has no function build(config, spec, axis_name=None) that returns a System.")
    kind = getattr(module, "Config", None)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise UserError(f"{what} has no Config, a frozen dataclass with the system's options.")
    if not isinstance(vars(module).setdefault("NEEDS", IMAGES), Needs):
        raise UserError(f"{what} has NEEDS that are no jaxgan.fields.Needs, such as Needs({{'image': 'image'}}).")
    return module
