"""Colours that can be told apart, for the classes of label maps and for curves."""

import functools

import numpy as np
from jaxtyping import Float, UInt8

COLOURS = 256
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # IEC 61966-2-1


@functools.cache
def palette() -> UInt8[np.ndarray, "256 3"]:
    """256 colours of which each is as far as can be from all before it; the first is black, none is white.

    A class has its colour whatever the number of classes. The distance is CIELAB's. After Glasbey, van der Heijden,
    Toh and Gray, "Colour displays for categorical images" (2007), on a lattice of 16 levels a channel.
    """
    levels = np.arange(0, 256, 17)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.uint8)
    lab = to_lab(colours)
    chosen = [0]
    nearest = np.minimum(_distance(lab, lab[0]), _distance(lab, lab[-1]))  # white is the paper
    while len(chosen) < COLOURS:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _distance(lab, lab[chosen[-1]]))
    return colours[chosen]


def to_lab(colours: UInt8[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """CIE 1976 L*a*b* of sRGB colours, for the white point D65."""
    share = colours / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _TO_XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _distance(colours: Float[np.ndarray, "n 3"], one: Float[np.ndarray, "3"]) -> Float[np.ndarray, " n"]:
    return np.linalg.norm(colours - one, axis=-1)
