"""The pickles inside PyTorch's files, read by the standard library's unpickler with almost everything taken away.

A pickle is a program for a stack machine (`pickletools` documents the instructions). Of its instructions those remain
that a dictionary of arrays needs; the classes and functions that it asks for are never looked up: three names stand for
the functions below, those of storages for a `Name`, and all others end the reading.

The machine is the one written in Python (`_Unpickler`), since the fast one has no table of instructions to shorten and
two faults that no subclass can mend: ten bytes, a place in its memory such as 2^28, make it take 4 GB, and some hundred
bytes, a key of nested tuples, make it compute a hash for hours.
"""

import io
import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_BYTES = 4 * 2**20
"""Of a pickle; that of Inception's dictionary has 0.1 MB."""


_NEEDED = (
    "PROTO FRAME MARK STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
    "EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE "
    "BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BINPERSID"
)
_CODES = tuple(getattr(pickle, name)[0] for name in _NEEDED.split())
_NAMES = {ord(instruction.code): instruction.name for instruction in pickletools.opcodes}


class RefusedError(Exception):
    """Why a file is not read; ends a sentence that begins with its name."""


class Name(NamedTuple):
    """A class that a pickle mentions."""

    module: str
    name: str


class Storage(NamedTuple):
    """A run of numbers elsewhere in the file.

    Attributes:
        kind: such as `torch.FloatStorage`.
        key: what it is called in the file.
        length: how many numbers.
    """

    kind: Name
    key: str
    length: int


class Tensor(NamedTuple):
    """An array as a view of a storage; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_pickle(file: io.BytesIO) -> Any:
    """The value of one pickle; the file is left at its end.

    Args:
        file: at the start of a pickle.

    Returns:
        Dictionaries, lists, tuples, strings, numbers, `Name`, `Storage` and `Tensor`.

    Raises:
        RefusedError: for a pickle that is broken or that asks for anything else.
    """
    start = file.tell()
    pickled = io.BytesIO(file.read(MAX_BYTES))
    try:
        value = _Unpickler(pickled).load()
    except EOFError as error:
        raise RefusedError(f"its pickle is cut short, or longer than {MAX_BYTES:,} bytes") from error
    except (pickle.UnpicklingError, struct.error, ValueError, LookupError, OverflowError, MemoryError) as error:
        raise RefusedError("its pickle is broken") from error
    except (TypeError, AttributeError) as error:
        raise RefusedError("its pickle is not one of weights") from error
    file.seek(start + pickled.tell())
    return value


class _Entries(dict[str | int, Any]):
    """A dictionary under strings and numbers alone: to hash a tuple of tuples of tuples can take forever."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key if isinstance(key, int) else _expect(str, key), value)


class _Instructions(dict[int, Callable[..., None]]):
    def __missing__(self, code: int) -> None:
        name = _NAMES.get(code, f"of number {code}")
        raise RefusedError(f"its pickle has the instruction {name}, which no weights need")


class _Unpickler(pickle._Unpickler):
    """All that a program can reach: values without behaviour, and the functions of `_CALLS`, which make such."""

    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        # Storage classes are only ever compared with the table of those that can be read.
        storage = module in ("torch", "torch.cuda", "torch.storage") and name.endswith("Storage") and name.isalnum()
        if (module, name) not in _CALLS and not storage:
            raise RefusedError(f"its pickle asks for {f'{module}.{name}'[:80]!r}, which no weights need")
        return _CALLS.get((module, name), Name(module, name))

    def persistent_load(self, pid: Any) -> Storage:
        tag, kind, key, _, length, *view = _expect(tuple, pid)
        if tag != "storage" or any(each is not None for each in view):
            raise RefusedError("its pickle refers to something that is no storage of its own")
        return Storage(_expect(Name, kind), _expect(str, key), _count(length))

    def empty_dictionary(self) -> None:
        self.stack.append(_Entries())

    def build(self) -> None:
        """Attributes of a dictionary, such as the version that PyTorch notes there, are dropped."""
        self.stack.pop()
        _expect(_Entries, self.stack[-1])

    dispatch = _Instructions(
        {
            **{code: pickle._Unpickler.dispatch[code] for code in _CODES},
            pickle.EMPTY_DICT[0]: empty_dictionary,
            pickle.BUILD[0]: build,
        }
    )


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    return Tensor(_expect(Storage, storage), _count(offset), _counts(shape), _counts(strides))


def _parameter(tensor: Any, *_: Any) -> Tensor:
    return _expect(Tensor, tensor)


def _ordered() -> _Entries:
    return _Entries()


def _counts(values: Any) -> tuple[int, ...]:
    return tuple(_count(value) for value in _expect(tuple, values))


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise RefusedError("its pickle has a size that is none")
    return value


def _expect(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise RefusedError("its pickle is not one of weights")
    return value


_CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _ordered,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
