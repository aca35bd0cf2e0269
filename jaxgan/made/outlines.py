"""Drawings and negatives of photographs: pairs and second domains for translators, made from any set of pictures.

Edges are Canny's (1986, "A Computational Approach to Edge Detection"): a smoothed picture's gradient, thinned to its
ridges, and of those the strong ones with all weak ones that touch them. Smoothing and thresholds leave out texture.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8

_WEAK, _STRONG = 45.0, 80.0  # grey levels over two pixels, after the square root
_GROWTH = 8  # pixels that a weak edge reaches from a strong one
_PART = 64  # pictures
_INK, _PAPER = 0, 255
_DARK = 3  # times as dark as the picture is a blackboard
NEIGHBOURS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))


def outlines(images: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n h w 1"]:
    """Black lines on white paper where the pictures have edges.

    Args:
        images: 0..255; of colour pictures, the mean of the channels is drawn.

    Returns:
        0 on lines, 255 elsewhere.
    """
    return np.where(edges(images), _INK, _PAPER).astype(np.uint8)[..., None]


def negatives(images: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n h w c"]:
    """Dark made bright and bright dark, with white lines along the edges: a second domain, as CoGAN's of digits.

    `255 - negatives(images)` is the picture with black lines, which a classifier of the pictures still names.

    Args:
        images: 0..255.
    """
    return np.where(edges(images)[..., None], np.uint8(255), 255 - images)


def chalk(images: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n h w c"]:
    """Pictures in the dark, at a third of their brightness, with white lines along the edges: chalk on a blackboard.

    Args:
        images: 0..255.
    """
    return np.where(edges(images)[..., None], np.uint8(255), images // _DARK)


def edges(images: UInt8[np.ndarray, "n h w c"]) -> Bool[np.ndarray, "n h w"]:
    """Where the pictures have edges, one pixel or two wide.

    Args:
        images: 0..255.
    """
    # In parts that a processor's cache holds.
    parts = [_edges(images[start : start + _PART]) for start in range(0, len(images), _PART)]
    return np.concatenate(parts) if parts else np.zeros(images.shape[:3], bool)


def _edges(images: UInt8[np.ndarray, "n h w c"]) -> Bool[np.ndarray, "n h w"]:
    # The square root, as of an eye: a dark thing on black has an edge, a bright one's folds have none.
    grey = np.sqrt(255 * images.mean(-1, dtype=np.float32))
    down, across = _gradient(smooth(grey))
    size = np.hypot(down, across)
    ridge = _ridges(size, down, across)
    return _touching(ridge & (size > _STRONG), ridge & (size > _WEAK))


def shifted(x: np.ndarray, row: int, column: int) -> np.ndarray:
    """What each pixel's neighbour is; outside the picture, the edge's."""
    height, width = x.shape[1:]
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)], mode="edge")
    return padded[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]


def smooth(x: Float[np.ndarray, "n h w"]) -> Float[np.ndarray, "n h w"]:
    """Each pixel's mean with its neighbours, weights 1, 2, 1 along both axes."""
    x = (shifted(x, -1, 0) + 2 * x + shifted(x, 1, 0)) / 4
    return (shifted(x, 0, -1) + 2 * x + shifted(x, 0, 1)) / 4


def _gradient(x: Float[np.ndarray, "n h w"]) -> tuple[Float[np.ndarray, "n h w"], Float[np.ndarray, "n h w"]]:
    """Down and across, in grey levels over two pixels (Sobel's)."""
    rows, columns = np.zeros_like(x), np.zeros_like(x)
    for side, weight in ((-1, 0.25), (0, 0.5), (1, 0.25)):
        rows += weight * (shifted(x, 1, side) - shifted(x, -1, side))
        columns += weight * (shifted(x, side, 1) - shifted(x, side, -1))
    return rows, columns


def _ridges(size: np.ndarray, down: np.ndarray, across: np.ndarray) -> Bool[np.ndarray, "n h w"]:
    """Where the gradient is at least as large as at the two neighbours that it points to and comes from."""
    ridge = np.zeros(size.shape, bool)
    eighth = np.rint(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    for direction, (row, column) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        top = (size >= shifted(size, row, column)) & (size > shifted(size, -row, -column))
        ridge |= (eighth == direction) & top
    return ridge


def _touching(strong: Bool[np.ndarray, "n h w"], weak: Bool[np.ndarray, "n h w"]) -> Bool[np.ndarray, "n h w"]:
    """The strong pixels and the weak ones that a chain of weak ones of limited length joins to them."""
    for _ in range(_GROWTH):
        strong = strong | weak & np.logical_or.reduce([shifted(strong, *step) for step in NEIGHBOURS])
    return strong
