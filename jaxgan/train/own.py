"""Systems of a user's own: a file or a module with a `Config` and a `build`, and when a run may execute it again.

A run folder may come from anyone, so a command never executes what a run folder names unless this user has: on this
command line (`--system FILE`), or by training with a file of that very content on this machine before.
"""

import contextlib
import dataclasses
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from jaxgan import recipes
from jaxgan.errors import UserError
from jaxgan.fields import IMAGES

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_guarded: list[str] = []  # the system file that is being executed, if one is


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
        return Recipe(recipes.load(name), name)
    return _of_file(Path(name).expanduser()) if name.endswith(".py") or "/" in name else _of_module(name)


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
    if saved["code"] is None:
        return Recipe(recipes.load(saved["recipe"]), saved["recipe"])
    code = Code(**saved["code"])
    now = _digest(Path(code.file))
    if now == code.sha256 and now in _trusted():
        return named(code.module or code.file)
    why = {
        now is None: "is not there any more",
        now not in (None, code.sha256): "has changed since",
        now == code.sha256: "has never been trained with on this machine",
    }[True]
    raise UserError(
        f"{run} was trained by {code.file}, which {why}; to execute a file of yours for it, say --system FILE."
    )


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
            return value if equals else (args[i + 1] if i + 1 < len(args) else "")
    return None


def trust(recipe: Recipe) -> None:
    """Remember that this user has trained with the recipe's code on this machine."""
    if recipe.code is None or recipe.code.sha256 in _trusted():
        return
    path = _memory()
    with contextlib.suppress(OSError):  # a home that cannot be written: the next command must name the file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{recipe.code.sha256}  {recipe.code.file}\n")


def _memory() -> Path:
    given = os.environ.get("XDG_STATE_HOME")
    home = Path(given) if given and Path(given).is_absolute() else Path.home() / ".local" / "state"
    return home / "jaxgan" / "trained-systems"


def _trusted() -> set[str]:
    try:
        return {line.split()[0] for line in _memory().read_text(encoding="utf-8").splitlines() if line.strip()}
    except (OSError, RuntimeError):
        return set()


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _of_file(path: Path) -> Recipe:
    digest = _digest(path)
    if digest is None:
        raise UserError(f"{path} cannot be read; a system of your own is a Python file with a Config and a build.")
    name = f"jaxgan_system_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by name
    with _executing(str(path), path.resolve().parent):
        spec.loader.exec_module(module)
    return Recipe(_checked(module, str(path)), path.stem, Code(str(path.resolve()), digest))


def _of_module(name: str) -> Recipe:
    with _executing(name, Path.cwd()):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not name.startswith(str(error.name)):
                raise
            raise UserError(
                f"there is no recipe and no module {name!r}; recipes: {', '.join(recipes.names())}."
            ) from error
    file = getattr(module, "__file__", None)
    digest = _digest(Path(file)) if file else None
    if file is None or digest is None:
        raise UserError(f"{name} is a package or has no file; name the module that has the Config and the build.")
    return Recipe(_checked(module, name), name.rpartition(".")[2], Code(str(Path(file).resolve()), digest, name))


@contextlib.contextmanager
def _executing(what: str, folder: Path) -> Iterator[None]:
    """Import what a user names: its neighbours are found, and a mistake in it is one sentence."""
    sys.path.insert(0, str(folder))
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _guard(what)
    try:
        yield
    except UserError:
        raise
    except SyntaxError as error:
        raise UserError(f"{what} has a syntax error in line {error.lineno}: {error.msg}.") from error
    except SystemExit as error:
        raise UserError(f"{what} ends the program while it is read; put what it does under {_MAIN}.") from error
    except Exception as error:
        raise UserError(f"{what} cannot be imported: {type(error).__name__}: {error}.") from error
    finally:
        _guarded.clear()
        sys.dont_write_bytecode = before
        sys.path.remove(str(folder))


_MAIN = "`if __name__ == '__main__':`"


def _guard(what: str) -> None:
    """Refuse files that are opened for writing, until `_guarded` is cleared: a script that acts when it is read."""
    _guarded.append(what)
    if not _guard_is_set:
        sys.addaudithook(_watch)  # there is no way to take one away again
        _guard_is_set.append(True)


_guard_is_set: list[bool] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if not _guarded or event != "open" or not isinstance(args[0], str | bytes | os.PathLike):
        return
    path, flags = os.fsdecode(args[0]), args[2]
    if isinstance(flags, int) and flags & _WRITING and not path.startswith("/dev/"):
        raise UserError(f"{_guarded[-1]} writes {path} while it is read; put what it does under {_MAIN}.")


def _checked(module: ModuleType, what: str) -> ModuleType:
    if not callable(getattr(module, "build", None)):
        raise UserError(f"{what} has no function build(config, spec, axis_name=None) that returns a System.")
    kind = getattr(module, "Config", None)
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise UserError(f"{what} has no Config, a frozen dataclass with the system's options.")
    if not hasattr(module, "NEEDS"):
        vars(module)["NEEDS"] = IMAGES
    return module
