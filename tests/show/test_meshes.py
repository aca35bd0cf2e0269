"""Surfaces of voxels. Oracle: trimesh reads the file, and a box's sides, place and volume are known."""

import sys

import numpy as np
import pytest
import trimesh

from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.show.meshes import ENDINGS, write_mesh

FIELD = Field("voxels", (12, 10, 8))


def box():
    voxels = np.zeros((12, 10, 8), np.uint8)
    voxels[6:12, 5:9, 1:3] = 255  # touches the front of the grid
    return voxels


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_box_is_read_back(tmp_path, ending):
    write_mesh(tmp_path / f"x{ending.upper()}", FIELD, box())
    (path,) = tmp_path.iterdir()
    mesh = trimesh.load(path, force="mesh", file_type=ending[1:])
    assert mesh.is_watertight
    # x, y and z along w, h and d, from the grid's middle, in units of its longest side; half full lies at voxels' sides
    expected = (np.array([[1, 5, 6], [3, 9, 12]]) - [4, 5, 6]) / 12
    np.testing.assert_allclose(mesh.bounds, expected, atol=1e-6)
    assert 0.8 < mesh.volume / (2 * 4 * 6 / 12**3) < 1  # faces look outward, edges are cut


def test_half_full_is_the_surface():
    from jaxgan.show.meshes import surface

    voxels = np.zeros((6, 6, 6), np.uint8)
    voxels[2:4, 2:4, 2:4] = 255
    voxels[2:4, 2:4, 4] = 51  # less than half: the surface comes nearer, it does not pass
    # from 255 to 51 the level 127.5 is passed at (255 - 127.5) / 204 of the way from the voxel 3 to the voxel 4
    assert surface(voxels).bounds[1, 0] * 6 + 2.5 == pytest.approx(3 + 127.5 / 204)


def test_nothing_is_no_surface(tmp_path):
    with pytest.raises(UserError, match=r"x\.glb would be empty: no voxel is above 127\.5 of 255"):
        write_mesh(tmp_path / "x.glb", FIELD, np.full((12, 10, 8), 127, np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["trimesh", "skimage"])
def test_a_missing_library_is_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=r"\.glb, \.obj, \.stl files need the extra 'meshes' \(pip install"):
        write_mesh(tmp_path / "x.obj", FIELD, box())
