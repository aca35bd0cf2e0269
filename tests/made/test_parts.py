import numpy as np

from jaxgan import data, fields
from jaxgan.data import bundles
from jaxgan.made.parts import PARTS, parts
from jaxgan.recipes import pix2pix, spade


def _thing():
    """A bright square with a strap, a dark and a light patch, on black; flat, so that smoothing moves little."""
    image = np.zeros((1, 40, 40, 1), np.uint8)
    image[:, 10:30, 8:32] = 150
    image[:, 2:10, 18:21] = 150
    image[:, 14:20, 11:17] = 60
    image[:, 20:26, 22:28] = 250
    return image


# Oracle: by hand, away from borders, which smoothing moves by a pixel.
def test_every_part_of_a_thing():
    made = parts(_thing())
    assert made.dtype == np.int32
    at = {"ground": (35, 20), "cloth": (24, 14), "dark": (17, 14), "light": (23, 25), "narrow": (5, 19)}
    assert {name: PARTS[made[0][place]] for name, place in at.items()} == {name: name for name in at}
    thing = made[0] > 0
    inner = thing[1:-1, 1:-1].copy()
    for row in range(3):
        for column in range(3):
            inner &= thing[row : row + 38, column : column + 38]
    np.testing.assert_array_equal((made[0] == PARTS.index("rim"))[1:-1, 1:-1], thing[1:-1, 1:-1] & ~inner)


# Oracle: the definition: thresholds are counted from the thing's own median.
def test_a_thing_that_is_brighter_as_a_whole_has_the_same_inner_parts():
    image = _thing()
    brighter = np.where(image > 0, image - 30, 0).astype(np.uint8)
    inside = np.s_[0, 12:28, 10:30]  # what no border touches
    np.testing.assert_array_equal(parts(image)[inside], parts(brighter)[inside])
    assert len(np.unique(parts(image)[inside])) == 3


def test_every_picture_by_itself_and_black_ones_are_ground():
    image = np.concatenate([_thing(), _thing()[:, ::-1], np.zeros((1, 40, 40, 1), np.uint8)])
    made = parts(image)
    np.testing.assert_array_equal(made[:1], parts(image[:1]))
    np.testing.assert_array_equal(made[1], made[0, ::-1])
    assert not made[2].any()
    assert parts(image[:0]).shape == (0, 40, 40)


# Oracle: the definition: a colour counts by the mean of its channels.
def test_colours_count_by_their_mean():
    np.testing.assert_array_equal(parts(_thing().repeat(3, axis=-1)), parts(_thing()))


def test_the_bundled_set_suits_both_translators(fashion):
    (columns,) = data.resident(fashion, fashion.spec)
    pixels = {"image": columns["image"][:300]}
    found = bundles.fashion_parts(lambda: data.of_arrays(pixels, {"image": fashion.spec["image"]}))
    assert found.spec["source"] == fields.Field("label_map", (28, 28), PARTS)
    fields.check(found.spec, pix2pix.NEEDS)
    fields.check(found.spec, spade.NEEDS)
    (columns,) = data.resident(found, found.spec)
    np.testing.assert_array_equal(columns["target"], pixels["image"])
    np.testing.assert_array_equal(columns["source"], parts(pixels["image"]))
    assert (np.bincount(columns["source"].ravel()) > 0.003 * columns["source"].size).all()
