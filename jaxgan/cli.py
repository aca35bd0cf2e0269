"""The command line: `jaxgan train`, `jaxgan sample`, `jaxgan fid` and others.

This file decides which command is meant, without importing JAX; `jaxgan.commands` has them, a file each.
"""

import ast
import hashlib
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import jaxgan
from jaxgan.errors import UserError, did_you_mean, lacks_memory
from jaxgan.paths import at_home
from jaxgan.streams import Lenient, unfailing, why
from jaxgan.weights.download import cache_folder

HELP = """\
usage: jaxgan COMMAND ...

  jaxgan recipes                     the recipes there are, and their papers
  jaxgan train RECIPE [options]      train; every option has a default: `jaxgan train dcgan`
  jaxgan train FILE.py [options]     train a system of your own; or the name of a module, package.module
  jaxgan train --config FILE         a new run like another, from its config.json; options given beside it count
  jaxgan train --resume RUN          go on with a run as if it had never stopped
  jaxgan sample RUN [options]        images, or whatever it makes, of a trained run
  jaxgan interpolate RUN [options]   what lies between samples in a latent space
  jaxgan translate RUN IN OUT        a file, or a folder of them, through a trained translator
  jaxgan rollout RUN [options]       what a trained agent or simulator does
  jaxgan data DATA [options]         what is understood of a data set, before training
  jaxgan evaluate RUN [options]      how good they are, by all metrics
  jaxgan fid A B [options]           the Fréchet distance of two folders, zips, npz files or TFDS data sets
  jaxgan stats DATA -o FILE.npz      statistics of a data set, for `jaxgan fid` and other tools
  jaxgan import FILE.pth --as RECIPE published weights become a run
  jaxgan weights status|download|convert    Inception's weights: where they are; fetched; .pth to .safetensors

  jaxgan --version

`jaxgan train RECIPE --help`, `jaxgan train --resume RUN --help`, `jaxgan sample --help` and so on list the options.
Compiled programs are kept in the user's cache folder; JAX_ENABLE_COMPILATION_CACHE=0 keeps none."""

CACHE_BYTES = 1 << 30
"""Compiled programs that are kept in all; those not used for longest go first."""


TAKES = {
    "sample": ("the folder of a run",),
    "interpolate": ("the folder of a run",),
    "translate": ("the folder of a run", "a file or folder to translate", "a file or folder to write"),
    "rollout": ("the folder of a run",),
    "data": ("a data set",),
    "evaluate": ("the folder of a run",),
    "fid": ("two sets of images or their statistics",) * 2,
    "stats": ("a set of images",),
}
"""What commands take in front of their options."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: what follows `jaxgan` on the command line; the process's own arguments unless given.

    Returns:
        The exit code: 0; 1 where training had to stop or memory was lacking; 2 for a mistake that one sentence on
        stderr explains; 128 plus a signal's number where that signal ended the command.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    _keep_compiled()
    with unfailing() as out:
        try:
            code = _answered(args)
        except SystemExit as stop:  # of a help
            raise SystemExit(stop.code or _lost(out)) from None
        return code or (0 if args[:1] == ["train"] else _lost(out))  # what a run says is in its log too


def _lost(out: Lenient) -> int:
    """The exit code for a result that standard output did not take, which is said; 0 where its reader has gone."""
    out.flush()
    reason = why(out.failure) if out.failure else ""
    if reason:
        print(f"jaxgan: standard output cannot be written ({reason}).", file=sys.stderr)
    return int(bool(reason))


def _answered(args: list[str]) -> int:
    """The exit code of a command whose mistakes are told."""
    try:
        return _command(args)
    except UserError as error:
        print(f"jaxgan: {error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:  # JAX's errors are RuntimeErrors
        if not lacks_memory(error):
            raise
        print("jaxgan: this command needs more memory than the device or this machine has.", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(f"jaxgan: interrupted; {stop if stop.args else 'there was nothing to save.'}", file=sys.stderr)
        return 130


def _keep_compiled() -> None:
    """Let JAX, which reads these variables when it is imported, keep compiled programs for the next command.

    What the user has set stays. Programs are native code: the folder is the user's own, and one for each kind of
    processor, since home folders are shared by machines.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        folder = cache_folder(f"compiled-{_processor()}")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or one that cannot be written: nothing is kept
        return
    if not os.access(folder, os.W_OK):
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(CACHE_BYTES))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")


