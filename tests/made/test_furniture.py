"""Furniture drawn from parameters: one pure function, whose shapes stand, hold together and are told by their class."""

import hashlib

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.made.furniture import NAMES, furniture, furniture_spec


@pytest.fixture(scope="module")
def many():
    return furniture(0, 4000)


# Oracle: counts of the shapes themselves; the researched set of 4,000 had 1,842 distinct at occupancy 0.062.
def test_thousands_of_shapes_fill_a_sixteenth_of_the_cube(many):
    full = many.voxels == 255
    assert (full | (many.voxels == 0)).all()
    assert 0.05 < full.mean() < 0.065
    assert len({shape.tobytes() for shape in many.voxels}) > 3000
    assert np.bincount(many.label).min() > 1200


def test_mirror_images_are_equal(many):
    np.testing.assert_array_equal(many.voxels, many.voxels[..., ::-1])


@pytest.mark.parametrize(("side", "n"), [(16, 300), (32, 60), (64, 12)])
def test_every_shape_stands_on_the_floor_in_one_piece(side, n):
    """Oracle: SciPy's connected components."""
    made = furniture(3, n, side).voxels
    assert made.shape == (n, side, side, side)
    assert made[:, :, 0].any((1, 2)).all()
    assert {ndimage.label(shape)[1] for shape in made} == {1}  # pyright: ignore[reportIndexIssue]


def test_chairs_have_backs_and_tables_are_wide(many):
    """A back, the part above the middle of the height, only chairs have; in width tables exceed stools."""
    full = many.voxels > 0
    assert NAMES == ("chair", "stool", "table")
    chair, stool, table = [full[many.label == kind] for kind in range(3)]
    assert chair[:, :, 10:].any((1, 2, 3)).mean() > 0.5
    assert not stool[:, :, 10:].any()
    assert not table[:, :, 10:].any()
    assert stool.any((1, 2)).sum(1).max() <= 8
    assert table.any((1, 2)).sum(1).min() >= 10
    # Backs are at the back: nothing high is in the front half.
    assert not chair[:, 8:, 10:].any()


def test_a_shape_depends_on_seed_and_index_only():
    few, more = furniture(7, 5), furniture(7, 40)
    np.testing.assert_array_equal(few.voxels, more.voxels[:5])
    np.testing.assert_array_equal(few.label, more.label[:5])
    assert (furniture(8, 40).voxels != more.voxels).any((1, 2, 3)).mean() > 0.9
    # Larger cubes are made a part at a time: the parts meet without a seam.
    np.testing.assert_array_equal(furniture(7, 70, 64).voxels[60:], furniture(7, 80, 64).voxels[60:70])


def test_a_larger_cube_holds_the_same_furniture_finer():
    """Oracle: the coarse shape, each voxel eight; rounding moves faces by at most half a coarse voxel."""
    coarse, fine = furniture(1, 50), furniture(1, 50, 32)
    np.testing.assert_array_equal(coarse.label, fine.label)
    grown = coarse.voxels.repeat(2, 1).repeat(2, 2).repeat(2, 3) > 0
    near = np.stack([ndimage.binary_dilation(shape, iterations=2) for shape in grown])
    assert (near | (fine.voxels == 0)).mean() > 0.999


# Golden: made by this code; files and reports name sets by their seed, so no later version may draw others.
def test_the_stream_is_kept():
    made = furniture(2024, 64)
    digest = hashlib.sha256(made.voxels.tobytes() + made.label.astype("<i4").tobytes()).hexdigest()
    assert digest[:16] == "dcbd207f26b46ebe"


def test_the_spec_describes_what_is_made():
    made, spec = furniture(0, 2), furniture_spec(16)
    for name, field in spec.items():
        stored = getattr(made, name)
        assert stored.dtype == field.dtype
        assert stored.shape == (2, *field.fixed)
    assert fields.classes(spec) == 3
    assert float(spec["voxels"].inside(jnp.asarray(made.voxels)).max()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((-1, 1), "seed .* got -1"),
        ((0, 0), "at least 1 shape, got 0"),
        ((0, 1, 8), "side .* got 8"),
        ((0, 1, 17), "got 17"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        furniture(*arguments)
