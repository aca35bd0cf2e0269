"""Numbers in a row as curves."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.show.palette import COLOURS, palette
from jaxgan.show.text import font

WIDTH, HEIGHT = 160, 80
_EDGE = 12  # pixels above and below, for the greatest and the smallest value in letters
_SMALL = 10


def picture(vector: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    """A vector [t] as one curve, [t, ...] as one a column, between its own least and greatest value.

    Both values are written; a grey line is zero. What is not finite is left out.
    """
    from PIL import Image, ImageDraw

    columns = np.atleast_1d(vector).reshape(len(np.atleast_1d(vector)), -1).T
    finite = columns[np.isfinite(columns)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(page)
    if low <= 0.0 <= high:
        draw.line([(0, _row(0.0, low, high)), (WIDTH, _row(0.0, low, high))], fill=(200, 200, 200))
    for i, column in enumerate(columns):
        _draw(draw, column, low, high, tuple(int(part) for part in palette()[i % COLOURS]))
    draw.text((1, 0), f"{high:.4g}", (110, 110, 110), font(_SMALL))
    draw.text((1, HEIGHT - _EDGE), f"{low:.4g}", (110, 110, 110), font(_SMALL))
    return np.asarray(page)


def _row(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return HEIGHT - 1 - _EDGE - share * (HEIGHT - 1 - 2 * _EDGE)


def _draw(draw: Any, column: np.ndarray, low: float, high: float, colour: tuple[int, ...]) -> None:
    step = (WIDTH - 5) / max(1, len(column) - 1)
    points = [(2 + i * step, _row(float(y), low, high)) for i, y in enumerate(column) if np.isfinite(y)]
    if len(points) > 1:
        draw.line(points, fill=colour)
    elif points:
        (x, y), *_ = points
        draw.ellipse([x - 1, y - 1, x + 1, y + 1], fill=colour)
