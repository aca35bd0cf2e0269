"""The pickles inside PyTorch's files, read by a machine that knows no functions and so can run none.

A pickle is a program for a stack machine (`pickletools` documents the instructions). The machine below executes the few
instructions that a dictionary of arrays needs. Where the program asks for a class or function, it gets a name; where it
calls one, the four names that are known have a fixed meaning, and all others end the reading.
"""

import io
import pickletools
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

MAX_INSTRUCTIONS = 200_000
"""Inception's dictionary takes about thirty thousand."""


class RefusedError(Exception):
    """Why a file is not read; ends a sentence that begins with its name."""


class Name(NamedTuple):
    """A class or function that a pickle mentions."""

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
    machine = _Machine()
    try:
        return _run(machine, file)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError) as error:
        raise RefusedError("its pickle is broken") from error


def _run(machine: "_Machine", file: io.BytesIO) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `pickletools` warns of odd names, which are refused
        for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if count >= MAX_INSTRUCTIONS:
                raise RefusedError("its pickle is longer than that of any weights")
            if opcode.name == "STOP":
                return machine.pop()
            instruction = _INSTRUCTIONS.get(opcode.name)
            if instruction is None:
                raise RefusedError(f"its pickle has the instruction {opcode.name}, which no weights need")
            instruction(machine, argument)
    raise RefusedError("its pickle has no end")


class _Machine:
    """A stack, the stacks below its marks, and what was stored to be used again."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memory: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def go_on(self, _: int) -> None:
        """The version and the length of what follows change nothing."""

    def mark(self, _: None) -> None:
        self.below.append(self.stack)
        self.stack = []

    def to_mark(self) -> list[Any]:
        values, self.stack = self.stack, self.below.pop()
        return values

    def put(self, place: int) -> None:
        self.memory[place] = self.stack[-1]

    def memoize(self, _: None) -> None:
        self.memory[len(self.memory)] = self.stack[-1]

    def get(self, place: int) -> None:
        self.push(self.memory[place])

    def tuple_of(self, count: int) -> None:
        values = self.stack[-count:]
        if len(values) < count:
            raise RefusedError("its pickle is broken")
        del self.stack[-count:]
        self.push(tuple(values))

    def append(self, values: list[Any]) -> None:
        _expect(list, self.stack[-1]).extend(values)

    def set_items(self, values: list[Any]) -> None:
        _expect(dict, self.stack[-1]).update((_key(key), value) for key, value in _pairs(values))

    def stack_global(self, _: None) -> None:
        name, module = self.pop(), self.pop()
        self.push(_known(_expect(str, module), _expect(str, name)))

    def reduce(self, _: None) -> None:
        arguments, name = self.pop(), _expect(Name, self.pop())
        if name not in _CALLS:
            raise RefusedError("its pickle calls something that is no function")
        self.push(_CALLS[name](*_expect(tuple, arguments)))

    def build(self, _: None) -> None:
        """Attributes of a dictionary, such as the version that PyTorch notes there, are dropped."""
        self.pop()
        _expect(dict, self.stack[-1])

    def persistent(self, _: None) -> None:
        tag, kind, key, _, length, *view = _expect(tuple, self.pop())
        if tag != "storage" or any(each is not None for each in view):
            raise RefusedError("its pickle refers to something that is no storage of its own")
        self.push(Storage(_expect(Name, kind), _expect(str, key), _count(length)))


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    return Tensor(_expect(Storage, storage), _count(offset), _counts(shape), _counts(strides))


def _parameter(tensor: Any, *_: Any) -> Tensor:
    return _expect(Tensor, tensor)


def _ordered() -> dict[Any, Any]:
    return {}


def _known(module: str, name: str) -> Name:
    found = Name(module, name)
    # Storage classes are only ever compared with the table of those that can be read.
    storage = module in ("torch", "torch.cuda", "torch.storage") and name.endswith("Storage") and name.isalnum()
    if found not in _CALLS and not storage:
        raise RefusedError(f"its pickle asks for {f'{module}.{name}'[:80]!r}, which no weights need")
    return found


def _global(machine: _Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    machine.push(_known(module, name))


def _pairs(values: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(values[::2], values[1::2], strict=True)


def _key(key: Any) -> str:
    """Strings alone: to hash a tuple of tuples of tuples can take forever."""
    return _expect(str, key)


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


_CALLS: dict[Any, Callable[..., Any]] = {
    Name("collections", "OrderedDict"): _ordered,
    Name("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Name("torch._utils", "_rebuild_parameter"): _parameter,
}
_VALUES = ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINFLOAT")
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_INSTRUCTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.go_on,
    "FRAME": _Machine.go_on,
    **dict.fromkeys(_VALUES, _Machine.push),
    **{name: lambda machine, _, make=make: machine.push(make()) for name, make in _CONSTANTS.items()},
    "MARK": _Machine.mark,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.to_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": lambda machine, _: machine.append([machine.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.to_mark()),
    "SETITEM": lambda machine, _: machine.set_items([machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.to_mark()),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _global,
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}
