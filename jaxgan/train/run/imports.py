"""How a user's own code is imported: neighbours are found, nothing may be written, a mistake in it is one sentence."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from jaxgan.errors import UserError

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir")  # events that change the disk; `open` may too
_CACHES = ("XDG_CACHE_HOME", "MPLCONFIGDIR", "JAX_COMPILATION_CACHE_DIR")
_USUAL_CACHES = (".cache", "Library/Caches", ".config/matplotlib")  # in a home, where no variable says otherwise
_MAIN = "`if __name__ == '__main__':`"


class _Reading(NamedTuple):
    """What is imported at this moment: as the user named it, and the folder of the user's own code."""

    what: str
    folder: Path


_now: list[_Reading] = []
_watching: list[bool] = []


@contextlib.contextmanager
def importing(what: str, folder: Path) -> Iterator[None]:
    """Import, within the block, what a user names.

    Args:
        what: the file or module, for sentences.
        folder: where its neighbours are; it is on the path within the block only.

    Raises:
        UserError: a syntax error, an error of its own, an end of the program, or a file that it writes.
    """
    sys.path.insert(0, str(folder))
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _watch(_Reading(what, folder.resolve()))
    try:
        yield
    except UserError:
        raise
    except SyntaxError as error:
        there = error.filename is None or Path(error.filename).resolve() == Path(what).resolve()
        where = "" if there else f" of {error.filename}"
        raise UserError(f"{what} has a syntax error in line {error.lineno}{where}: {error.msg}.") from error
    except SystemExit as error:
        raise UserError(f"{what} ends the program while it is read; put what it does under {_MAIN}.") from error
    except Exception as error:
        raise UserError(f"{what} cannot be imported: {type(error).__name__}: {error}.") from error
    finally:
        _now.clear()
        sys.dont_write_bytecode = before
        with contextlib.suppress(ValueError):  # the code may have changed the path itself
            sys.path.remove(str(folder))


def _watch(reading: _Reading) -> None:
    """Refuse changes of the disk until `_now` is cleared: a script that acts when it is read is no system."""
    _now.append(reading)
    if not _watching:
        sys.addaudithook(_hook)  # there is no way to take one away again
        _watching.append(True)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _now or not (event == "open" or event in _CHANGES) or not isinstance(args[0], str | bytes | os.PathLike):
        return
    if event == "open" and not (isinstance(args[2], int) and args[2] & _WRITING):
        return
    path, reading = Path(os.path.abspath(os.fsdecode(args[0]))), _now[-1]
    if not _is_cache(path) and _is_by(reading.folder, sys._getframe(1)):
        raise UserError(f"{reading.what} writes {path} while it is read; put what it does under {_MAIN}.")


def _is_cache(path: Path) -> bool:
    """Whether libraries keep things there that they can make again, such as compiled programs and lists of fonts."""
    if path.is_relative_to("/dev") or "__pycache__" in path.parts:
        return True
    home = os.environ.get("HOME") or os.path.expanduser("~")
    given = [os.path.abspath(os.environ[name]) for name in _CACHES if os.environ.get(name)]
    return any(path.is_relative_to(each) for each in (*given, *(Path(home, usual) for usual in _USUAL_CACHES)))


def _is_by(folder: Path, frame: FrameType | None) -> bool:
    """Whether code in the folder did it by itself or through a library, and not the import of a library."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return False
        if Path(name).is_relative_to(folder) and "site-packages" not in name:
            return True
        frame = frame.f_back
    return False
