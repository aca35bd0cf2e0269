"""Voxels as surfaces, in the files that 3D programs read; needs the extra 'meshes'."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.show.replace import replaced
from jaxgan.show.views import FULL

ENDINGS = (".glb", ".obj", ".stl")


def write_mesh(path: Path, _: Field, example: np.ndarray) -> None:
    """Write the surface of voxels [d, h, w] as the path's ending asks, one of `ENDINGS`.

    Raises:
        UserError: voxels without a surface, or no library for meshes.
        OSError: a place that cannot be written to.
    """
    if not (example > FULL).any():
        raise UserError(f"{path.name} would be empty: no voxel is above {FULL:g} of 255.")
    with replaced(path) as temporary:
        surface(example).export(temporary, file_type=path.suffix.lower().removeprefix("."))


def surface(voxels: UInt8[np.ndarray, "d h w"]) -> Any:
    """The closed surface of voxels as a `trimesh.Trimesh`, by marching cubes (Lorensen and Cline 1987) at half full.

    The unit is the grid's longest side, and the grid's middle is the origin; x, y (up) and z lie along w, h and d.

    Raises:
        UserError: no library for meshes.
    """
    measure, trimesh = libraries()
    # empty voxels all around close the surface at the grid's sides
    corners, faces, *_ = measure.marching_cubes(np.pad(voxels, 1).astype(np.float32), FULL)
    middle = (np.array(voxels.shape) + 1.0) / 2.0
    # scikit-image's faces look inward in the order of the array's axes, and outward in the reversed one, x y z
    return trimesh.Trimesh(((corners - middle) / max(voxels.shape))[:, ::-1], faces)


def libraries() -> tuple[Any, Any]:
    """`skimage.measure` and `trimesh`; UserError where one is not installed."""
    try:
        import trimesh
        from skimage import measure
    except ImportError as error:
        raise UserError(
            f"{', '.join(ENDINGS)} files need the extra 'meshes' (pip install '.[meshes]' in jaxgan's checkout): "
            f"{error}."
        ) from error
    return measure, trimesh
