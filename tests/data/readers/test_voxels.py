"""Oracles: the arrays that were saved; `.binvox` written here voxel by voxel from the format's description."""

import importlib.util

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data.readers import binvox, meshes, voxels
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

NEEDS = Needs({"voxels": "voxels", "label": "label?"})
GRID = np.random.default_rng(0).integers(0, 2, (2, 3, 4)).astype(bool)


def load(path, **options):
    return data.load(str(path), needs=NEEDS, **options)


def first(loaded):
    return data.resident(loaded, loaded.spec)[0]["voxels"][0]


@pytest.mark.parametrize(
    ("grid", "expected", "note"),
    [
        (GRID, GRID * 255, "voxels: false and true taken as 0 and 255"),
        (GRID.astype(np.uint8), GRID * 255, "voxels: 0 and 1 taken as 0 and 255"),
        (GRID.astype(np.int64) * 200, GRID * 200, "voxels: int64 stored as uint8"),
        (GRID * np.float32(0.4), GRID * 102, r"voxels: float32 taken as 0 \(none\) to 1 \(all\)"),
    ],
)
def test_npy(tmp_path, grid, expected, note):
    np.save(tmp_path / "a.npy", grid)
    loaded = load(tmp_path)
    assert loaded.spec == {"voxels": Field("voxels", (2, 3, 4))}
    np.testing.assert_array_equal(first(loaded), expected)
    with pytest.raises(AssertionError, match=note):
        raise AssertionError(loaded.description)


def test_one_file_of_all_grids(tmp_path):
    grids = np.stack([GRID, ~GRID])
    np.save(tmp_path / "a.npy", grids)
    np.savez(tmp_path / "a.npz", chairs=grids)
    for name in ("a.npy", "a.npz"):
        np.testing.assert_array_equal(
            np.stack([load(tmp_path / name).tables[0].source[i]["voxels"] for i in (0, 1)]), grids * 255
        )


def as_binvox(grid):
    """Axes [z, y, x] of the array; y runs fastest in the file, then z, then x."""
    depth, height, width = grid.shape
    runs = bytearray()
    for x in range(width):
        for z in range(depth):
            for y in range(height):
                runs += bytes([int(grid[z, y, x]), 1])
    head = f"#binvox 1\ndim {width} {depth} {height}\ntranslate 0 0 0\nscale 1\ndata\n"
    return head.encode() + bytes(runs)


def test_binvox(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    (tmp_path / "x/1.binvox").write_bytes(as_binvox(GRID))
    np.save(tmp_path / "y/1.npy", GRID)
    loaded = load(tmp_path)
    assert loaded.spec["label"] == fields.label(("x", "y"))
    (arrays,) = data.resident(loaded, loaded.spec)
    np.testing.assert_array_equal(arrays["voxels"], np.stack([GRID, GRID]) * 255)


def test_runs_are_unrolled():
    head = b"#binvox 1\ndim 2 2 2\ndata\n"
    assert binvox.parse(head + bytes([0, 3, 1, 5])).sum() == 5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello", "not a .binvox file"),
        (b"#binvox 1\ndata\n", "its header has no three sides"),
        (b"#binvox 1\ndim 2 2\ndata\n", "its header has no three sides"),
        (b"#binvox 1\ndim 2 2 99999\ndata\n", "its sides must be 1 to 1024 voxels, got 2 2 99999"),
        (as_binvox(GRID)[:-2], "it should hold 24 voxels and holds 23"),
    ],
)
def test_damaged_binvox(tmp_path, content, reason):
    (tmp_path / "a.binvox").write_bytes(content)
    with pytest.raises(UserError, match=rf"1 of 1 grids in .* a.binvox \(.*{reason}"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("grids", "message"),
    [
        ([GRID, GRID[:1]], "must have grids of one size: 0.npy has 2 x 3 x 4, 1.npy has 1 x 3 x 4"),
        ([GRID[0]], r"0.npy \(it should hold one grid of numbers \[d, h, w\], not bool \[3, 4\]"),
        ([GRID * 1000], "is int64, from 0 to 1000; it takes false and true, whole numbers from 0 to 255, or fractions"),
        ([GRID * np.nan], "is float64, not finite; it takes"),
    ],
)
def test_grids_that_do_not_fit_are_one_sentence(tmp_path, grids, message):
    for number, grid in enumerate(grids):
        np.save(tmp_path / f"{number}.npy", grid)
    with pytest.raises(UserError, match=message):
        load(tmp_path)


def test_no_voxels(tmp_path):
    with pytest.raises(UserError, match=r"holds no voxels: none of its files ends in .binvox, "):
        load(tmp_path)


BOX = """OFF
8 12 0
0 0 0
4 0 0
4 2 0
0 2 0
0 0 1
4 0 1
4 2 1
0 2 1
3 0 2 1
3 0 3 2
3 4 5 6
3 4 6 7
3 0 1 5
3 0 5 4
3 1 2 6
3 1 6 5
3 2 3 7
3 2 7 6
3 3 0 4
3 3 4 7
"""


def test_meshes_take_an_extra(tmp_path, monkeypatch):
    (tmp_path / "a.off").write_text(BOX)
    monkeypatch.setattr(meshes.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"holds meshes, which take the extra 'meshes' \(pip install '\.\[meshes\]'"):
        load(tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("trimesh") is None, reason="takes the extra 'meshes'")
def test_a_box_is_a_box(tmp_path):
    """4 x 2 x 1 in x, y, z: its grid is filled, as wide, high and deep, within a voxel at each side."""
    (tmp_path / "a.off").write_text(BOX)
    loaded = load(tmp_path, image_size=16)
    grid = first(loaded)
    assert grid.shape == (16, 16, 16)
    sides = [np.ptp(np.nonzero(grid)[axis]) + 1 for axis in range(3)]
    assert np.abs(np.array(sides) - np.array([4, 8, 16])).max() <= 1
    assert (grid > 0).sum() == np.prod(sides)  # no hole inside
    (tmp_path / "b.off").write_text("OFF\n0 0 0\n")
    with pytest.raises(UserError, match=r"1 of 2 grids in .* b.off \("):
        load(tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("trimesh") is None, reason="takes the extra 'meshes'")
@pytest.mark.parametrize("corner", ["0 0 0", "nan 0 0"])
def test_a_mesh_without_extent_is_one_sentence(tmp_path, corner):
    (tmp_path / "a.obj").write_text(f"v {corner}\nv {corner}\nv {corner}\nf 1 2 3\n")
    with pytest.raises(UserError, match=r"1 of 1 grids in .* a.obj \(it has no surface\)\.$"):
        load(tmp_path)


@pytest.mark.parametrize(("bytes_in_memory", "times"), [(10**6, 1), (100, 2)])
def test_files_are_read_once_where_all_fit_into_memory(tmp_path, monkeypatch, bytes_in_memory, times):
    """Else once to look and once to convert. Oracle: how often they are opened."""
    monkeypatch.setattr("jaxgan.data.encoded.IN_MEMORY_BYTES", bytes_in_memory)
    opened = []
    read = voxels._read
    monkeypatch.setattr(voxels, "_read", lambda tree, path, side: opened.append(path.name) or read(tree, path, side))
    for name, grid in (("a", GRID), ("b", ~GRID)):
        np.save(tmp_path / f"{name}.npy", grid.astype(np.float64))
    examples = load(tmp_path).tables[0].source
    for i, grid in enumerate((GRID, ~GRID)):
        np.testing.assert_array_equal(examples[i]["voxels"], grid * 255)
    assert sorted(opened) == sorted(["a.npy", "b.npy"] * times)
