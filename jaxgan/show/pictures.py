"""A user's picture on its way through a translator: its pixels, and what goes around the network beside them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from jaxgan.data.decode import header, opened, upright
from jaxgan.data.spans import Span, chosen
from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.show import from_user
from jaxgan.show.replace import replaced
from jaxgan.show.sheets import write_png

MOST = 65535  # of a PNG's 16 bits


class Picture(NamedTuple):
    """A picture file as a field takes it.

    Attributes:
        stored: as the field stores it; float32 from 0 to 255 where the file has more than 8 bits.
        alpha: its opacity, if it has any that is not full.
        span: what its whole numbers of more than 8 bits call black and white.
    """

    stored: np.ndarray
    alpha: UInt8[np.ndarray, "h w"] | None = None
    span: Span | None = None


def read(option: str, field: Field, path: Path) -> Picture:
    """A picture by its file; UserError with `option` where it cannot be read or does not fit."""
    stored = from_user.READ[field.kind](option, field, str(path))
    if field.kind == "label_map":
        return Picture(stored)
    try:
        return _beside(stored, path)
    except (OSError, ValueError, UserError):  # the pixels have been read: what stands beside them may be bad
        return Picture(stored)


def _beside(stored: np.ndarray, path: Path) -> Picture:
    height, width, channels = stored.shape
    with path.open("rb") as file:
        values = header(file).values
    with path.open("rb") as file, opened(file) as image:
        picture = upright(image)
        if picture.has_transparency_data:
            alpha = picture.convert("RGBA").getchannel("A").resize((width, height))
            full = alpha.getextrema()[0] == 255
            return Picture(stored, None if full else np.asarray(alpha))
        if channels != 1 or values is None or values.form != "whole":
            return Picture(stored)
        span = chosen([values])[0].of("whole")
        share = (np.asarray(picture, np.float32) - span.black) / (span.white - span.black)
    deep = Image.fromarray(np.clip(share, 0, 1) * np.float32(255))
    sized = deep if deep.size == (width, height) else deep.resize((width, height), Image.Resampling.LANCZOS)
    return Picture(np.asarray(sized)[..., None], None, span)


def write(path: Path, made: Float[np.ndarray, "h w c"], picture: Picture) -> None:
    """Write a translation, from 0 to 255, as PNG: grey of 16 bits where the picture was, with its opacity if any."""
    span = picture.span
    if span is not None and made.shape[-1] == 1 and span.black >= 0 and span.white <= MOST:
        levels = span.black + np.clip(made[..., 0], 0, 255) / 255 * (span.white - span.black)
        with replaced(path) as temporary:
            Image.fromarray(np.rint(levels).astype(np.uint16)).save(temporary, format="PNG")
        return
    write_png(path, with_alpha(eight_bit(made), picture.alpha))


def eight_bit(made: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    """Numbers from 0 to 255 as they are stored."""
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def with_alpha(pixels: UInt8[np.ndarray, "h w c"], alpha: np.ndarray | None) -> UInt8[np.ndarray, "h w k"]:
    """The pixels, in colour with an opacity that is scaled to them, where there is one."""
    if alpha is None:
        return pixels
    height, width = pixels.shape[:2]
    scaled = np.asarray(Image.fromarray(alpha).resize((width, height), Image.Resampling.BICUBIC))
    colour = pixels if pixels.shape[-1] == 3 else np.repeat(pixels[..., :1], 3, axis=-1)
    return np.concatenate([colour, scaled[..., None]], axis=-1)
