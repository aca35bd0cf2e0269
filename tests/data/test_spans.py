"""More than 8 bits, and pictures that show nothing. Oracle: closed forms of the ranges, of whole folders."""

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.data import spans
from jaxgan.data.spans import Span, Values
from jaxgan.errors import UserError


@pytest.mark.parametrize(
    ("low", "high", "form", "span"),
    [
        (0, 1, "whole", (0, 1)),
        (0, 200, "whole", (0, 255)),
        (0, 1000, "whole", (0, 1023)),
        (7, 4095, "whole", (0, 4095)),
        (0, 4096, "whole", (0, 16383)),
        (0, 65535, "whole", (0, 65535)),
        (0, 65536, "whole", (0, 65536)),
        (-1024, 3071, "whole", (-1024, 3071)),
        (-5, -5, "whole", (-5, -4)),
        (0, 1, "fraction", (0, 1)),
        (-0.5, 1, "fraction", (-1, 1)),
        (0, 254.5, "fraction", (0, 255)),
        (0, 12.5, "fraction", (0, 12.5)),
        (-3, 900, "fraction", (-3, 900)),
    ],
)
def test_the_span_of_a_set(low, high, form, span):
    found, note = spans.chosen([Values(low, high, form), Values(high, high, form)])
    assert found.of(form) == Span(*span)
    assert f"from {low:g} to {high:g} in 2 of the pictures taken as {span[0]:g} (black) to {span[1]:g} (white)" in note
    assert ("least and the largest" in note) == (low < -1 or high == 65536 or high == 12.5)


@pytest.mark.parametrize(
    ("kind", "ending", "black", "white"),
    [
        (np.uint16, "png", 0, 4095),
        (np.uint16, "tiff", 0, 1023),
        (np.int32, "tiff", 0, 255),
        (np.int32, "tiff", -1000, 3000),
        (np.float32, "tiff", 0, 1),
        (np.float32, "tiff", -1, 1),
        (np.float32, "tiff", 0, 255),
        (np.float32, "tiff", -7.5, 40),
    ],
)
@pytest.mark.parametrize("halves", [False, True])
def test_one_scale_for_all(tmp_path, kind, ending, black, white, halves):
    """A dark picture beside a light one stays dark."""
    levels = np.linspace(black, white, 32).astype(kind).reshape(4, 8)
    dark = np.clip(levels, black, (black + white) / 2).astype(kind)
    for name, array in (("a", levels), ("b", dark)):
        Image.fromarray(array).save(tmp_path / f"{name}.{ending}")
    if halves:
        needs = fields.Needs({"x": "image", "y": "image"})
        loaded = data.load(str(tmp_path), needs=needs, halves=("x", "y"))
        stored = [np.concatenate([loaded.table("x").source[i][n] for n in "xy"], 1)[..., 0] for i in range(2)]
    else:
        loaded = data.load(str(tmp_path))
        stored = [loaded.table("image").source[i]["image"][..., 0] for i in range(2)]
    for array, got in zip((levels, dark), stored, strict=True):
        np.testing.assert_array_equal(got, np.rint((array - np.float64(black)) / (white - black) * 255))
    assert f"taken as {black:g} (black) to {white:g} (white)" in loaded.description


def test_values_that_are_no_number_are_named(tmp_path):
    Image.fromarray(np.float32([[0, 1], [1, 0]])).save(tmp_path / "a.tif")
    Image.fromarray(np.float32([[0, np.nan], [1, np.inf]])).save(tmp_path / "b.tif")
    with pytest.raises(UserError, match=r"1 of 2 images .* b\.tif \(it holds values that are not finite"):
        data.load(str(tmp_path))


def test_sixteen_bits_of_colour():
    """Pillow writes none: the range is that of the upper bytes, as it reads them."""
    with pytest.raises(UserError, match=r"in 2 colour pictures of 16 bits no value passes 4,095 of 65,535.*16 levels"):
        spans.chosen([Values(0, 15, "upper"), Values(0, 3, "upper")])
    assert spans.chosen([Values(0, 15, "upper"), Values(0, 250, "upper")]) == (spans.Spans(), "")


@pytest.mark.parametrize("form", ["png", "npy"])
@pytest.mark.parametrize(("highest", "warned"), [(1, True), (31, True), (32, False)])
def test_pictures_that_are_all_but_black(tmp_path, highest, warned, form):
    array = np.arange(64, dtype=np.uint8).reshape(1, 8, 8) % (highest + 1)
    array[0, 0, 0] = highest
    if form == "npy":
        np.save(tmp_path / "a.npy", array)
    else:
        Image.fromarray(array[0]).save(tmp_path / "a.png")
    loaded = data.load(str(tmp_path / "a.npy" if form == "npy" else tmp_path))
    assert (f"all but black, no pixel passes {highest} of 255" in loaded.description) == warned


def test_pictures_that_are_enlarged_are_counted_and_named(tmp_path):
    for i in range(7):
        Image.new("L", (20, 40), 200).save(tmp_path / f"{i}.png")
    Image.new("L", (32, 32), 200).save(tmp_path / "x.png")
    said = data.load(str(tmp_path), image_size=64).description
    assert "Warning: 7 enlarged more than twice: 0.png (40x20), " in said
    assert said.endswith("4.png (40x20) and 2 more")
    assert "enlarged" not in data.load(str(tmp_path), image_size=40).description
