"""The folder of a run: where things lie, what its config.json says, and whether it can be written at all."""

import contextlib
import dataclasses
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from jaxgan.errors import UserError
from jaxgan.paths import typed

CONFIG = "config.json"
CONTENT = {"jaxgan": str, "recipe": str | None, "code": dict | None, "config": dict, "run": dict, "data": dict}
ONE_STAGE: dict[str, Any] = {"frozen": {}, "stages": [["", None]], "stage": ""}  # what a run without them has
DATA = {"fingerprint": str, "description": str, "fields": dict}


@dataclasses.dataclass(frozen=True)
class RunDir:
    """Paths of a run."""

    root: Path

    @property
    def config(self) -> Path:
        """Recipe, configuration, data and library version, as JSON."""
        return self.root / CONFIG

    @property
    def checkpoints(self) -> Path:
        """One folder a checkpoint, named by its step."""
        return self.root / "checkpoints"

    @property
    def best(self) -> Path:
        """The best state by `evaluations`, a folder like `checkpoints` with one checkpoint."""
        return self.root / "best"

    @property
    def evaluations(self) -> Path:
        """One JSON object a measurement."""
        return self.root / "evaluations.jsonl"

    @property
    def monitor(self) -> Path:
        """One JSON object for each finding of the monitor, and for each sample picture that it has measured."""
        return self.root / "monitor.jsonl"

    @property
    def samples(self) -> Path:
        """Sample pictures, named by their step."""
        return self.root / "samples"

    @property
    def reals(self) -> Path:
        """A contact sheet of the data."""
        return self.root / "reals.png"

    @property
    def metrics(self) -> Path:
        """One JSON object a logged step."""
        return self.root / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Event files."""
        return self.root / "tensorboard"

    @property
    def log(self) -> Path:
        """What people were told."""
        return self.root / "log.txt"

    @property
    def lock(self) -> Path:
        """Held while a process trains the run."""
        return self.root / ".lock"

    @property
    def summary(self) -> Path:
        """The picture of the whole run."""
        return self.root / "summary.png"


def check_out(out: str | None) -> None:
    """Raise UserError where a new run cannot be written to `out`; changes nothing on the disk."""
    if out == "":
        raise UserError("--out takes a folder, got an empty text.")
    path = Path(out or "runs")
    if out is not None and path.exists():
        if not path.is_dir():
            raise UserError(f"--out takes a folder, but {out} is a file.")
        if any(path.iterdir()):
            raise UserError(f"--out takes a new or empty folder, but {out} has files; continue it with --resume {out}.")
    parent = _existing(path)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"--out {path} cannot be created: {parent} is not a folder that can be written to.")


def create(out: str | None, recipe: str | None, data: str) -> RunDir:
    """Make the folder of a new run that `check_out` has passed; without `out`, the first free runs/RECIPE-DATA-N."""
    try:
        return RunDir(_make(Path(out)) if out is not None else _make_numbered(recipe or "own", data))
    except OSError as error:
        raise UserError(f"--out {out or 'runs'} cannot be created: {error.strerror}.") from error


@contextlib.contextmanager
def alone(folder: RunDir) -> Iterator[None]:
    """Keep other processes from training the same run; the lock goes with this process, however it ends.

    Raises:
        UserError: another process trains it.
    """
    lock = FileLock(folder.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{folder.root} is being trained by another process; wait for it, or stop it first.") from error
    try:
        yield
    finally:
        lock.release()


def unmake(folder: RunDir) -> None:
    """Remove the folder of a run in which nothing was written."""
    with contextlib.suppress(OSError):  # it has files
        if not set(folder.root.iterdir()) - {folder.lock, folder.log}:
            shutil.rmtree(folder.root)


def check_file(path: Path, option: str) -> None:
    """Raise UserError where a file cannot be written to `path`, before there is anything to write."""
    parent = _existing(path.parent)
    if path.is_dir() or not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"{option} {path} cannot be written: it is a folder, or lies where nothing can be created.")


def check_access(folder: RunDir) -> None:
    """Raise UserError where an existing run cannot be read and written."""
    for path in (
        folder.root,
        folder.checkpoints,
        folder.best,
        folder.samples,
        folder.tensorboard,
        folder.metrics,
        folder.monitor,
        folder.config,
    ):
        inside = os.X_OK if path.is_dir() else 0
        if path.exists() and not os.access(path, os.R_OK | os.W_OK | inside):
            raise UserError(f"{folder.root} cannot go on: {path} cannot be read and written.")


def check_disk(folder: Path, state_bytes: int, keep: int, present: int = 0) -> None:
    """Raise UserError where `keep` checkpoints, of which `present` are there, and the one being written do not fit."""
    need, free = (max(keep - present, 0) + 1) * state_bytes, shutil.disk_usage(_existing(folder)).free
    if need > free:
        raise UserError(
            f"{folder} has {free / 1e9:.2f} GB free, but {keep} checkpoints and the next one need {need / 1e9:.2f} GB; "
            "choose another --out or a smaller --keep."
        )


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader, or a crash, never sees half of it."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_config(run: str | Path) -> tuple[RunDir, dict[str, Any]]:
    """An existing run and its config.json; UserError where there is none."""
    if not str(run):
        raise UserError("a run is named by its folder, got an empty text.")
    folder = RunDir(typed(run))
    if not folder.root.is_dir():
        found = "it is a file" if folder.root.exists() else "there is no such folder"
        raise UserError(f"{run} is not a run: {found}.")
    if not folder.config.is_file():
        raise UserError(f"{run} is not a run: it has no {CONFIG}.")
    try:
        content = json.loads(folder.config.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{folder.config} cannot be read: {error}.") from error
    checked = _checked(content, CONTENT, str(folder.config))
    _checked(checked["data"], DATA, f"'data' in {folder.config}")
    return folder, {**ONE_STAGE, **checked, **{name: content[name] for name in ONE_STAGE if name in content}}


def _checked(content: Any, kinds: dict[str, Any], source: str) -> dict[str, Any]:
    """The entries of `content` that `kinds` names; UserError where one is missing or of another type."""
    if not isinstance(content, dict):
        raise UserError(f"{source} is not a JSON object.")
    for key, kind in kinds.items():
        if key not in content:
            raise UserError(f"{source} has no {key!r}.")
        if not isinstance(content[key], kind):
            raise UserError(f"{source} gives {key!r} as {content[key]!r}, which is of the wrong type.")
    return {key: content[key] for key in kinds}


def _existing(path: Path) -> Path:
    """The path itself or its nearest parent that exists."""
    return next(p for p in (path, *path.absolute().parents) if p.exists())


def _make(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _make_numbered(recipe: str, data: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", Path(data).name).strip("-.") or "data"
    for number in itertools.count(1):
        path = Path("runs") / f"{recipe}-{name}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return path
    raise AssertionError
