"""Many tiles in one picture: grids of alike ones, sheets with an example in each row."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.fields import Spec
from jaxgan.show import text
from jaxgan.show.layout import GAP, TILE, alike, centre, magnify, opaque
from jaxgan.show.replace import replaced
from jaxgan.show.tiles import tiles

_TINT = np.array([230.0, 30.0, 60.0])
_COVER = 0.55  # of the image's colour that a full mask takes


def grid(
    pictures: Sequence[UInt8[np.ndarray, "_ _ _"]] | UInt8[np.ndarray, "n h w c"], columns: int
) -> UInt8[np.ndarray, "height width c"]:
    """Tiles in rows of `columns`, with white gaps; small ones magnified by a whole number, each in its place's middle.

    One tile or more.
    """
    shown = alike([magnify(each, TILE) for each in pictures])
    h, w = (max(each.shape[axis] for each in shown) for axis in (0, 1))
    rows = -(-len(shown) // columns)
    canvas = np.full((rows * (h + GAP) + GAP, columns * (w + GAP) + GAP, shown[0].shape[-1]), 255, np.uint8)
    for i, each in enumerate(shown):
        y, x = GAP + i // columns * (h + GAP), GAP + i % columns * (w + GAP)
        canvas[y : y + h, x : x + w] = centre(each, h, w)
    return canvas


def sheet(
    rows: Sequence[Sequence[UInt8[np.ndarray, "_ _ _"]]], heads: Sequence[str]
) -> UInt8[np.ndarray, "height width c"]:
    """An example in each row: a column has its head in letters at the top, and is as wide as its widest tile.

    Args:
        rows: one or more, each with one tile a column.
        heads: what the columns show, from left to right.

    Returns:
        The picture; small tiles are magnified by a whole number, and each is centred in its place.
    """
    lines = [[text.picture(head) for head in heads], *([magnify(each, TILE) for each in row] for row in rows)]
    flat = alike([each for line in lines for each in line])
    lines = [flat[i : i + len(heads)] for i in range(0, len(flat), len(heads))]
    widths = [max(line[i].shape[1] for line in lines) for i in range(len(heads))]
    strips = [_strip(line, widths) for line in lines]
    gap = np.full((GAP, *strips[0].shape[1:]), 255, np.uint8)
    return np.concatenate([gap, *(part for strip in strips for part in (strip, gap))])


def near_square(
    rows: Sequence[Sequence[UInt8[np.ndarray, "_ _ _"]]], heads: Sequence[str]
) -> UInt8[np.ndarray, "height width c"]:
    """A `sheet` with several examples in each row where there are many of few columns; it is read row by row."""
    beside = max(1, round((len(rows) / len(heads)) ** 0.5))
    blank = [np.full((1, 1, 1), 255, np.uint8)] * len(heads)
    filled = [*rows, *[blank] * (-len(rows) % beside)]
    joined = [[tile for row in filled[i : i + beside] for tile in row] for i in range(0, len(filled), beside)]
    return sheet(joined, [*heads] * beside)


def _strip(line: Sequence[np.ndarray], widths: Sequence[int]) -> UInt8[np.ndarray, "h w c"]:
    height = max(each.shape[0] for each in line)
    gap = np.full((height, GAP, line[0].shape[-1]), 255, np.uint8)
    places = [centre(each, height, width) for each, width in zip(line, widths, strict=True)]
    return np.concatenate([gap, *(part for place in places for part in (place, gap))], axis=1)


def compare(parts: Mapping[str, tuple[Spec, Mapping[str, Any]]]) -> UInt8[np.ndarray, "height width c"]:
    """A sheet of the same examples in several parts, such as given, made and truth.

    A mask beside one image of its size in the same part is laid over that image.

    Args:
        parts: name of a part to the spec of its fields and a batch {name: stored [n, ...]} of one or more.

    Returns:
        The picture: one row an example, one column a field, headed "part: field".
    """
    heads = [f"{part}: {name}" if part else name for part, (spec, _) in parts.items() for name in spec]
    columns = [column for spec, batch in parts.values() for column in _columns(spec, batch)]
    return sheet(list(zip(*columns, strict=True)), heads)


def _columns(spec: Spec, batch: Mapping[str, Any]) -> Iterator[list[np.ndarray]]:
    for name, field in spec.items():
        column = tiles(field, batch[name])
        under = _image_under(name, spec, batch)
        if under is not None:
            images = tiles(spec[under], batch[under])
            column = [overlay(image, mask) for image, mask in zip(images, column, strict=True)]
        yield column


def _image_under(name: str, spec: Spec, batch: Mapping[str, Any]) -> str | None:
    """The one image of the same height and width as this mask."""
    size = np.shape(batch[name])[1:3]
    found = [each for each in spec if spec[each].kind == "image" and np.shape(batch[each])[1:3] == size]
    return found[0] if spec[name].kind == "mask" and len(found) == 1 else None


def overlay(image: UInt8[np.ndarray, "h w c"], mask: UInt8[np.ndarray, "h w 1"]) -> UInt8[np.ndarray, "h w 3"]:
    """An image that is red where its mask is full."""
    cover = _COVER * mask / 255.0
    return np.round(opaque(image) * (1.0 - cover) + _TINT * cover).astype(np.uint8)


def write_png(path: Path, image: UInt8[np.ndarray, "h w c"]) -> None:
    """Write an image as PNG: grey from one channel, colour from three, alpha from four; of others the first."""
    from PIL import Image

    shown = image if image.shape[-1] in (3, 4) else image[..., 0]
    with replaced(path) as temporary:
        Image.fromarray(shown).save(temporary, format="PNG")


def columns_of(n: int, classes: int) -> int:
    """Columns of a grid, about as many as rows; where classes are few, as many for each of them as for the others.

    Classes come in turn, so that those of column i are all of class i % classes.
    """
    side = max(1, round(n**0.5))
    return classes * max(1, round(side / classes)) if 1 < classes <= 20 else side
