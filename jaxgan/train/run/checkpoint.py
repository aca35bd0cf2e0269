"""Checkpoints that survive a crash, and that say so when they did not.

Orbax writes a checkpoint into a temporary folder and renames it. We then add a manifest with the size and the SHA-256
of every file, and only then delete older checkpoints. A folder without a manifest is a save that a crash cut short; a
folder that disagrees with its manifest is damaged. Saving is synchronous: it takes a fraction of a second for the
networks here, and when it returns the checkpoint is on the disk.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from jaxgan.errors import UserError
from jaxgan.game import GameState, without_frozen
from jaxgan.train.cluster import consensus
from jaxgan.train.run.rundir import write_json

MANIFEST = "manifest.json"
Say = Callable[[str], None]


def save(folder: Path, step: int, state: Any, metadata: dict[str, Any], keep: int, protect: int | None = None) -> Path:
    """Write checkpoint `step` and delete all but the latest `keep` and `protect`; every process must call this.

    Args:
        folder: the checkpoints of one run.
        step: training steps that `state` has seen.
        state: a pytree of arrays; what a `GameState` has that is frozen stays out.
        metadata: JSON values to keep with it.
        keep: how many checkpoints stay, this one included.
        protect: one that stays in any case.

    Returns:
        The checkpoint's folder.

    Raises:
        OSError: it cannot be written, as on a full disk.
    """
    state = without_frozen(state) if isinstance(state, GameState) else state
    with _manager(folder) as manager:
        items = ocp.args.Composite(state=ocp.args.StandardSave(_by_path(state)), metadata=ocp.args.JsonSave(metadata))
        try:
            manager.save(step, args=items, force=True)
            manager.wait_until_finished()
        except ValueError as error:  # so says tensorstore that the disk is full
            raise OSError(errno.EIO, str(error).splitlines()[0], str(folder / str(step))) from error
        if jax.process_index() == 0:
            write_json(folder / str(step) / MANIFEST, _digests(folder / str(step)))
        consensus.first(np.int32(step))  # it is whole before any process says so
        others = sorted(set(manager.all_steps()) - {step})
        for old in sorted(set(others[: max(0, len(others) - (keep - 1))]) - {protect}):
            # Without its manifest a half-deleted checkpoint is unmistakable.
            if jax.process_index() == 0:
                (folder / str(old) / MANIFEST).unlink(missing_ok=True)
            manager.delete(old)
    return folder / str(step)


def restore(folder: Path, step: int, abstract: Any) -> Any:
    """The state of checkpoint `step`.

    Args:
        folder: the checkpoints of one run.
        step: which one.
        abstract: the state's shapes and dtypes (`jax.ShapeDtypeStruct`) with the shardings it shall have here.

    Raises:
        UserError: the checkpoint holds other arrays.
    """
    # Orbax, told to read other shapes than there are, leaves warnings of Python behind its error.
    path: Any = (folder / str(step) / "state").absolute()  # Orbax's annotation asks for a path class of its own
    saved = ocp.StandardCheckpointHandler().metadata(path).tree
    wanted = _by_path(abstract)
    if {name: tuple(leaf.shape) for name, leaf in saved.items()} != {name: leaf.shape for name, leaf in wanted.items()}:
        raise UserError(f"checkpoint {folder / str(step)} does not fit: its arrays are not those of the system.")
    with _manager(folder) as manager:
        items = ocp.args.Composite(state=ocp.args.StandardRestore(wanted))
        leaves = manager.restore(step, args=items).state
    return jax.tree.unflatten(jax.tree.structure(abstract), [leaves[path] for path in wanted])


def metadata_of(folder: Path, step: int) -> dict[str, Any]:
    """The JSON values that were saved with checkpoint `step`; a process may call this alone."""
    # Read without Orbax, whose managers wait for all processes.
    return json.loads((folder / str(step) / "metadata" / "metadata").read_text(encoding="utf-8"))


def steps(folder: Path) -> list[int]:
    """Steps of the complete checkpoints, oldest first; a damaged one counts, one cut short by a crash does not."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit() and (path / MANIFEST).exists())


def latest(folder: Path, say: Say) -> int | None:
    """The newest checkpoint that is whole; `say` is told of each newer one that is not.

    Returns:
        Its step, or None where the run has no checkpoint yet.

    Raises:
        UserError: there are checkpoints and all are damaged.
    """
    found = steps(folder)
    for step in reversed(found):
        damage = damage_of(folder, step)
        if damage is None:
            return step
        say(f"Checkpoint {folder / str(step)} is damaged ({damage}); looking at the one before it.")
    if found:
        raise UserError(f"{folder} has no checkpoint that is whole; the run cannot be continued.")
    return None


def damage_of(folder: Path, step: int) -> str | None:
    """What is wrong with a checkpoint, in a few words, or None."""
    path = folder / str(step)
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        promised = {name: (int(size), str(digest)) for name, (size, digest) in manifest.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return f"{MANIFEST} cannot be read"
    for name, (size, digest) in promised.items():
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != size:
            return f"{name} has {file.stat().st_size} bytes instead of {size}"
        if _digest(file) != digest:
            return f"{name} has other content than was saved"
    return None


def tidy(folder: Path, step: int | None) -> None:
    """Before a run goes on from `step`: remove saves cut short, put aside damaged ones that are newer."""
    for path in list(folder.iterdir()) if folder.is_dir() else ():
        if not path.name.isdigit():
            if ".orbax-checkpoint-tmp" in path.name:
                shutil.rmtree(path)
        elif not (path / MANIFEST).exists():
            shutil.rmtree(path)
        elif step is None or int(path.name) > step:
            aside = folder / f"damaged-{path.name}"
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)


def discard(folder: Path, after: int) -> None:
    """Delete the checkpoints of steps after `after`, the newest first; one process must call this."""
    for step in reversed(steps(folder)):
        if step > after:
            (folder / str(step) / MANIFEST).unlink()
            shutil.rmtree(folder / str(step))


def nbytes(abstract: Any) -> int:
    """Bytes of a pytree of arrays, or of their shapes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(abstract))


def _by_path(state: Any) -> dict[str, Any]:
    """The leaves by their paths: a checkpoint knows arrays and their names, and no class of any library."""
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}


def _manager(folder: Path) -> ocp.CheckpointManager:
    options = ocp.CheckpointManagerOptions(enable_async_checkpointing=False, save_root_metadata=False)
    return ocp.CheckpointManager(folder.absolute(), options=options)


def _digests(path: Path) -> dict[str, tuple[int, str]]:
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): (file.stat().st_size, _digest(file)) for file in files}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
