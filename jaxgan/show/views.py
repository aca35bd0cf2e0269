"""Voxels as shaded pictures, each seen along an axis.

Voxels `[d, h, w]` lie along z, y and x as in glTF: z from the back to the front, y from the floor up, x to the right.
"""

import numpy as np
from jaxtyping import Float, UInt8

from jaxgan.show.layout import TILE, beside, magnify

FULL = 127.5  # a voxel above this is seen
_LIGHT = np.array([-1.0, -0.9, -0.6])  # towards the lamp, as depth, row and column: from the viewer, above, the left
_AMBIENT = 0.3
_FADE = 0.45  # of the brightness, lost at the far end


def picture(voxels: UInt8[np.ndarray, "d h w"]) -> UInt8[np.ndarray, "height width 1"]:
    """From the front, from the right and from above, in a row."""
    front = voxels[::-1, ::-1, :]
    right = voxels.transpose(2, 1, 0)[::-1, ::-1, ::-1]
    above = voxels.transpose(1, 0, 2)[::-1]
    return beside([magnify(shaded(np.ascontiguousarray(seen)), TILE) for seen in (front, right, above)])


def shaded(voxels: UInt8[np.ndarray, "depth h w"]) -> UInt8[np.ndarray, "h w 1"]:
    """The first full voxel along the first axis, darker where it lies deeper or turns from the lamp; white without one.

    Light falls by Lambert's law on normals that are the slope of the smoothed voxels.
    """
    full = voxels > FULL
    depth = full.argmax(axis=0)
    normals = np.stack([np.take_along_axis(slope, depth[None], axis=0)[0] for slope in _slopes(full)], axis=-1)
    lengths = np.linalg.norm(normals, axis=-1)
    lit = np.maximum(0.0, normals @ _LIGHT) / np.maximum(lengths * np.linalg.norm(_LIGHT), 1e-6)
    light = (_AMBIENT + (1.0 - _AMBIENT) * lit) * (1.0 - _FADE * depth / len(voxels))
    return np.where(full.any(axis=0), np.round(235.0 * light), 255.0).astype(np.uint8)[..., None]


def _slopes(full: np.ndarray) -> list[Float[np.ndarray, "depth h w"]]:
    """How fast the smoothed voxels fall along each axis: the outward normals at the surface that is seen."""
    smooth = np.pad(full.astype(np.float32), 2)
    for axis in range(3):
        smooth = (np.roll(smooth, 1, axis) + 2.0 * smooth + np.roll(smooth, -1, axis)) / 4.0
    # along the first axis from the voxel before: at both sides of a thin plate differences would cancel
    before = -np.diff(smooth, axis=0)[1:-2, 2:-2, 2:-2]
    return [before, *(-np.gradient(smooth, axis=axis)[2:-2, 2:-2, 2:-2] for axis in (1, 2))]
