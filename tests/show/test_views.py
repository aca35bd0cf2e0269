"""Views of voxels. Oracles: Lambert's law on a plate, and blocks whose places in each view are known."""

import numpy as np
import pytest

from jaxgan.show import views


@pytest.mark.parametrize("depth", [0, 3])
def test_a_plate_is_lit_by_lamberts_law_and_dims_with_depth(depth):
    voxels = np.zeros((12, 12, 12), np.uint8)
    voxels[depth:, 2:10, 2:10] = 128
    picture = views.shaded(voxels)[..., 0]
    cosine = 1.0 / np.sqrt(1.0 + 0.9**2 + 0.6**2)  # the plate faces the viewer
    assert abs(picture[6, 6] - 235 * (0.3 + 0.7 * cosine) * (1 - 0.45 * depth / 12)) <= 1
    assert (picture[:2] == 255).all()
    assert picture[2, 6] > picture[6, 6] > picture[9, 6]  # light comes from above
    voxels[voxels > 0] = 127
    assert (views.shaded(voxels) == 255).all()  # less than half full is not seen


def test_where_things_are_in_the_three_views():
    voxels = np.zeros((8, 8, 8), np.uint8)
    voxels[0:3, 5:8, 6:8] = 255  # at the back, above, at the right
    front, right, above = (part[..., 0] < 255 for part in np.split(_apart(views.picture(voxels)), 3, axis=1))
    assert _box(front) == (0, 3, 6, 8)
    assert _box(right) == (0, 3, 5, 8)  # seen from the right the back lies at the right
    assert _box(above) == (0, 3, 6, 8)  # and from above at the top


def _apart(picture):
    """The three views without gaps and magnification."""
    assert picture.shape == (56, 3 * 56 + 2 * 2, 1)
    return np.concatenate([picture[:, i * 58 : i * 58 + 56] for i in range(3)], axis=1)[::7, ::7]


def _box(seen):
    rows, columns = np.nonzero(seen)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_the_first_voxel_hides_those_behind():
    voxels = np.zeros((8, 8, 8), np.uint8)
    voxels[7, 2:6, 2:6] = 255
    alone = views.picture(voxels)[:, :56]
    voxels[0:3, 2:6, 2:6] = 255  # behind it
    np.testing.assert_array_equal(views.picture(voxels)[:, :56], alone)


@pytest.mark.parametrize("axis", range(3))
def test_what_is_in_front_above_or_at_the_right_is_bright(axis):
    near, far = (np.zeros((8, 8, 8), np.uint8) for _ in range(2))
    near[(slice(None),) * axis + (7,)] = far[(slice(None),) * axis + (0,)] = 255
    view = {0: 0, 1: 2, 2: 1}[axis] * 58  # from the front along d, from above along h, from the right along w
    middle = (28, view + 28, 0)
    assert views.picture(near)[middle] > views.picture(far)[middle] + 50
