"""Voxel grids, one a file: `.npy`, `.binvox`, and meshes that become grids; sub-folders are labels."""

from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from jaxgan.data import encoded, source
from jaxgan.data.readers import binvox, classes, convert, files, meshes
from jaxgan.data.settings import Settings, joined
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

ENDINGS = frozenset({".npy", ".binvox"}) | meshes.ENDINGS


class Seen(NamedTuple):
    """What is known of a grid before it is converted.

    Attributes:
      shape: of the grid.
      numbers: their type and range.
      grid: itself, where all of them fit into memory, so that no file is read twice.
    """

    shape: tuple[int, ...]
    numbers: convert.Numbers
    grid: np.ndarray | None


def _read(tree: files.Tree, path: PurePosixPath, side: int) -> np.ndarray:
    ending = path.suffix.lower()
    with tree.open(path) as file:
        if ending == ".binvox":
            return binvox.parse(file.read()).astype(np.bool_)
        if ending in meshes.ENDINGS:
            return meshes.voxels(file, ending, side).astype(np.bool_)
        grid = np.load(file, allow_pickle=False)
    if grid.ndim != 3 or grid.dtype.kind not in "biuf" or not grid.size:
        raise UserError(f"it should hold one grid of numbers [d, h, w], not {grid.dtype} {list(grid.shape)}")
    return grid


def load(tree: files.Tree, field: str, needs: Needs, settings: Settings) -> source.Data:
    """Returns the grids of a folder or zip, 0 (empty) to 255 (full).

    Axes are [depth, height, width]; of `.binvox` files and meshes those are z, y and x. An `.npy` is taken as it is.

    Args:
      tree: the files.
      field: what the needs call the grids.
      needs: what the recipe takes; whether there are labels.
      settings: the size is that of grids made of meshes.

    Raises:
      UserError: if there are none, two shapes, or naming the files that cannot be read.
    """
    found = classes.listing(tree, ENDINGS)
    if not found.paths:
        raise UserError(f"--data {tree.name} holds no voxels: none of its files ends in {', '.join(sorted(ENDINGS))}.")
    if any(path.suffix.lower() in meshes.ENDINGS for path in found.paths):
        meshes.check_installed(tree.name)
    side = settings.size[0] if isinstance(settings.size, tuple) else meshes.SIDE
    seen = _survey(tree, found, side)
    how, note = convert.shares(convert.merged([one.numbers for one in seen]), f"{field} in {tree.name}", field)

    kept = {index: one.grid for index, one in enumerate(seen) if one.grid is not None}

    def read(index: int) -> source.Example:
        grid = kept.pop(index, None)
        return {field: how(_read(tree, found.paths[index], side) if grid is None else grid)}

    spec, read_all = files.labelled(found, needs, {field: Field("voxels", seen[0].shape)}, read)
    del seen  # each grid is let go when it is converted
    grids = encoded.Encoded([str(path) for path in found.paths], read_all, spec, "grids")
    return encoded.load(grids, tree.name, joined(note, files.noted(found, needs)))


def _survey(tree: files.Tree, found: files.Listing, side: int) -> list[Seen]:
    def look(index: int) -> Seen:
        grid = _read(tree, found.paths[index], side)
        fits = grid.nbytes * len(found.paths) <= encoded.IN_MEMORY_BYTES
        return Seen(grid.shape, convert.numbers(grid), grid if fits else None)

    seen = encoded.look_at_all(look, list(map(str, found.paths)), tree.name, "grids")
    for path, one in zip(found.paths, seen, strict=True):
        if one.shape != seen[0].shape:
            shapes = [" x ".join(map(str, shape)) for shape in (seen[0].shape, one.shape)]
            raise UserError(
                f"--data {tree.name} must have grids of one size: {found.paths[0]} has {shapes[0]}, "
                f"{path} has {shapes[1]}."
            )
    return seen
