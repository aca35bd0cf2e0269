"""What "SAME", "VALID" and explicit paddings mean in pixels, for any number of spatial axes."""

import math
from collections.abc import Sequence

from jax import lax

from jaxgan.errors import UserError

Padding = str | int | Sequence[int | tuple[int, int]]
Sides = tuple[tuple[int, int], ...]


def forward_pads(
    padding: Padding, size: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> Sides:
    """Pixels of zeros (low, high) around each axis of what a convolution reads.

    Args:
        padding: "SAME", "VALID", a number of pixels, or (low, high) pixels for each axis.
        size: pixels of each axis of the input.
        window: pixels of each axis of the kernel.
        strides: pixels between neighbouring outputs.
        dilation: pixels between neighbouring weights.

    Raises:
        UserError: if the padding has another name or another number of axes.
    """
    if not isinstance(padding, str):
        return _explicit_pads(padding, len(window))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    return tuple((low, high) for low, high in lax.padtype_to_pads(size, reach, strides, _named(padding)))


def transpose_pads(padding: Padding, window: Sequence[int], strides: Sequence[int]) -> Sides:
    """Pixels of zeros (low, high) around each axis of what a transposed convolution reads, after it was spread.

    Args:
        padding: "SAME", "VALID", a number of pixels, or (low, high) pixels for each axis.
        window: pixels of each axis of the kernel.
        strides: distance in the output between neighbouring pixels of the input.

    Raises:
        UserError: if the padding has another name or another number of axes.
    """
    if not isinstance(padding, str):
        return _explicit_pads(padding, len(window))
    rule = _same_pads if _named(padding) == "SAME" else _valid_pads
    return tuple(rule(k, s) for k, s in zip(window, strides, strict=True))


def _same_pads(k: int, s: int) -> tuple[int, int]:
    """The output is s times as large as the input."""
    low = k - 1 if s > k - 1 else math.ceil((k + s - 2) / 2)
    return low, k + s - 2 - low


def _valid_pads(k: int, s: int) -> tuple[int, int]:
    """Every output that any input reaches."""
    return k - 1, s - 1 + max(k - s, 0)


def _named(padding: str) -> str:
    if padding not in ("SAME", "VALID"):
        raise UserError(f"padding must be 'SAME', 'VALID' or pixels, not {padding!r}.")
    return padding


def _explicit_pads(padding: int | Sequence[int | tuple[int, int]], rank: int) -> Sides:
    sides = (padding,) * rank if isinstance(padding, int) else tuple(padding)
    pads = [(side, side) if isinstance(side, int) else tuple(side) for side in sides]
    if [len(pair) for pair in pads] != [2] * rank:
        raise UserError(
            f"padding must be 'SAME', 'VALID' or (low, high) pixels for each of {rank} axes, not {padding!r}."
        )
    return tuple((low, high) for low, high in pads)
