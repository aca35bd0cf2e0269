"""What a user gives on a command line, as it is stored: a class by name or number, a text, a file."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxgan.data.decode import decode, header
from jaxgan.data.readers import sound
from jaxgan.data.settings import Fit
from jaxgan.data.spans import chosen
from jaxgan.errors import UserError, did_you_mean, first_of, flag
from jaxgan.fields import Field, Kind
from jaxgan.paths import typed


def stored(name: str, field: Field, text: str) -> np.ndarray:
    """One example's field from what the option `--name` says.

    Args:
        name: of the field.
        field: its kind, shape and names.
        text: a class's name or number; words; numbers with commas between them; or a file (`.npy`, or a picture).

    Raises:
        UserError: what it got and what it takes.
    """
    return READ[field.kind](flag(name), field, text)


def _one_of(option: str, field: Field, text: str) -> np.ndarray:
    count = len(field.names)
    if text in field.names:
        return np.array(field.names.index(text), np.int32)
    numbers = all(re.fullmatch(r"[+-]?\d+", name) for name in field.names)  # then a number is a name and no place
    if not numbers and re.fullmatch(r"\d+", text) and int(text) < count:
        return np.array(int(text), np.int32)
    named = field.names != tuple(str(i) for i in range(count))
    some = first_of(field.names, 20)
    takes = f"one of {some}" if numbers else f"a class from 0 to {count - 1}, or one of {some}"
    takes = takes if named else f"a class from 0 to {count - 1}"
    near = did_you_mean(text, field.names) if named else ""
    raise UserError(f"{option} takes {takes}; got {text}{f'; {near}' if near else '.'}")


def _words(option: str, field: Field, text: str) -> np.ndarray:
    (length,) = field.fixed
    words = re.findall(r"[\w']+", text.lower())
    places = {word: i for i, word in enumerate(field.names)}
    unknown = [word for word in words if word not in places]
    if unknown:
        raise UserError(f"{option} takes words that the data has; it has never seen {', '.join(unknown[:5])}.")
    if not words or len(words) > length:
        raise UserError(f"{option} takes 1 to {length} words, got {len(words)}.")
    return np.array([places[word] for word in words] + [0] * (length - len(words)), np.int32)


def image(option: str, field: Field, text: str) -> np.ndarray:
    """An image file: brought to the field's size, or as large as it is where the field takes any size."""
    path = typed(text)
    try:
        with path.open("rb") as file:
            own = header(file)
        height, width, channels = field.shape
        spans, _ = chosen([own.values] if own.values else [])
        sides = (height or own.height, width or own.width, channels or (1 if own.grey else 3))
        target = Fit(*sides, "stretch", spans=spans)
        with path.open("rb") as file:
            return decode(file, target)
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UserError(f"{option} takes an image file, but {text} cannot be read: {_why(error)}.") from error


def _array(option: str, field: Field, text: str) -> np.ndarray:
    """Numbers with commas between them, or a `.npy` file."""
    try:
        found = _numbers(text)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{option} takes numbers with commas between them, or a .npy file; {text} cannot be read: {_why(error)}."
        ) from error
    return fitting(option, field, text, found.reshape(()) if found.size == 1 and not field.shape else found)


def _numbers(text: str) -> np.ndarray:
    if not text.lower().endswith(".npy"):
        return np.array([float(part) for part in text.split(",")])
    with typed(text).open("rb") as file:
        found = np.load(file, allow_pickle=False)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "biuf":
        raise ValueError("it holds no array of numbers")
    return found


def fitting(option: str, field: Field, text: str, found: np.ndarray) -> np.ndarray:
    """What was read, as it is stored; UserError where its shape, or a number, is not the field's."""
    wanted = field.shape
    if found.ndim != len(wanted) or any(w not in (None, g) for w, g in zip(wanted, found.shape, strict=True)):
        raise UserError(f"{option} takes numbers of shape {_shape(wanted)}, got {_shape(found.shape)}.")
    if field.dtype.kind == "f":
        with np.errstate(over="ignore"):
            stored = found.astype(field.dtype)
        if not np.isfinite(stored).all():
            raise UserError(f"{option} takes finite numbers, got {text}.")
        return stored
    limits = np.iinfo(field.dtype)
    least, most = (0, len(field.names) - 1) if field.names else (limits.min, limits.max)
    odd = found[~((found >= least) & (found <= most) & (found == np.round(found)))]
    if odd.size:
        raise UserError(f"{option} takes whole numbers from {least} to {most}; {text} has {odd.flat[0]}.")
    return found.astype(field.dtype)


def _shape(sides: Sequence[int | None]) -> str:
    return f"[{', '.join('any' if side is None else str(side) for side in sides)}]"


def label_map(option: str, field: Field, text: str) -> np.ndarray:
    """A picture whose pixels are the numbers of classes, grey or with a palette, or a `.npy` file of such numbers."""
    if text.lower().endswith(".npy"):
        return _array(option, field, text)
    try:
        with Image.open(typed(text)) as picture:
            if picture.mode not in ("P", "L", "I", "I;16", "1"):
                raise ValueError(f"its pixels are {picture.mode} colours, not numbers of classes")
            height, width = field.shape
            size = (width or picture.width, height or picture.height)
            found = np.asarray(picture if picture.size == size else picture.resize(size, Image.Resampling.NEAREST))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{option} takes a picture of classes, but {text} cannot be read: {_why(error)}.") from error
    return fitting(option, field, text, found)


def wave(option: str, field: Field, text: str) -> np.ndarray:
    """A `.wav` file of the field's rate, cut or filled up with silence to its length; or a `.npy` file of samples."""
    path = typed(text)
    if path.suffix.lower() not in sound.ENDINGS:
        return _array(option, field, text)
    try:
        with path.open("rb") as file:
            rate = sound.head(file).rate
        if field.rate and rate != field.rate:
            raise UserError(f"it has {rate:,} samples a second, and {field.rate:,.0f} are taken")
        with path.open("rb") as file:
            return sound.decode(file, field.fixed[0])
    except (OSError, UserError) as error:
        raise UserError(f"{option} takes a .wav file, but {text} cannot be read: {_why(error)}.") from error


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # its text has the memory address of a file object
        return "it is no image, or of a format that Pillow does not read"
    return getattr(error, "strerror", None) or str(error).rstrip(".") or type(error).__name__


READ: dict[Kind, Callable[[str, Field, str], Any]] = {
    "label": _one_of,
    "code": _one_of,
    "tokens": _words,
    "image": image,
    "mask": image,
    "label_map": label_map,
    "voxels": _array,
    "video": _array,
    "wave": wave,
    "vector": _array,
    "number": _array,
}
"""How each kind is read from what a user says."""
