"""Putting tiles beside each other: magnified, centred, with as many channels as their neighbours."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

GAP = 2  # pixels between tiles
TILE = 56  # smaller tiles are magnified by a whole number up to about this many pixels


def magnify(tile: UInt8[np.ndarray, "h w c"], side: int) -> UInt8[np.ndarray, "height width c"]:
    """A tile whose pixels are repeated, up to about `side` pixels."""
    scale = max(1, side // max(tile.shape[:2]))
    return tile.repeat(scale, axis=0).repeat(scale, axis=1)


def centre(tile: UInt8[np.ndarray, "h w c"], height: int, width: int) -> UInt8[np.ndarray, "height width c"]:
    """A tile in the middle of a white one."""
    canvas = np.full((height, width, tile.shape[-1]), 255, np.uint8)
    y, x = (height - tile.shape[0]) // 2, (width - tile.shape[1]) // 2
    canvas[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return canvas


def opaque(tile: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    """Three channels from any: colour as it is, alpha over white, else the first channel as grey."""
    if tile.shape[-1] == 4:
        alpha = tile[..., 3:] / 255.0
        return np.round(tile[..., :3] * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8)
    return tile if tile.shape[-1] == 3 else tile[..., :1].repeat(3, axis=-1)


def alike(tiles: Sequence[UInt8[np.ndarray, "_ _ _"]]) -> list[UInt8[np.ndarray, "_ _ _"]]:
    """Tiles with the same number of channels: their own where it is one, else three."""
    return list(tiles) if len({tile.shape[-1] for tile in tiles}) < 2 else [opaque(tile) for tile in tiles]


def beside(tiles: Sequence[UInt8[np.ndarray, "_ _ _"]]) -> UInt8[np.ndarray, "height width c"]:
    """Tiles in one row, each in the middle of its height, with white gaps between them."""
    height = max(tile.shape[0] for tile in tiles)
    gap = np.full((height, GAP, alike(tiles)[0].shape[-1]), 255, np.uint8)
    parts = [part for tile in alike(tiles) for part in (gap, centre(tile, height, tile.shape[1]))]
    return np.concatenate(parts[1:], axis=1)
