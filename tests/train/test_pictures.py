"""Pictures. Oracle: the pixels, placed by hand."""

import numpy as np
import pytest
from PIL import Image

from jaxgan.train import pictures


def test_a_grid_places_every_pixel():
    images = np.arange(3 * 60 * 61, dtype=np.uint32).astype(np.uint8).reshape(3, 60, 61, 1)
    grid = pictures.grid(images, columns=2)
    assert grid.shape == (2 * 62 + 2, 2 * 63 + 2, 1)
    np.testing.assert_array_equal(grid[2:62, 2:63], images[0])
    np.testing.assert_array_equal(grid[2:62, 65:126], images[1])
    np.testing.assert_array_equal(grid[64:124, 2:63], images[2])
    assert (grid[64:124, 65:] == 255).all()  # the fourth place is empty
    assert (grid[:2] == 255).all()


def test_small_images_are_magnified_by_a_whole_number():
    images = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    grid = pictures.grid(images, columns=1)[2:-2, 2:-2]
    np.testing.assert_array_equal(grid[::7, ::7], images[0])
    np.testing.assert_array_equal(grid[6::7, 6::7], images[0])


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA"), (2, "L"), (5, "L")])
def test_png_of_any_number_of_channels(tmp_path, channels, mode):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    pictures.write_png(tmp_path / "x.png", image)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.mode == mode
        shown = image if channels in (3, 4) else image[..., 0]
        np.testing.assert_array_equal(np.asarray(picture), shown)
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_columns_are_classes_where_there_are_few():
    assert pictures.columns_of(64, 10) == 10
    assert pictures.columns_of(64, 0) == 8
    assert pictures.columns_of(64, 1000) == 8
    assert pictures.columns_of(1, 0) == 1


def test_the_summary_is_a_picture_of_all_rows_and_of_some_grids(tmp_path, monkeypatch):
    grids = []
    for step in range(0, 50, 10):
        pictures.write_png(tmp_path / f"{step}.png", np.full((4, 4, 1), step, np.uint8))
        grids.append((step, tmp_path / f"{step}.png"))
    drawn = {}
    monkeypatch.setattr(pictures, "_plot", lambda axes, title, rows, suffixes: drawn.update({title: (rows, suffixes)}))
    rows = [{"step": 1, "d/loss": 1.0}, {"step": 2, "d/loss": 0.5}]
    pictures.write_summary(tmp_path / "summary.png", rows, grids, "a run")
    assert all(given == rows for given, _ in drawn.values())
    with Image.open(tmp_path / "summary.png") as picture:
        assert picture.size[0] > 500


def test_a_summary_of_nothing_is_still_a_picture(tmp_path):
    pictures.write_summary(tmp_path / "summary.png", [], [], "nothing yet")
    assert (tmp_path / "summary.png").read_bytes().startswith(b"\x89PNG")


def test_curves_hold_the_logged_numbers():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    rows = [
        {"step": 1, "d/loss": 1.0, "g/loss": 3.0, "d_real": 0.5},
        {"step": 5, "d/loss": 2.0, "g/loss": 4.0, "d_real": 0.6},
    ]
    pictures._plot(axes, "losses", rows, ("loss",))
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert lines == {"d/loss": [[1, 1], [5, 2]], "g/loss": [[1, 3], [5, 4]]}


def test_marks_are_lines_in_every_curve(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    drawn = []
    monkeypatch.setattr(Axes, "axvline", lambda self, x, **how: drawn.append(x))
    pictures.write_summary(tmp_path / "summary.png", [{"step": 1, "d/loss": 1.0}], [], "a run", marks=[7, 9])
    assert drawn == [7, 9] * 3
