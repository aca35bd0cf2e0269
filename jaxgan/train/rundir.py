"""The folder of a run: where things lie, what its config.json says, and whether it can be written at all."""

import dataclasses
import itertools
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from jaxgan.errors import UserError

CONFIG = "config.json"


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
    def samples(self) -> Path:
        """Sample pictures, named by their step."""
        return self.root / "samples"

    @property
    def metrics(self) -> Path:
        """One JSON object a logged step."""
        return self.root / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Event files."""
        return self.root / "tensorboard"

    @property
    def summary(self) -> Path:
        """The picture of the whole run."""
        return self.root / "summary.png"


def check_out(out: str | None) -> None:
    """Raise UserError where a new run cannot be written to `out`; changes nothing on the disk."""
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


def check_disk(folder: Path, state_bytes: int, keep: int) -> None:
    """Raise UserError where `keep` checkpoints, and the one being written, will not fit."""
    need, free = (keep + 1) * state_bytes, shutil.disk_usage(_existing(folder)).free
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
    folder = RunDir(Path(run))
    if not folder.root.is_dir():
        raise UserError(f"{run} is not a run: there is no such folder.")
    if not folder.config.is_file():
        raise UserError(f"{run} is not a run: it has no {CONFIG}.")
    try:
        content = json.loads(folder.config.read_text(encoding="utf-8"))
        return folder, {key: content[key] for key in ("jaxgan", "recipe", "config", "run", "data")}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{folder.config} cannot be read: {error}.") from error


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
