"""Numbers of any kind to what is stored: what is safe is done and said, what is not is one sentence."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from jaxgan.errors import UserError
from jaxgan.fields import KINDS, Kind

SLACK = 1e-5
"""By which rounding may carry a fraction beyond its range."""


class Numbers(NamedTuple):
    """What decides how numbers are stored.

    Attributes:
      dtype: of the array.
      low: the least of them.
      high: the largest; both are NaN where a number is none or infinite.
    """

    dtype: np.dtype
    low: float
    high: float

    @property
    def form(self) -> str:
        """One of "bool", "whole", "fraction" or "other"."""
        return {"b": "bool", "i": "whole", "u": "whole", "f": "fraction"}.get(self.dtype.kind, "other")

    def within(self, low: float | int, high: float | int) -> bool:
        """Whether all numbers lie there."""
        return low <= self.low and self.high <= high


Way: TypeAlias = tuple[Callable[[np.ndarray], np.ndarray], str]
"""How to store an array, and what was guessed for it ("" if nothing was)."""


def numbers(array: np.ndarray) -> Numbers:
    """Returns type and range of an array."""
    if array.dtype.kind not in "biuf" or not array.size:
        return Numbers(array.dtype, np.nan, np.nan)
    low, high = float(array.min()), float(array.max())
    finite = np.isfinite(low) and np.isfinite(high)
    return Numbers(array.dtype, low if finite else np.nan, high if finite else np.nan)


def merged(parts: Sequence[Numbers]) -> Numbers:
    """Returns type and range of several arrays together."""
    dtype = np.result_type(*{part.dtype for part in parts})
    return Numbers(dtype, float(np.min([part.low for part in parts])), float(np.max([part.high for part in parts])))


def _refused(seen: Numbers, what: str, takes: str) -> UserError:
    spread = "not finite" if np.isnan(seen.low) else f"from {seen.low:g} to {seen.high:g}"
    return UserError(f"{what} is {seen.dtype}, {spread}; it takes {takes}.")


def _conversion(seen: Numbers) -> str:
    """Returns what makes pixels of such numbers, in NumPy's words for an array x."""
    if np.isnan(seen.low):
        return "look for NaN and infinite values with numpy.isfinite(x)"
    if seen.within(0, 255):
        return "x.round().astype('uint8') makes such of values from 0 to 255"
    low, high = (0, 65535) if seen.dtype == np.uint16 and seen.high > 255 else (seen.low, seen.high)
    return f"((x - {low:g}) / {max(high - low, 1):g}).astype('float32') makes such of values from {low:g} to {high:g}"


def _scaled(low: int, high: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the way from low .. high to 0 .. 255."""

    def store(array: np.ndarray) -> np.ndarray:
        share = (array.astype(np.float32) - low) / (high - low)
        return np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)

    return store


def _cast(dtype: np.dtype) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: array.astype(dtype)


def pixels(seen: Numbers, what: str, name: str) -> Way:
    """Returns how images are stored as 0 .. 255.

    Args:
      seen: type and range of all of them.
      what: to call them in an error.
      name: to call them in a note.

    Raises:
      UserError: where their range is not clear.
    """
    if seen.form == "bool":
        return _scaled(0, 1), f"{name}: false and true taken as 0 and 255"
    if seen.form == "whole" and seen.within(0, 255):
        note = "" if seen.dtype == np.uint8 else f"{name}: {seen.dtype} stored as uint8"
        return _cast(np.dtype(np.uint8)), note
    for low, high in ((0, 1), (-1, 1)):
        if seen.form == "fraction" and seen.within(low - SLACK * abs(low), high + SLACK):
            return _scaled(low, high), f"{name}: {seen.dtype} taken as {low} (black) to {high} (white)"
    takes = "whole numbers from 0 to 255, or fractions from 0 to 1 or from -1 to 1"
    raise _refused(seen, what, f"{takes}; {_conversion(seen)}")


def shares(seen: Numbers, what: str, name: str) -> Way:
    """Returns how masks and voxels are stored as 0 (none) .. 255 (all); arguments and errors as for `pixels`."""
    if seen.form == "bool":
        return _scaled(0, 1), f"{name}: false and true taken as 0 and 255"
    if seen.form == "whole" and seen.within(0, 1):
        return _scaled(0, 1), f"{name}: 0 and 1 taken as 0 and 255"
    if seen.form == "whole" and seen.within(0, 255):
        note = "" if seen.dtype == np.uint8 else f"{name}: {seen.dtype} stored as uint8"
        return _cast(np.dtype(np.uint8)), note
    if seen.form == "fraction" and seen.within(0, 1 + SLACK):
        return _scaled(0, 1), f"{name}: {seen.dtype} taken as 0 (none) to 1 (all)"
    raise _refused(seen, what, "false and true, whole numbers from 0 to 255, or fractions from 0 to 1")


def samples(seen: Numbers, what: str, name: str) -> Way:
    """Returns how sound is stored as 16-bit samples; arguments and errors as for `pixels`."""
    if seen.dtype == np.int16:
        return _cast(np.dtype(np.int16)), ""
    if seen.form == "fraction" and seen.within(-1 - SLACK, 1 + SLACK):
        return _from_fraction, f"{name}: {seen.dtype} taken as -1 to 1"
    raise _refused(seen, what, "int16 samples, or fractions from -1 to 1")


def _from_fraction(array: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(array.astype(np.float32) * 32768), -32768, 32767).astype(np.int16)


def whole(seen: Numbers, what: str, name: str) -> Way:
    """Returns how classes and places in a vocabulary are stored; arguments and errors as for `pixels`."""
    del name  # nothing is guessed
    if seen.form in ("whole", "bool") and seen.within(0, np.iinfo(np.int32).max):
        return _cast(np.dtype(np.int32)), ""
    raise _refused(seen, what, "whole numbers from 0")


def real(seen: Numbers, what: str, name: str) -> Way:
    """Returns how numbers without a range of their own are stored; arguments and errors as for `pixels`."""
    if seen.form == "other" or np.isnan(seen.low):
        raise _refused(seen, what, "finite numbers")
    note = "" if seen.dtype == np.float32 else f"{name}: {seen.dtype} stored as float32"
    return _cast(np.dtype(np.float32)), note


def way(kind: Kind) -> Callable[[Numbers, str, str], Way]:
    """Returns what decides how a kind is stored."""
    by_name = {"image": pixels, "video": pixels, "mask": shares, "voxels": shares, "wave": samples}
    return by_name.get(kind, whole if KINDS[kind].dtype == np.int32 else real)


def odd_label(labels: np.ndarray) -> str:
    """Returns what of these is no class index, in words; "" where that is their number."""
    flat = labels.ravel()
    if flat.dtype.kind == "f":
        odd = np.flatnonzero(flat != np.floor(flat))  # what is no number is unequal to itself
        if not len(odd):
            return ", fractions that are whole: .astype(np.int32) makes indices of them"
        return f", and {flat[odd[0]]:g} in row {odd[0]} is no whole number"
    below = np.flatnonzero(flat < 0) if flat.dtype.kind == "i" else []
    return f", and {flat[below[0]]} in row {below[0]} is below 0" if len(below) else ""
