import gzip
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxgan
from jaxgan.made.outlines import chalk, edges, negatives, outlines

BUNDLED = Path(jaxgan.__file__).parent / "data" / "bundled" / "fashion_mnist"


def _photographs(count):
    """The first bundled ones, and their classes."""
    with (
        gzip.open(BUNDLED / "t10k-images-idx3-ubyte.gz") as images,
        gzip.open(BUNDLED / "t10k-labels-idx1-ubyte.gz") as labels,
    ):
        pixels = np.frombuffer(images.read(16 + count * 28 * 28), np.uint8, offset=16)
        return pixels.reshape(-1, 28, 28, 1), np.frombuffer(labels.read(8 + count), np.uint8, offset=8)


def _square(inside=220, outside=0):
    image = np.full((1, 28, 28, 1), outside, np.uint8)
    image[:, 8:20, 6:22] = inside
    return image


def _reached(free, start):
    """Pixels that a path through `free` pixels, from neighbour to neighbour, joins to `start`."""
    seen = np.zeros_like(free)
    seen[start] = free[start]
    for _ in range(free.size):
        grown = seen.copy()
        grown[1:] |= seen[:-1]
        grown[:-1] |= seen[1:]
        grown[:, 1:] |= seen[:, :-1]
        grown[:, :-1] |= seen[:, 1:]
        grown &= free
        if (grown == seen).all():
            break
        seen = grown
    return seen


# Oracle: the shape itself: lines within a pixel of the square's border, nowhere else, and closed.
def test_a_square_has_a_closed_thin_outline():
    drawing = outlines(_square())
    assert drawing.shape == (1, 28, 28, 1)
    assert drawing.dtype == np.uint8
    assert set(np.unique(drawing)) == {0, 255}
    line = drawing[0, :, :, 0] == 0
    near = np.zeros((28, 28), bool)
    near[7:21, 5:23] = True
    near[10:18, 8:20] = False
    assert not (line & ~near).any()
    assert line.sum() <= 2 * (2 * 12 + 2 * 16)
    outside = _reached(~line, (0, 0))
    assert not outside[14, 14]
    assert outside[25, 25]
    assert _reached(~line, (14, 14))[11, 9]


# Oracle: the definition: both are edges of one picture, whatever of the two is bright and whichever way it lies.
def test_turned_pictures_have_turned_outlines():
    image = _square()
    image[:, 12:20, 6:12] = 0
    drawing = outlines(image)
    np.testing.assert_array_equal(outlines(np.swapaxes(image, 1, 2)), np.swapaxes(drawing, 1, 2))


def test_a_dark_thing_on_black_has_an_outline_and_flat_pictures_have_none():
    assert (outlines(_square(inside=50)) == 0).any()
    for level in (0, 128, 255):
        assert (outlines(np.full((2, 9, 9, 3), level, np.uint8)) == 255).all()


# Oracle: the same picture without texture.
def test_texture_is_left_out():
    image = _square(200)
    woven = image.copy()
    woven[:, 8:20:2, 6:22:2] = 150
    inside = np.s_[0, 11:17, 9:19]
    assert (outlines(woven)[inside] == 255).all()
    assert (outlines(woven) == 0).sum() == pytest.approx((outlines(image) == 0).sum(), rel=0.3)


# Oracle: each picture alone; a part of a part has the same lines.
def test_every_picture_by_itself():
    images = _photographs(70)[0]
    assert (outlines(images)[66:] == outlines(images[66:])).all()
    assert outlines(images[:0]).shape == (0, 28, 28, 1)


# Oracle: the bundled photographs: lines are few, no picture is without any, and all lie where the picture changes.
def test_photographs_of_clothes():
    images = _photographs(300)[0]
    line = edges(images)
    assert 0.05 < line.mean() < 0.2
    assert line.any((1, 2)).all()
    around = np.pad(images[..., 0], [(0, 0), (2, 2), (2, 2)], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (5, 5), axis=(1, 2))
    assert np.ptp(windows[line].reshape(-1, 25), axis=1).min() > 10


# Oracle: the definition, pixel by pixel, and a classifier trained on the photographs, which names 95 of 100.
def test_negatives_can_be_undone():
    from jaxgan.metrics.seen_by.fashion_cnn import fashion_cnn

    images, labels = _photographs(80)
    made, line = negatives(images), edges(images)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made[~line], 255 - images[~line])
    assert (made[line] == 255).all()
    extractor = fashion_cnn()
    logits = jax.jit(lambda x: extractor.apply(extractor.params, x)["logits"])(
        np.concatenate([images, 255 - made, made])
    )
    right = (np.asarray(logits).argmax(1).reshape(3, -1) == labels).mean(1)
    assert right[1] > right[0] - 0.08
    assert right[2] < 0.5


def test_colours_are_drawn_by_their_mean():
    image = np.concatenate([_square(), _square(), _square()], axis=-1)
    np.testing.assert_array_equal(outlines(image), outlines(_square()))
    assert negatives(image).shape == image.shape


# Oracle: by hand: a third where there is no line, white where there is one.
def test_chalk_is_dark_with_white_lines():
    pictures, _ = _photographs(5)
    drawn, lines = chalk(pictures)[..., 0], edges(pictures)
    assert lines.any()
    assert (drawn[lines] == 255).all()
    np.testing.assert_array_equal(drawn[~lines], pictures[..., 0][~lines] // 3)
