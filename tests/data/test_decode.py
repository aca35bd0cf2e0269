"""Oracles: the array an image was made from; Pillow's own resize; closed forms for 16-bit, float and transparency."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from jaxgan.data.decode import decode, fit, header
from jaxgan.data.settings import Fit

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 4, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 4), dtype=np.uint8)


def encoded(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return io.BytesIO(file.getvalue())


def decoded(image, channels=3, form="PNG", **options):
    return decode(encoded(image, form, **options), Fit(6, 4, channels))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "TGA"])
def test_lossless_formats_come_back_exactly(form):
    np.testing.assert_array_equal(decoded(Image.fromarray(COLOUR), form=form), COLOUR)
    np.testing.assert_array_equal(decoded(Image.fromarray(GREY), 1, form), GREY[..., None])


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(form):
    flat = np.full((6, 4, 3), (200, 100, 50), np.uint8)
    assert np.abs(decoded(Image.fromarray(flat), form=form, quality=95).astype(int) - flat).max() <= 4


def test_grey_becomes_colour_by_repetition_and_colour_grey_by_luma():
    np.testing.assert_array_equal(decoded(Image.fromarray(GREY)), np.repeat(GREY[..., None], 3, -1))
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])  # ITU-R 601
    assert np.abs(decoded(Image.fromarray(COLOUR), 1)[..., 0] - luma).max() <= 1


def test_sixteen_bits_are_divided_by_257():
    deep = RNG.integers(0, 65536, (6, 4), dtype=np.uint16)
    np.testing.assert_array_equal(decoded(Image.fromarray(deep), 1)[..., 0], np.rint(deep / 257))


def test_floats_are_fractions_of_white():
    values = RNG.random((6, 4), np.float32)
    result = decoded(Image.fromarray(values), 1, "TIFF")[..., 0]
    np.testing.assert_allclose(result, values * 255, atol=0.51)


def test_transparency_is_laid_over_white():
    alpha = RNG.integers(0, 256, (6, 4, 1), dtype=np.uint8)
    expected = (COLOUR * (alpha / 255) + 255 * (1 - alpha / 255)).astype(float)
    result = decoded(Image.fromarray(np.concatenate([COLOUR, alpha], -1)))
    assert np.abs(result - expected).max() <= 1


def test_a_transparent_palette_entry_is_white():
    palette = Image.new("P", (4, 6), 1)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    np.testing.assert_array_equal(decoded(palette), np.broadcast_to([255, 0, 0], (6, 4, 3)))
    np.testing.assert_array_equal(decoded(palette, transparency=1), np.full((6, 4, 3), 255))


def test_one_bit_and_cmyk():
    bits = GREY > 127
    np.testing.assert_array_equal(decoded(Image.fromarray(bits), 1)[..., 0], np.where(bits, 255, 0))
    cmyk = Image.new("CMYK", (4, 6), (255, 0, 0, 0))
    np.testing.assert_array_equal(decoded(cmyk, form="TIFF"), np.broadcast_to([0, 255, 255], (6, 4, 3)))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_obeyed(form):
    image = Image.fromarray(COLOUR)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    file = encoded(image, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    assert header(file)[:2] == (4, 6)
    np.testing.assert_array_equal(decode(file, Fit(4, 6, 3)), np.rot90(COLOUR, -1))


def test_of_an_animation_the_first_frame():
    frames = [Image.new("RGB", (4, 6), colour) for colour in ("red", "blue")]
    result = decoded(frames[0], form="GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(result, np.broadcast_to([255, 0, 0], (6, 4, 3)))


@pytest.mark.parametrize("target", [(8, 8), (3, 9), (9, 3)])
def test_resize(target):
    image, size = Image.fromarray(COLOUR), target[::-1]
    lanczos = Image.Resampling.LANCZOS
    np.testing.assert_array_equal(fit(image, Fit(*target, 3, "stretch")), image.resize(size, lanczos))
    # The middle of the image with the target's aspect ratio, then resized.
    height, width = 6, 4
    scale = max(target[0] / height, target[1] / width)
    top, left = (height - target[0] / scale) / 2, (width - target[1] / scale) / 2
    box = (left, top, width - left, height - top)
    np.testing.assert_array_equal(fit(image, Fit(*target, 3, "crop")), image.resize(size, lanczos, box=box))
    inner = ImageOps.contain(image, size, lanczos)
    padded = np.asarray(fit(image, Fit(*target, 3, "pad")))
    assert padded.shape == (*target, 3)
    assert padded.astype(int).sum() == np.asarray(inner).astype(int).sum()  # the rest is black


def test_large_jpeg_is_decoded_small_without_harm():
    smooth = Image.fromarray(np.add.outer(np.arange(800), np.arange(640)).astype(np.float32) / 6).convert("L")
    whole = smooth.resize((8, 10), Image.Resampling.LANCZOS)
    result = decode(encoded(smooth, "JPEG", quality=95), Fit(10, 8, 1))[..., 0]
    assert np.abs(result.astype(int) - np.asarray(whole)).max() <= 2


@pytest.mark.parametrize(
    ("mode", "grey"), [("L", True), ("1", True), ("LA", True), ("I;16", True), ("RGB", False), ("P", False)]
)
def test_header(mode, grey):
    assert header(encoded(Image.new(mode, (4, 6))))[:3] == (6, 4, grey)
