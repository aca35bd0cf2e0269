"""What a user gives on a command line, as it is stored: a class by name or number, a text, a file."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxgan.data.decode import decode, header
from jaxgan.data.settings import Fit
from jaxgan.errors import UserError, flag
from jaxgan.fields import Field, Kind


def stored(name: str, field: Field, text: str) -> np.ndarray:
    """One example's field from what the option `--name` says.

    Args:
        name: of the field.
        field: its kind, shape and names.
        text: a class's name or number; words; numbers with commas between them; or a file.

    Raises:
        UserError: what it got and what it takes.
    """
    return READ[field.kind](flag(name), field, text)


def _one_of(option: str, field: Field, text: str) -> np.ndarray:
    count = len(field.names)
    if text in field.names:
        return np.array(field.names.index(text), np.int32)
    if re.fullmatch(r"\d+", text) and int(text) < count:
        return np.array(int(text), np.int32)
    named = field.names != tuple(str(i) for i in range(count))
    takes = f"a class from 0 to {count - 1}" + (f", or one of {', '.join(field.names[:20])}" if named else "")
    raise UserError(f"{option} takes {takes}; got {text}.")


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
    path = Path(text).expanduser()
    try:
        own = header(path.open("rb"))
        height, width, channels = field.shape
        target = Fit(height or own.height, width or own.width, channels or (1 if own.grey else 3), "stretch")
        with path.open("rb") as file:
            return decode(file, target)
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UserError(f"{option} takes an image file, but {text} cannot be read: {_why(error)}.") from error


def _array(option: str, field: Field, text: str) -> np.ndarray:
    """Numbers with commas between them, or a `.npy` file."""
    try:
        if text.endswith(".npy"):
            with Path(text).expanduser().open("rb") as file:
                found = np.load(file, allow_pickle=False)
        else:
            found = np.array([float(part) for part in text.split(",")])
            found = found.reshape(()) if not field.shape else found
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{option} takes numbers with commas between them, or a .npy file: {_why(error)}.") from error
    wanted = tuple(field.shape)
    if found.ndim != len(wanted) or any(w not in (None, g) for w, g in zip(wanted, found.shape, strict=True)):
        raise UserError(f"{option} takes numbers of shape {list(wanted)}, got {list(found.shape)}.")
    if not np.isfinite(found).all():
        raise UserError(f"{option} takes finite numbers, got {text}.")
    return found.astype(field.dtype)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).rstrip(".") or type(error).__name__


READ: dict[Kind, Callable[[str, Field, str], Any]] = {
    "label": _one_of,
    "code": _one_of,
    "tokens": _words,
    "image": image,
    "mask": image,
    "label_map": _array,
    "voxels": _array,
    "video": _array,
    "wave": _array,
    "vector": _array,
    "number": _array,
}
"""How each kind is read from what a user says."""
