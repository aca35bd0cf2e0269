"""Maps of the parts of a photographed thing: a class for each pixel, by a rule that sees nothing but the picture.

The thing lies on black. Its rim is one pixel wide; what an opening by a square (Serra 1982, "Image Analysis and
Mathematical Morphology") takes away is narrow: sleeves, straps, heels; and of the rest, what differs much from the
thing's own median is dark or light. A map so says shapes and patterns, and not how bright the thing is: one map has
many pictures. The same rule reads a made picture again, which can then be compared with the map it was made from.
"""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int32, UInt8

from jaxgan.made.outlines import NEIGHBOURS, shifted, smooth

PARTS = ("ground", "rim", "narrow", "cloth", "dark", "light")
_GROUND, _RIM, _NARROW, _CLOTH, _DARK, _LIGHT = range(len(PARTS))
_BLACK = 20.0  # grey levels, of the smoothed picture: what is no brighter is ground
_TONE = 30.0  # grey levels from the thing's median
_REACH = 3  # pixels: half the width of what is no longer narrow


def parts(images: UInt8[np.ndarray, "n h w c"]) -> Int32[np.ndarray, "n h w"]:
    """The part that each pixel belongs to: its place in `PARTS`.

    Args:
        images: 0..255, things on black; of colour pictures, the mean of the channels counts.
    """
    grey = smooth(images.mean(-1, dtype=np.float32))
    thing = grey > _BLACK
    inner = _grown(thing, "less", 1)
    wide = _grown(_grown(thing, "less", _REACH), "more", _REACH)
    difference = grey - _medians(grey, thing)[:, None, None]
    cloth = np.where(wide, _CLOTH, _NARROW)
    toned = np.where(difference < -_TONE, _DARK, np.where(difference > _TONE, _LIGHT, cloth))
    return np.where(inner, toned, np.where(thing, _RIM, _GROUND)).astype(np.int32)


def _medians(grey: Float[np.ndarray, "n h w"], thing: Bool[np.ndarray, "n h w"]) -> Float[np.ndarray, " n"]:
    """The median brightness of each thing; 0 where there is none."""
    found = [np.median(each[where]) if where.any() else 0.0 for each, where in zip(grey, thing, strict=True)]
    return np.array(found, np.float32)


def _grown(area: Bool[np.ndarray, "n h w"], way: Literal["more", "less"], pixels: int) -> Bool[np.ndarray, "n h w"]:
    """An area that has grown or shrunk by so many pixels in all eight directions."""
    join = np.logical_or if way == "more" else np.logical_and
    for _ in range(pixels):
        area = join.reduce([shifted(area, *step) for step in NEIGHBOURS])
    return area
