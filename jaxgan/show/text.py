"""Fields that are read rather than seen: their words, and the picture of a line of text."""

import functools
import textwrap
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.fields import Field
from jaxgan.show.layout import TILE

SIZE = 14  # of letters, in pixels
MARGIN = 3
LETTERS = 32  # a line
LINES = 8


def words(field: Field, example: np.ndarray) -> str:
    """The one line that says an example: the name of a label or code, the text of tokens, else a number.

    A value without a name is written as a number. Tokens stand without spaces where each name is one letter, and the
    zeros that fill up are left out.
    """
    if field.kind == "tokens":
        values = [int(value) for value in example if value]
        letters = field.names[1:] and all(len(name) == 1 for name in field.names[1:])
        text = ("" if letters else " ").join(_name(field, value) for value in values)
    elif field.kind in ("label", "code"):
        text = _name(field, int(example))
    else:
        text = str(example[()])
    return text.replace("\r", " ").replace("\n", " ")


def _name(field: Field, value: int) -> str:
    return field.names[value] if 0 <= value < len(field.names) else str(value)


def picture(text: str) -> UInt8[np.ndarray, "h w 1"]:
    """Black letters on white, broken into lines; what is too long for `LINES` of them ends with dots."""
    from PIL import Image, ImageDraw

    lines = "\n".join(textwrap.wrap(text, LETTERS, max_lines=LINES, placeholder=" ...")) or " "
    _, _, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), lines, font(SIZE))
    # as wide as a tile at least, or the letters would be magnified
    page = Image.new("L", (max(TILE, int(right) + 2 * MARGIN), int(bottom) + 2 * MARGIN), 255)
    ImageDraw.Draw(page).multiline_text((MARGIN, MARGIN), lines, 0, font(SIZE))
    return np.asarray(page)[..., None]


@functools.cache
def font(size: int) -> Any:
    """Pillow's own font."""
    from PIL import ImageFont

    return ImageFont.load_default(size=size)
