"""Files that lack their end. Oracle: the pixels of the whole file, and how many bytes are cut off."""

import io

import numpy as np
import pytest
from PIL import Image

from jaxgan import data as datasets
from jaxgan.errors import UserError

SMOOTH = np.add.outer(np.arange(40), np.arange(48)).astype(np.uint8) * 2
PICTURE = np.stack([SMOOTH, SMOOTH[::-1], np.roll(SMOOTH, 9, 1)], -1)


def saved(format, **how):
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, format, **how)
    return file.getvalue()


def image_of(folder, content, ending):
    folder.mkdir(exist_ok=True)
    (folder / f"a.{ending}").write_bytes(content)
    loaded = datasets.load(str(folder))
    return np.asarray(loaded.tables[0].source[0]["image"])


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("grey", [False, True])
def test_a_jpeg_without_its_end_marker_is_whole(tmp_path, cut, grey):
    file = io.BytesIO()
    Image.fromarray(PICTURE[..., 0] if grey else PICTURE).save(file, "JPEG", quality=90)
    whole = file.getvalue()
    expected = image_of(tmp_path / "whole", whole, "jpg")
    np.testing.assert_array_equal(image_of(tmp_path / "cut", whole[:-cut], "jpg"), expected)


@pytest.mark.parametrize(
    ("format", "cut", "add"),
    [("PNG", 12, b""), ("PNG", 4, b""), ("GIF", 1, b""), ("JPEG", 0, b"more"), ("PNG", 0, b"more")],
)
def test_what_stands_behind_the_pixels_may_be_cut_or_more(tmp_path, format, cut, add):
    whole, ending = saved(format), format.lower()
    expected = image_of(tmp_path / "whole", whole, ending)
    np.testing.assert_array_equal(image_of(tmp_path / "cut", whole[: len(whole) - cut] + add, ending), expected)


@pytest.mark.parametrize(
    ("format", "cut", "how"),
    [
        ("JPEG", 6, {"quality": 90}),
        ("JPEG", 300, {"quality": 90}),
        ("JPEG", 2, {"progressive": True}),  # nobody can tell whether a whole scan is lacking
        ("PNG", 40, {}),
        ("GIF", 40, {}),
        ("BMP", 400, {}),
        ("TIFF", 40, {}),
        ("WEBP", 40, {}),
    ],
)
def test_lacking_pixels_are_told_and_may_be_skipped(tmp_path, format, cut, how):
    ending = format.lower()
    (tmp_path / f"a.{ending}").write_bytes(saved(format, **how)[:-cut])
    (tmp_path / "b.png").write_bytes(saved("PNG"))
    with pytest.raises(UserError, match=rf"1 of 2 .*--skip-unreadable: a\.{ending} "):
        datasets.load(str(tmp_path))
    assert datasets.load(str(tmp_path), skip_unreadable=True).size == 1
