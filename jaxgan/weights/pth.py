"""PyTorch's files of weights without PyTorch and without the code that such files can carry.

`torch.save` writes either a zip archive (PyTorch 1.6 and later; `<name>/data.pkl` is the pickle, `<name>/data/<key>`
the bytes of each storage, nothing compressed) or, before that, pickles and storages one after another: a magic number,
a version, facts about the machine, the object, the list of its storages, then each one's length and bytes.
"""

import io
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.lib.stride_tricks import as_strided

from jaxgan.errors import UserError
from jaxgan.weights.unpickler import MAX_BYTES, Name, RefusedError, Storage, Tensor, read_pickle

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_MAX_AXES = 32
_MAX_LENGTH = 2**16  # of an axis of an array without elements, which no storage bounds
_BROKEN = (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, OverflowError, struct.error)
_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(jnp.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


def read_pth(content: bytes, source: str) -> dict[str, np.ndarray]:
    """The arrays of a state dictionary.

    Args:
        content: of the file that `torch.save` wrote.
        source: what errors call it, such as its path.

    Returns:
        Name to array, in the file's order; arrays are read-only views of the content, which parts of them may share.

    Raises:
        UserError: for a file that is broken, cut short, compressed, of another kind, that holds anything but arrays
            under names, or whose pickle asks for anything that a state dictionary does not need.
    """
    try:
        value, storages = _read(content)
        return {name: _array(tensor, storages) for name, tensor in _items(value)}
    except RefusedError as reason:
        raise _refused(source, reason) from reason


def read_groups(content: bytes, source: str) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a state dictionary, or of several in one file, as training programs save them.

    Args:
        content: of the file that `torch.save` wrote.
        source: what errors call it, such as its path.

    Returns:
        The dictionaries of arrays that lie in the file's, by name; or the file's own, named "". What else lies beside
        dictionaries of arrays, such as counters and optimisers, is left out.

    Raises:
        UserError: as for `read_pth`.
    """
    try:
        value, storages = _read(content)
        inner = {name: each for name, each in value.items() if _of_arrays(each)} if isinstance(value, dict) else {}
        groups = inner or {"": dict(_items(value))}
        return {
            str(group): {name: _array(tensor, storages) for name, tensor in each.items()}
            for group, each in groups.items()
        }
    except RefusedError as reason:
        raise _refused(source, reason) from reason


def _refused(source: str, reason: RefusedError) -> UserError:
    return UserError(f"{source} cannot be read as weights of PyTorch: {reason}.")


def _read(content: bytes) -> tuple[Any, Mapping[str, bytes]]:
    return _read_zip(content) if content[:4] == b"PK\x03\x04" else _read_legacy(content)


def _of_arrays(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and isinstance(each, Tensor) for name, each in value.items())
    )


def _items(value: Any) -> list[tuple[str, Tensor]]:
    if not isinstance(value, dict):
        raise RefusedError("it does not hold a dictionary")
    for name, tensor in value.items():
        if not isinstance(tensor, Tensor) or not isinstance(name, str):
            raise RefusedError(f"its entry {str(name)[:80]!r} is not an array")
    return list(value.items())


def _tensors(value: Any) -> Iterator[Tensor]:
    """All arrays in dictionaries and lists, however deep."""
    left = [value]
    while left:
        match left.pop():
            case Tensor() as tensor:
                yield tensor
            case dict() as entries:
                left.extend(entries.values())
            case list() as entries:
                left.extend(entries)


def _read_zip(content: bytes) -> tuple[Any, Mapping[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename.partition("/")[2]: member for member in archive.infolist()}
            _check_members(members, len(content))
            if "byteorder" in members and archive.read(members["byteorder"]) != b"little":
                raise RefusedError("it was written on a machine of another byte order")
            value = read_pickle(io.BytesIO(archive.read(members["data.pkl"])))
            stored = [(name.removeprefix("data/"), each) for name, each in members.items() if name.startswith("data/")]
            return value, {key: archive.read(member) for key, member in stored}
    except _BROKEN as error:
        raise RefusedError("its archive is broken or cut short") from error


def _check_members(members: Mapping[str, zipfile.ZipInfo], size: int) -> None:
    if "data.pkl" not in members:
        raise RefusedError("its archive has no data.pkl")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members.values()):
        raise RefusedError("its archive is compressed, which PyTorch's are not")
    if sum(member.file_size for member in members.values()) > size or members["data.pkl"].file_size > MAX_BYTES:
        raise RefusedError("its archive says that it holds more than it can")


def _read_legacy(content: bytes) -> tuple[Any, Mapping[str, bytes]]:
    file = io.BytesIO(content)
    if content[:1] != b"\x80" or read_pickle(file) != _MAGIC or read_pickle(file) != _VERSION:
        raise RefusedError("it is neither of PyTorch's two formats")
    machine = read_pickle(file)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise RefusedError("it was written on a machine of another byte order")
    value, keys = read_pickle(file), read_pickle(file)
    if not isinstance(keys, list) or not isinstance(value, dict):
        raise RefusedError("it does not hold a dictionary")
    kinds = {each.storage.key: _dtype(each.storage.kind) for each in _tensors(value)}
    return value, {key: _take(file, kinds, key) for key in keys}


def _take(file: io.BytesIO, kinds: Mapping[str, np.dtype], key: Any) -> bytes:
    """The storage that comes next in the file."""
    if not isinstance(key, str) or key not in kinds:
        raise RefusedError("it has a storage that no array uses")
    head = file.read(8)
    length = int.from_bytes(head, "little") * kinds[key].itemsize
    content = file.read(min(length, 2**48))
    if len(head) != 8 or len(content) != length:
        raise RefusedError("it is cut short")
    return content


def _array(tensor: Tensor, storages: Mapping[str, bytes]) -> np.ndarray:
    numbers = _numbers(tensor.storage, storages)
    size = math.prod(tensor.shape)
    if len(tensor.shape) != len(tensor.strides) or len(tensor.shape) > _MAX_AXES or size > len(numbers):
        raise RefusedError("an array has a shape that its storage cannot have")
    if size == 0:
        return np.zeros(_checked_axes(tensor.shape), numbers.dtype)
    # The stride of an axis of one element is never used, whatever the file says that it is.
    strides = [stride if n > 1 else 0 for n, stride in zip(tensor.shape, tensor.strides, strict=True)]
    if tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.shape, strides, strict=True)) >= len(numbers):
        raise RefusedError("an array reaches beyond its storage")
    steps = [stride * numbers.itemsize for stride in strides]
    return as_strided(numbers[tensor.offset :], tensor.shape, steps, writeable=False)


def _checked_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    if max(shape) > _MAX_LENGTH:
        raise RefusedError("an array without elements has a shape that is none")
    return shape


def _numbers(storage: Storage, storages: Mapping[str, bytes]) -> np.ndarray:
    dtype = _dtype(storage.kind)
    content = storages.get(storage.key)
    if content is None or len(content) != storage.length * dtype.itemsize:
        raise RefusedError("a storage of its arrays is missing or not of the size it says")
    return np.frombuffer(content, dtype)


def _dtype(kind: Name) -> np.dtype:
    if kind.name not in _DTYPES:
        raise RefusedError(f"it holds numbers of a kind that is not read, {kind.name[:80]}")
    return _DTYPES[kind.name]
