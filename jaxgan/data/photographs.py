"""Four bundled photographs of 256 x 256 pixels: crops of three to train on, and of a fourth to be held out.

A split by picture: crops of one photograph share textures, colours and often pixels, so that a crop is no fair question
to a network that was trained on others of the same picture.
"""

import functools
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from jaxgan import fields
from jaxgan.data.readers.wants import named
from jaxgan.data.settings import Settings
from jaxgan.data.source import Data, of_arrays
from jaxgan.errors import UserError
from jaxgan.fields import Needs

FOLDER = Path(__file__).parent / "bundled" / "photographs"
TRAINED = ("astronaut", "chelsea", "rocket")
HELD = "coffee"
SIDE = 256  # of each photograph, pixels
CROPPED = 64  # pixels a side of a crop where nobody says
CROPS = 700  # of each photograph, at most


def photograph(name: str) -> UInt8[np.ndarray, "256 256 3"]:
    """One of the photographs.

    Args:
      name: one of `TRAINED`, or `HELD`.
    """
    from PIL import Image

    with Image.open(FOLDER / f"{name}.png") as picture:
        return np.asarray(picture.convert("RGB"))


def load(name: str, settings: Settings, needs: Needs) -> Data:
    """Returns crops of the photographs, those of the fourth at the end and apart.

    Args:
      name: of the set.
      settings: what the user asked of images; the size is that of a crop, and nothing is scaled.
      needs: whose first field that may be an image gets the crops; "image" where there is none.

    Raises:
      UserError: crops larger than the photographs, or scaled ones.
    """
    height, width = _size(name, settings)
    of_each = [_crops(_coloured(each, settings), i, height, width) for i, each in enumerate(TRAINED)]
    apart = _tiles(_coloured(HELD, settings), height, width)
    crops = np.concatenate([*of_each, apart])
    field = named(needs, "image") or "image"
    note = f"random crops of {', '.join(TRAINED)}, and {len(apart)} of {HELD}, which are those to hold out"
    made = of_arrays({field: crops}, {field: fields.image(*crops.shape[1:])}, name, note)
    return made._replace(apart=len(apart))


def _size(name: str, settings: Settings) -> tuple[int, int]:
    if settings.resize != "crop":
        raise UserError(f"--data {name} is crops of photographs, which --resize {settings.resize} does not apply to.")
    if isinstance(settings.size, str):
        raise UserError(f"--data {name} has crops of one size, --image-size, got {settings.size}.")
    height, width = settings.size or (CROPPED, CROPPED)
    if max(height, width) > SIDE:
        raise UserError(f"--image-size of {name} takes crops of at most {SIDE} pixels a side, got {height}x{width}.")
    return height, width


def _coloured(name: str, settings: Settings) -> UInt8[np.ndarray, "h w c"]:
    """The photograph in colour, or grey as Pillow's "L" is: ITU-R BT.601."""
    colours = photograph(name)
    if settings.channels != 1:
        return colours
    return np.round(colours @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]


def _crops(picture: UInt8[np.ndarray, "h w c"], number: int, height: int, width: int) -> UInt8[np.ndarray, "n m k c"]:
    """Crops at different places, drawn by the photograph's number: always the same."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (height, width), axis=(0, 1))  # [down, across, c, m, k]
    down, across = windows.shape[:2]
    rows, columns = np.divmod(_drawn(down * across, number), across)
    return np.ascontiguousarray(windows[rows, columns].transpose(0, 2, 3, 1))


@functools.cache
def _drawn(places: int, number: int) -> Int[np.ndarray, " n"]:
    words = np.random.Philox(key=np.array([places, number], np.uint64)).random_raw(places)
    return np.argsort(words, kind="stable")[:CROPS]


def _tiles(picture: UInt8[np.ndarray, "h w c"], height: int, width: int) -> UInt8[np.ndarray, "n m k c"]:
    """Crops side by side, without a pixel in common, from the top left."""
    down, across = picture.shape[0] // height, picture.shape[1] // width
    whole = picture[: down * height, : across * width]
    return whole.reshape(down, height, across, width, -1).swapaxes(1, 2).reshape(-1, height, width, picture.shape[-1])
