"""What a layout says, and how arrays of PyTorch become ours."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from jaxgan.errors import UserError, first_of

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
Turn: TypeAlias = Literal["conv", "transposed", "as it is"]
_SHOWN = 5  # names in a line
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""Of normalisation layers; instance normalisation of old files has them and does not use them."""


class Take(NamedTuple):
    """Where an array of ours comes from: its name in the file, and how its axes lie there."""

    key: str
    turn: Turn = "as it is"


class Found(NamedTuple):
    """A network as a file has it.

    Attributes:
        about: what it is like, in the words of its layout: widths, depths, channels.
        takes: array of ours, such as "params/conv0/kernel", to where it comes from.
        unused: names that such files may have and nobody needs.
    """

    about: Mapping[str, Any]
    takes: Mapping[str, Take]
    unused: frozenset[str] = frozenset()


class Layout(NamedTuple):
    """A form of published files.

    Attributes:
        name: in words.
        find: what the network is like by names and shapes alone; None where the file is of another layout.
    """

    name: str
    find: Callable[[Shapes], Found | None]


def plain(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays without the `module.` that networks on several devices put before every name."""
    wrapped = bool(state) and all(name.startswith("module.") for name in state)
    return {name.removeprefix("module.") if wrapped else name: array for name, array in state.items()}


def arrays(found: Found, state: Mapping[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """Our arrays out of a file's.

    Args:
        found: what the layout says of the file.
        state: its arrays by name.
        source: what errors call it.

    Raises:
        UserError: names that are missing, or that are too many.
    """
    wanted = {take.key for take in found.takes.values()}
    missing, more = sorted(wanted - set(state)), sorted(set(state) - wanted - found.unused)
    if missing or more:
        said = [f"lacks {first_of(missing, _SHOWN)}"] * bool(missing) + [f"has {first_of(more, _SHOWN)} too"] * bool(
            more
        )
        raise UserError(f"{source} {' and '.join(said)}, which does not fit the rest of it.")
    return {name: turned(state[take.key], take.turn, f"{take.key} of {source}") for name, take in found.takes.items()}


def turned(array: np.ndarray, turn: Turn, source: str) -> np.ndarray:
    """A float32 array with its axes as ours.

    A kernel of PyTorch is (out, in, h, w), that of a transposed convolution (in, out, h, w) and flipped, for there it
    is written as the gradient of a convolution; ours are (h, w, in, out).

    Raises:
        UserError: a kernel that is none.
    """
    if turn != "as it is" and array.ndim != 4:
        raise UserError(f"{source} has shape {list(array.shape)}, which no kernel has.")
    x = np.asarray(array, np.float32)
    match turn:
        case "conv":
            return np.ascontiguousarray(x.transpose(2, 3, 1, 0))
        case "transposed":
            return np.ascontiguousarray(x.transpose(2, 3, 0, 1)[::-1, ::-1])
    return x


class Names:
    """Collects where a network's arrays come from."""

    def __init__(self, shapes: Shapes) -> None:
        """Of a file with these names."""
        self.shapes, self.takes, self.unused = shapes, {}, set()

    def conv(self, ours: str, theirs: str, turn: Turn = "conv", *, bias: bool = True) -> None:
        """A convolution, by its name here and there."""
        self.takes[f"params/{ours}/kernel"] = Take(f"{theirs}.weight", turn)
        if bias:
            self.takes[f"params/{ours}/bias"] = Take(f"{theirs}.bias")

    def norm(self, ours: str, theirs: str, kind: str) -> None:
        """A normalisation: batch has gain, bias and statistics, instance has nothing."""
        if kind == "batch":
            leaves = {"params/{}/scale": "weight", "params/{}/bias": "bias"}
            leaves |= {"batch_stats/{}/mean": "running_mean", "batch_stats/{}/var": "running_var"}
            self.takes |= {place.format(ours): Take(f"{theirs}.{leaf}") for place, leaf in leaves.items()}
        self.unused |= {f"{theirs}.{buffer}" for buffer in BUFFERS}

    def found(self, about: Mapping[str, Any]) -> Found:
        """What was collected, of a network like this."""
        used = {take.key for take in self.takes.values()}
        return Found(about, dict(self.takes), frozenset(self.unused - used))


def kernels(shapes: Shapes) -> Sequence[str]:
    """Names of the arrays that are kernels of images."""
    return [name for name, shape in shapes.items() if len(shape) == 4]