def _processor() -> str:
    """A short name of what this processor can do."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.exists() else [platform.processor()]
    abilities = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))}) or lines
    digest = hashlib.sha256("\n".join(abilities).encode()).hexdigest()
    return f"{platform.machine() or 'unknown'}-{digest[:12]}"


def _command(args: list[str]) -> int:
    name, rest = (args[0], args[1:]) if args else ("--help", [])
    if name in ("--help", "-h"):
        print(HELP)
        return 0
    if name == "--version":
        print(f"jaxgan {jaxgan.__version__}")
        return 0
    commands = {
        "train": _train,
        **{name: partial(_named, name) for name in TAKES},
        "import": partial(_whole, "import_"),
        "weights": partial(_whole, "weights"),
        "recipes": _recipes,
    }
    if name not in commands:
        raise UserError(f"there is no command {name!r}; {_near(name, commands)} commands are {', '.join(commands)}.")
    return commands[name](rest)


def _near(name: str, names: Iterable[str]) -> str:
    near = did_you_mean(name, names)
    return f"{near} The" if near else "the"


def _recipes(args: list[str]) -> int:
    if args and args[0] not in ("--help", "-h"):
        raise UserError(f"jaxgan recipes takes no arguments, got {args[0]}.")
    for name, summary in _summaries().items():
        print(f"{name:<12} {summary}")
    return 0


def _train(args: list[str]) -> int:
    args, run = _take_resume(args)
    recipe = at_home(args.pop(0)) if args and not args[0].startswith("-") else None
    if recipe is None and run is None and not any(arg.startswith("--config") for arg in args):
        if not set(args) & {"--help", "-h"}:
            raise UserError(_no_recipe(args))
        print(HELP)
        return _recipes([])
    if recipe is not None and not (recipe.endswith(".py") or "." in recipe or "/" in recipe):
        _check_recipe(recipe)
    from jaxgan.commands import train
    from jaxgan.train import TrainingError

    try:
        return train.resume(run, recipe, args) if run is not None else train.train(recipe, args)
    except TrainingError as stop:
        print(f"jaxgan: {stop}", file=sys.stderr)
        return 1


def _named(command: str, args: list[str]) -> int:
    names, options = _names_first(command, TAKES[command], args)
    return importlib.import_module(f"jaxgan.commands.{command}").command(*names, options)


def _whole(command: str, args: list[str]) -> int:
    return importlib.import_module(f"jaxgan.commands.{command}").command(args)


def _names_first(command: str, takes: Sequence[str], args: list[str]) -> tuple[list[str], list[str]]:
    """The arguments before the options, one for each of `takes`, and the options; for --help any names will do."""
    names, options = [at_home(name) for name in args[: len(takes)]], args[len(takes) :]
    if args and args[0] in ("--help", "-h"):
        return ["-"] * len(takes), args
    late = next((name for name in names if name.startswith("-")), None)
    if late is not None or len(names) < len(takes):
        got = late or (" ".join(names) + " alone" if names else "nothing")
        raise UserError(f"jaxgan {command} takes {takes[0]} first, got {got}.")
    return names, options


def _take_resume(args: list[str]) -> tuple[list[str], str | None]:
    """The arguments without `--resume RUN`, and RUN."""
    for i, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name == "--resume":
            given = [value] if equals else args[i + 1 : i + 2]
            if given[:1] in (["-h"], ["--help"]):
                return args[:i] + args[i + 1 :], "RUN"
            if not given or (not equals and given[0].startswith("-")):
                raise UserError("--resume takes the folder of a run, got nothing.")
            if not given[0]:
                raise UserError("--resume takes the folder of a run, got an empty text.")
            return args[:i] + args[i + (1 if equals else 2) :], at_home(given[0])
    return args, None


def _no_recipe(args: list[str]) -> str:
    from jaxgan import recipes

    late = [arg for arg in args if arg in recipes.names()]
    if late:
        return f"the recipe comes first: jaxgan train {late[0]} [options]."
    return f"jaxgan train takes a recipe ({', '.join(_summaries())}), --config FILE or --resume RUN."


def _check_recipe(name: str) -> None:
    from jaxgan import recipes

    if name not in recipes.names():
        recipes.load(name)  # says which there are


def _summaries() -> dict[str, str]:
    """The first line of every recipe's docstring, read without running it; of another package's, where it is."""
    from jaxgan import recipes

    found = {name: recipes.origin(name) for name in recipes.names()}
    for name in recipes.own():
        spec = importlib.util.find_spec(f"{recipes.__name__}.{name}")
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        found[name] = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return found
