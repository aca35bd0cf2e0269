"""CIFAR-10 and CIFAR-100 as downloaded: the python or the binary version, in a folder or a `.tar.gz`.

A. Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images"; the formats are on the set's page,
https://www.cs.toronto.edu/~kriz/cifar.html. The python version is made of pickles; of those nothing is executed: names
beyond the few that arrays of bytes need are refused.
"""

import io
import pickle
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from jaxgan.data import source
from jaxgan.data.readers import columns
from jaxgan.data.readers.columns import Column
from jaxgan.data.readers.wants import named, told
from jaxgan.data.settings import Settings
from jaxgan.errors import UserError
from jaxgan.fields import Needs

SIDE, ROW = 32, 3 * 32 * 32
BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))
LAYOUTS: dict[str, dict[str, tuple[str, ...]]] = {
    "CIFAR-10, python": {"train": BATCHES, "test": ("test_batch",), "names": ("batches.meta",)},
    "CIFAR-10, binary": {
        "train": tuple(f"{name}.bin" for name in BATCHES),
        "test": ("test_batch.bin",),
        "names": ("batches.meta.txt",),
    },
    "CIFAR-100, python": {"train": ("train",), "test": ("test",), "names": ("meta",)},
    "CIFAR-100, binary": {"train": ("train.bin",), "test": ("test.bin",), "names": ("fine_label_names.txt",)},
}
"""The files of each version, by split."""
ARRAYS = {"numpy.core.multiarray", "numpy._core.multiarray"}
Files = Mapping[str, Callable[[], bytes]]


def _encode(text: str, encoding: str) -> bytes:
    """What Python 2's bytes are in protocol 2 of Python 3, for latin1 alone."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes as {encoding}")
    return text.encode("latin1")


class Reader(pickle.Unpickler):
    """Reads dictionaries, lists, bytes and arrays of bytes; refuses all else before it is made."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The few functions that arrays are made by."""
        if (module_name, global_name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, global_name)
        if module_name in ARRAYS and global_name == "_reconstruct":
            return np.ndarray(0).__reduce__()[0]  # the same function, wherever this NumPy keeps it
        if (module_name, global_name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def files_of_folder(root: Path) -> tuple[str, Files] | None:
    """Returns the version that lies in a folder and its files; None for another folder."""
    return _version({path.name: path.read_bytes for path in root.iterdir() if path.is_file()})


def files_of_tar(path: Path) -> tuple[str, Files]:
    """Returns the version in a `.tar.gz` and its files, unpacked in memory; UserError for another file."""
    wanted = {name for layout in LAYOUTS.values() for names in layout.values() for name in names}
    found: dict[str, Callable[[], bytes]] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if member.isfile() and name in wanted and (file := archive.extractfile(member)):
                    found[name] = io.BytesIO(file.read()).getvalue
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"--data {path} is not a .tar.gz file that can be read: {error}.") from error
    version = _version(found)
    if version is None:
        raise UserError(f"--data {path} is a .tar.gz, of which CIFAR-10 and CIFAR-100 are read; unpack it.")
    return version


def _version(found: Files) -> tuple[str, Files] | None:
    for name, layout in LAYOUTS.items():
        if set(layout["train"] + layout["names"]) <= set(found):
            return name, found
    return None


def load(version: tuple[str, Files], name: str, needs: Needs, settings: Settings, split: str | None) -> source.Data:
    """Returns a split of the set: train, test, or all; CIFAR-100 with its 100 fine classes.

    Args:
      version: from `files_of_folder` or `files_of_tar`.
      name: what the user asked for.
      needs: what the recipe takes.
      settings: size, resize, channels.
      split: train unless given.

    Raises:
      UserError: where a file is missing or damaged, or the needs are others than images.
    """
    kind, found = version
    image, label = named(needs, "image"), named(needs, "label")
    if image is None:
        raise UserError(f"--data {name} holds images; this recipe needs {told(needs)}.")
    splits = {"train": ("train",), "test": ("test",), "all": ("train", "test")}
    if (split or "train") not in splits:
        raise UserError(f"--data {name} has the splits train, test, or all; got {split!r}.")
    files = [file for each in splits[split or "train"] for file in LAYOUTS[kind][each]]
    parts = [_part(kind, file, found, name) for file in files]
    pixels = np.concatenate([part[0] for part in parts])
    images = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    columns_found = {image: Column("image", np.ascontiguousarray(images))}
    if label is not None:
        labels = np.concatenate([part[1] for part in parts]).astype(np.int32)
        columns_found |= columns.classes(label, labels, needs, _names(kind, found, name))
    return columns.assemble(columns_found, name, settings, f"{kind}, split {split or 'train'}")


def _part(kind: str, file: str, found: Files, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns pixels [n, 3072] and labels [n] of a file."""
    if file not in found:
        raise UserError(f"--data {name} is {kind}, and lacks {file}.")
    content = found[file]()
    if kind.endswith("binary"):
        ahead = 2 if kind.startswith("CIFAR-100") else 1
        rows, rest = divmod(len(content), ahead + ROW)
        if rest or not rows:
            raise UserError(f"--data {name}: {file} is cut short or damaged: it has {len(content):,} bytes.")
        table = np.frombuffer(content, np.uint8).reshape(rows, -1)
        return table[:, ahead:], table[:, ahead - 1]
    held = _unpickled(content, file, name)
    pixels, labels = held.get(b"data"), held.get(b"fine_labels", held.get(b"labels"))
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape != (len(labels or ()), ROW):
        raise UserError(f"--data {name}: {file} should hold uint8 data [n, {ROW}] and as many labels.")
    return pixels, np.asarray(labels)


def _unpickled(content: bytes, file: str, name: str) -> dict[Any, Any]:
    try:
        held = Reader(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # damaged pickles raise anything at all
        raise UserError(f"--data {name}: {file} is not a file of CIFAR that can be read: {error}.") from error
    if not isinstance(held, dict):
        raise UserError(f"--data {name}: {file} holds no dictionary.")
    return {key.encode() if isinstance(key, str) else key: value for key, value in held.items()}


def _names(kind: str, found: Files, name: str) -> tuple[str, ...]:
    (file,) = LAYOUTS[kind]["names"]
    content = found[file]()
    if kind.endswith("binary"):
        return tuple(content.decode("utf-8", "replace").split())
    held = _unpickled(content, file, name)
    names = held.get(b"fine_label_names") or held.get(b"label_names") or ()
    return tuple(each.decode() if isinstance(each, bytes) else str(each) for each in names)
