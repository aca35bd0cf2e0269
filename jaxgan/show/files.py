"""A file of one stored example of any kind of field."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxgan.errors import UserError
from jaxgan.fields import Field, Kind
from jaxgan.show import text
from jaxgan.show.layout import opaque
from jaxgan.show.palette import COLOURS, palette
from jaxgan.show.replace import replaced
from jaxgan.show.sheets import write_png
from jaxgan.show.spectra import RATE

FRAMES_A_SECOND = 8.0  # of a video whose field says none


class FileFormat(NamedTuple):
    """How one example is kept in a file.

    Attributes:
        ending: of the file's name, with the dot.
        write: (path, field, stored example) writes the file, whole or not at all; raises OSError where it cannot.
    """

    ending: str
    write: Callable[[Path, Field, np.ndarray], None]


def _write_image(path: Path, _: Field, example: np.ndarray) -> None:
    write_png(path, example)


def _write_label_map(path: Path, _: Field, example: np.ndarray) -> None:
    """Classes are the pixels' numbers, and below 256 colours too; more take 16 bits, without colours."""
    from PIL import Image

    least, most = int(example.min()), int(example.max())
    if least < 0 or most > 65535:
        raise UserError(f"{path.name} takes classes from 0 to 65535, but the label map has {least} to {most}.")
    if most < COLOURS:
        picture = Image.fromarray(example.astype(np.uint8))
        picture.putpalette(palette().tobytes())
    else:
        picture = Image.fromarray(example.astype(np.uint16))
    with replaced(path) as temporary:
        picture.save(temporary, format="PNG")


def _write_text(path: Path, field: Field, example: np.ndarray) -> None:
    with replaced(path) as temporary:
        temporary.write_text(text.words(field, example) + "\n", encoding="utf-8")


def _write_array(path: Path, _: Field, example: np.ndarray) -> None:
    with replaced(path) as temporary, temporary.open("wb") as file:
        np.save(file, example)


def _write_wave(path: Path, field: Field, example: np.ndarray) -> None:
    with replaced(path) as temporary, temporary.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(round(field.rate or RATE))
        sound.writeframes(example.astype("<i2").tobytes())


def _write_video(path: Path, field: Field, example: np.ndarray) -> None:
    """Frames that are alike become one that stays longer; GIF counts hundredths of a second."""
    from PIL import Image

    grey = example.shape[-1] not in (3, 4)
    first, *rest = (Image.fromarray(frame[..., 0] if grey else opaque(frame)) for frame in example)
    duration = 10 * max(2, round(100 / (field.rate or FRAMES_A_SECOND)))  # viewers take less than 20 ms for 100
    with replaced(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=duration, loop=0)


FILES: dict[Kind, FileFormat] = {
    "image": FileFormat(".png", _write_image),
    "mask": FileFormat(".png", _write_image),
    "video": FileFormat(".gif", _write_video),
    "voxels": FileFormat(".npy", _write_array),
    "label_map": FileFormat(".png", _write_label_map),
    "label": FileFormat(".txt", _write_text),
    "code": FileFormat(".txt", _write_text),
    "tokens": FileFormat(".txt", _write_text),
    "wave": FileFormat(".wav", _write_wave),
    "vector": FileFormat(".npy", _write_array),
    "number": FileFormat(".txt", _write_text),
}
"""The file of one stored example of each kind."""
