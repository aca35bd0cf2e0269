"""Grids and sheets. Oracle: the pixels, placed by hand."""

import numpy as np
import pytest
from PIL import Image

from jaxgan.fields import Field, image, label
from jaxgan.show import sheets, text
from jaxgan.show.tiles import tile

IMAGES = np.arange(3 * 60 * 61, dtype=np.uint32).astype(np.uint8).reshape(3, 60, 61, 1)


def test_a_grid_places_every_pixel():
    grid = sheets.grid(IMAGES, columns=2)
    assert grid.shape == (2 * 62 + 2, 2 * 63 + 2, 1)
    np.testing.assert_array_equal(grid[2:62, 2:63], IMAGES[0])
    np.testing.assert_array_equal(grid[2:62, 65:126], IMAGES[1])
    np.testing.assert_array_equal(grid[64:124, 2:63], IMAGES[2])
    assert (grid[64:124, 65:] == 255).all()  # the fourth place is empty
    assert (grid[:2] == 255).all()
    np.testing.assert_array_equal(sheets.grid(list(IMAGES), columns=2), grid)


def test_small_images_are_magnified_by_a_whole_number():
    images = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    grid = sheets.grid(images, columns=1)[2:-2, 2:-2]
    np.testing.assert_array_equal(grid[::7, ::7], images[0])
    np.testing.assert_array_equal(grid[6::7, 6::7], images[0])


def test_tiles_of_other_sizes_and_channels_are_centred():
    grid = sheets.grid([np.zeros((60, 70, 1), np.uint8), np.full((80, 60, 3), 7, np.uint8)], columns=2)
    assert grid.shape == (84, 2 * 72 + 2, 3)
    assert (grid[12:72, 2:72] == 0).all()
    assert (grid[2:82, 79:139] == 7).all()
    assert (grid == 255).all(-1).sum() == 84 * 146 - 60 * 70 - 80 * 60


def test_a_sheet_has_a_row_an_example_under_heads():
    rows = [[np.full((60, 60, 1), 1, np.uint8), np.full((30, 80, 1), 2, np.uint8)] for _ in range(2)]
    sheet = sheets.sheet(rows, ("given", "made"))
    head = text.picture("given")
    top = 2 + head.shape[0] + 2
    assert sheet.shape == (top + 2 * 62, 2 + 60 + 2 + 80 + 2, 1)
    x = 2 + (60 - head.shape[1]) // 2
    np.testing.assert_array_equal(sheet[2 : 2 + head.shape[0], x : x + head.shape[1]], head)
    for y in (top, top + 62):
        assert (sheet[y : y + 60, 2:62] == 1).all()
        assert (sheet[y + 15 : y + 45, 64:144] == 2).all()
        assert (sheet[y : y + 15, 64:144] == 255).all()


def test_a_mask_lies_over_its_image():
    spec = {"image": image(60, 60, 3), "mask": Field("mask", (60, 60, 1)), "label": label(("cat", "dog"))}
    mask = np.zeros((1, 60, 60, 1), np.uint8)
    mask[:, :30] = 255
    batch = {"image": np.full((1, 60, 60, 3), 100, np.uint8), "mask": mask, "label": np.array([1], np.int32)}
    sheet = sheets.compare({"given": (spec, batch), "made": ({"image": spec["image"]}, batch)})
    word = text.picture("dog").repeat(3, axis=-1)
    heads = [text.picture(f"given: {name}").shape[1] for name in spec]
    left = 2 + heads[0] + 2 + (heads[1] - 60) // 2
    # 45 % of 100 and 55 % of the red (230, 30, 60)
    np.testing.assert_allclose(sheet[-62:-32, left : left + 60] - [171.5, 61.5, 78.0], 0, atol=0.5)
    assert (sheet[-32:-2, left : left + 60] == 100).all()
    left = 2 + heads[0] + 2 + heads[1] + 2 + (heads[2] - word.shape[1]) // 2
    top = sheet.shape[0] - 62 + (60 - word.shape[0]) // 2
    np.testing.assert_array_equal(sheet[top : top + word.shape[0], left : left + word.shape[1]], word)


def test_a_mask_of_two_images_or_of_another_size_stays_a_mask():
    mask = Field("mask", (60, 60, 1))
    small, same = image(30, 30, 1), image(60, 60, 1)
    batch = {
        name: np.zeros((1, *field.fixed), np.uint8)
        for name, field in {"mask": mask, "small": small, "a": same, "b": same}.items()
    }
    for spec in ({"mask": mask, "small": small}, {"mask": mask, "a": same, "b": same}):
        assert sheets.compare({"": (spec, batch)}).shape[-1] == 1  # no red
    assert sheets.compare({"": ({"mask": mask, "small": small, "a": same}, batch)}).shape[-1] == 3


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA"), (2, "L"), (5, "L")])
def test_png_of_any_number_of_channels(tmp_path, channels, mode):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    sheets.write_png(tmp_path / "x.png", picture)
    with Image.open(tmp_path / "x.png") as content:
        assert content.mode == mode
        shown = picture if channels in (3, 4) else picture[..., 0]
        np.testing.assert_array_equal(np.asarray(content), shown)
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_a_file_is_whole_or_not_there(tmp_path):
    sheets.write_png(tmp_path / "x.png", tile(image(60, 61, 1), IMAGES[0]))
    before = (tmp_path / "x.png").read_bytes()
    with pytest.raises(ValueError):
        sheets.write_png(tmp_path / "x.png", np.zeros((0, 0, 3), np.uint8))
    assert (tmp_path / "x.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_columns_are_classes_where_there_are_few():
    assert [sheets.columns_of(*case) for case in ((64, 10), (64, 0), (64, 1000), (1, 0))] == [10, 8, 8, 1]
    few = ((64, 2), (64, 3), (64, 5), (16, 2), (2, 2), (64, 20))
    assert [sheets.columns_of(*case) for case in few] == [8, 9, 10, 4, 2, 20]


def test_many_examples_of_few_columns_are_near_a_square():
    """Oracle: sheets by hand. Seven pairs are two beside each other, the last with nothing beside it."""
    pairs = [[np.full((64, 64, 1), 20 * i + j, np.uint8) for j in (0, 10)] for i in range(7)]
    blank = [np.full((64, 64, 1), 255, np.uint8)] * 2
    by_hand = [pairs[i] + (pairs[i + 1] if i < 6 else blank) for i in range(0, 7, 2)]
    found = sheets.near_square(pairs, ["in", "out"])
    np.testing.assert_array_equal(found, sheets.sheet(by_hand, ["in", "out"] * 2))
    assert 0.5 < found.shape[0] / found.shape[1] < 2
    few = sheets.near_square(pairs[:2], ["in", "out"])
    np.testing.assert_array_equal(few, sheets.sheet(pairs[:2], ["in", "out"]))
