"""Tiles. Oracles: keys of KINDS, pixels placed by hand, and Lab values of another library."""

import numpy as np
import pytest

from jaxgan.fields import KINDS, Field
from jaxgan.show import curves, text
from jaxgan.show.files import FILES
from jaxgan.show.layout import opaque
from jaxgan.show.palette import palette, to_lab
from jaxgan.show.tiles import TILES, tile, tiles
from tests.show.cases import FIELDS, batch


def test_each_kind_is_seen_and_kept():
    assert set(TILES) == set(FILES) == set(KINDS) == set(FIELDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_tile_of_each_kind_is_a_picture(kind):
    shown = tiles(FIELDS[kind], batch(FIELDS[kind], 2))
    assert len(shown) == 2
    for picture in shown:
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[-1] in (1, 3)
        assert picture.min() < picture.max()  # something is on it
    assert shown[0].shape != shown[1].shape or not np.array_equal(*shown) or kind in ("label", "code")


@pytest.mark.parametrize(("channels", "shown"), [(1, 1), (2, 1), (3, 3), (4, 4), (5, 1)])
def test_an_image_is_as_it_is(channels, shown):
    field = Field("image", (6, 5, channels))
    (image,) = batch(field, 1)
    np.testing.assert_array_equal(tile(field, image), image[..., :shown])


def test_alpha_over_white():
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 51]]], np.uint8)
    assert opaque(pixels).tolist() == [[[10, 20, 30], [255, 255, 255], [204, 224, 244]]]


def test_colours_of_classes_are_far_apart():
    from skimage.color import rgb2lab

    assert palette()[0].tolist() == [0, 0, 0]
    lab = rgb2lab(palette())
    np.testing.assert_allclose(to_lab(palette()), lab, atol=0.05)  # scikit-image rounds its constants otherwise
    far = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 1000 * np.eye(256)
    assert far[:21, :21].min() > 35  # in CIELAB, where 2.3 is just noticed
    assert far[:200, :200].min() > 10
    assert np.linalg.norm(lab - [100, 0, 0], axis=-1).min() > 10  # and none is the paper's


def test_a_label_map_has_the_colour_of_each_class():
    classes = np.array([[0, 3], [199, 256 + 3]], np.int32)
    np.testing.assert_array_equal(tile(Field("label_map", (2, 2)), classes), palette()[[[0, 3], [199, 3]]])


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (Field("label", (), ("cat", "dog")), 1, "dog"),
        (Field("label"), 7, "7"),
        (Field("code", (), ("0", "1")), -1, "-1"),
        (Field("tokens", (5,), ("", "a", "bird")), [1, 2, 9, 0, 0], "a bird 9"),
        (Field("tokens", (4,), ("<pad>", "a", "b", "\n")), [2, 1, 3, 2], "ba b"),
        (Field("tokens", (2,)), [4, 0], "4"),
        (Field("number"), 0.1, "0.1"),
    ],
)
def test_words(field, value, words):
    assert text.words(field, np.asarray(value, field.dtype)) == words


def test_letters_are_black_on_white_and_long_texts_have_lines():
    short, long, longer = (text.picture(words)[..., 0] for words in ("word", "word " * 20, "word " * 1000))
    assert short[0, 0] == 255
    assert short.min() < 50
    assert text.picture("")[..., 0].min() == 255
    assert long.shape[0] > 2 * short.shape[0]
    assert longer.shape[0] < 10 * short.shape[0]
    assert longer.shape[1] < 300
    assert min(short.shape[1], text.picture("1").shape[1]) >= 56  # else a grid would magnify the letters


def test_a_curve_goes_through_its_values():
    picture = curves.picture(np.array([[0.0, 2.0], [2.0, 2.0], [4.0, 2.0]], np.float32))
    first, second = ((picture == palette()[i]).all(-1) for i in (0, 1))
    start, end = (np.flatnonzero(first[:, x]) for x in (3, 156))
    assert start.min() > end.max() + 40  # it climbs
    (level,) = set(second[:, 5:-5].nonzero()[0])
    assert abs(level - (start.mean() + end.mean()) / 2) < 2


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([1.0], (1, 3)), ([2.0, 2.0], (2, 157)), ([np.nan, np.inf], None), ([np.nan, 1.0, 3.0], (79, 157))],
)
def test_curves_of_odd_numbers(values, drawn):
    columns = (curves.picture(np.array(values, np.float32)) == palette()[0]).all(-1).any(0).nonzero()[0]
    assert (columns.min(), columns.max()) == pytest.approx(drawn, abs=1) if drawn else not columns.size


def test_a_video_is_a_strip_of_its_first_and_last_frame_and_six_between():
    frames = np.arange(15, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    strip = tile(Field("video", (15, 8, 8, 1)), frames)
    assert strip.shape == (56, 8 * 56 + 7 * 2, 1)
    assert strip[20, 20::58, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert strip[20, 56, 0] == 255
    assert tile(Field("video", (3, 8, 8, 1)), frames[:3]).shape == (56, 3 * 56 + 2 * 2, 1)
