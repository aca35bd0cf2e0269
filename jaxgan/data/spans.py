"""What is black and what is white where pixels have more than 8 bits: one answer for all pictures of a field."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxgan.errors import UserError

BITS = (1, 8, 10, 12, 14, 16)
"""Depths that cameras and scanners have."""
DIM = 32
"""Of 255: pictures that nowhere are lighter show nothing."""


class Values(NamedTuple):
    """The numbers of a picture with more than 8 bits a pixel.

    Attributes:
      low: the least.
      high: the largest.
      form: "whole" or "fraction"; or "upper" for colours of 16 bits, of which Pillow gives the upper 8.
    """

    low: float | int
    high: float | int
    form: str = "whole"


class Span(NamedTuple):
    """What is stored as 0, and what as 255."""

    black: float | int
    white: float | int


class Spans(NamedTuple):
    """The spans of pictures that hold whole numbers, and of those that hold fractions; None where there are none."""

    whole: Span | None = None
    fraction: Span | None = None

    def of(self, form: str) -> Span:
        """The span of a form; of one that nobody has looked at, that of its type."""
        return (self.whole if form == "whole" else self.fraction) or usual(form)


def usual(form: str) -> Span:
    """Returns the span of a form whose values nobody has looked at."""
    return Span(0, 65535) if form == "whole" else Span(0, 1)


def chosen(seen: Sequence[Values]) -> tuple[Spans, str]:
    """Returns the spans for all of a field's pictures, and what is to be said of them.

    Whole numbers span the fewest usual bits that hold them all. Fractions span 0..1, -1..1 or 0..255. Numbers that lie
    otherwise span the least to the largest of all.

    Raises:
      UserError: for colours of 16 bits that use less than 14: Pillow would give too few levels.
    """
    spans: dict[str, Span] = {}
    notes = []
    for form in ("whole", "fraction"):
        some = [each for each in seen if each.form == form]
        if some:
            low, high = min(each.low for each in some), max(each.high for each in some)
            spans[form], why = (_whole if form == "whole" else _fraction)(low, high)
            kind = "whole numbers" if form == "whole" else "fractions"
            notes.append(
                f"{kind} from {low:g} to {high:g} in {len(some):,} of the pictures taken as {spans[form].black:g} "
                f"(black) to {spans[form].white:g} (white){why}"
            )
    _check_upper([each for each in seen if each.form == "upper"])
    return Spans(**spans), "; ".join(notes)


def _check_upper(seen: Sequence[Values]) -> None:
    high = max((each.high for each in seen), default=255)
    if high < 64:
        raise UserError(
            f"in {len(seen):,} colour pictures of 16 bits no value passes {256 * high + 255:,.0f} of 65,535, and of 16 "
            f"only the upper 8 are read, which leaves {high + 1:.0f} levels; save them with 8 bits, scaled to 0 to 255."
        )


def _whole(low: float | int, high: float | int) -> tuple[Span, str]:
    bits = next((bits for bits in BITS if high < 2**bits), None)
    if low < 0 or bits is None:
        return _all(low, high)
    return Span(0, 2**bits - 1), f": {bits} bits" if bits > 1 else ""


def _fraction(low: float | int, high: float | int) -> tuple[Span, str]:
    for black, white in ((0, 1), (-1, 1)):
        if black <= low and high <= white:
            return Span(black, white), ""
    return (Span(0, 255), "") if low >= 0 and 127 < high <= 255 else _all(low, high)


def _all(low: float | int, high: float | int) -> tuple[Span, str]:
    return Span(low, max(high, low + 1)), ": the least and the largest of all"


def dim(arrays: Sequence[np.ndarray]) -> str:
    """Returns a warning where pictures as they are stored are all but black; "" where they are not."""
    highest = max((int(each.max(initial=0)) for each in arrays), default=255)
    return f"Warning: all but black, no pixel passes {highest} of 255" if highest < DIM else ""
