"""Triangle meshes as voxels, through the optional package `trimesh`."""

import importlib.util
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.data.settings import File
from jaxgan.errors import UserError

ENDINGS = frozenset({".off", ".obj", ".stl", ".ply", ".glb"})
SIDE = 32
"""Voxels a side unless asked for otherwise."""


def check_installed(name: str) -> None:
    """Raises UserError where `trimesh` is missing."""
    if importlib.util.find_spec("trimesh") is None:
        raise UserError(
            f"--data {name} holds meshes, which take the extra 'meshes' (pip install '.[meshes]' in jaxgan's checkout)."
        )


def voxels(file: File, ending: str, side: int) -> UInt8[np.ndarray, "d h w"]:
    """Returns a mesh as 0 and 1 on a grid [z, y, x] of `side` voxels: scaled to fit, centred, its inside filled.

    The surface is made of voxels first, and what it encloses is filled: a mesh with holes keeps its shell alone.

    Args:
      file: of the mesh.
      ending: of its name, ".off" for instance.
      side: voxels a side.

    Raises:
      UserError: if it has no surface.
    """
    import trimesh

    mesh: Any = trimesh.load(file, file_type=ending[1:], force="mesh")
    if not len(getattr(mesh, "faces", ())) or not mesh.extents.max() > 0:  # nor one of numbers that are none
        raise UserError("it has no surface")
    pitch = float(mesh.extents.max()) / max(side - 1, 1)
    by_xyz = np.asarray(mesh.voxelized(pitch).fill().matrix)[:side, :side, :side]
    return np.ascontiguousarray(_centred(by_xyz, side).transpose(2, 1, 0)).astype(np.uint8)


def _centred(grid: np.ndarray, side: int) -> np.ndarray:
    """Returns the grid in the middle of an empty one of `side` voxels a side."""
    return np.pad(grid, [((side - each) // 2, side - each - (side - each) // 2) for each in grid.shape])
