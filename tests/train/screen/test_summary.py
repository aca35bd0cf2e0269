"""The summary of a run."""

import numpy as np
import pytest
from PIL import Image

from jaxgan.show.sheets import write_png
from jaxgan.train.screen import summary


def test_the_summary_is_a_picture_of_all_rows_and_of_some_grids(tmp_path, monkeypatch):
    grids = []
    for step in range(0, 50, 10):
        write_png(tmp_path / f"{step}.png", np.full((4, 4, 1), step, np.uint8))
        grids.append((step, tmp_path / f"{step}.png"))
    drawn = {}
    monkeypatch.setattr(summary, "_plot", lambda axes, title, rows, suffixes: drawn.update({title: (rows, suffixes)}))
    rows = [{"step": 1, "d/loss": 1.0}, {"step": 2, "d/loss": 0.5}]
    summary.write_summary(tmp_path / "summary.png", rows, grids, "a run")
    assert all(given == rows for given, _ in drawn.values())
    with Image.open(tmp_path / "summary.png") as picture:
        assert picture.size[0] > 500


def test_a_summary_of_nothing_is_still_a_picture(tmp_path):
    summary.write_summary(tmp_path / "summary.png", [], [], "nothing yet")
    assert (tmp_path / "summary.png").read_bytes().startswith(b"\x89PNG")


def test_curves_hold_the_logged_numbers():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    rows = [
        {"step": 1, "d/loss": 1.0, "g/loss": 3.0, "d_real": 0.5},
        {"step": 5, "d/loss": 2.0, "g/loss": 4.0, "d_real": 0.6},
    ]
    summary._plot(axes, "losses", rows, ("loss",))
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert lines == {"d/loss": [[1, 1], [5, 2]], "g/loss": [[1, 3], [5, 4]]}


def test_marks_are_lines_in_every_curve(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    drawn = []
    monkeypatch.setattr(Axes, "axvline", lambda self, x, **how: drawn.append(x))
    summary.write_summary(tmp_path / "summary.png", [{"step": 1, "d/loss": 1.0}], [], "a run", marks=[7, 9])
    assert drawn == [7, 9] * 2


@pytest.mark.parametrize(
    ("boards", "expected"),
    [((), None), (("",), ("d_real", "d_fake")), (("a/", "b/"), ("a/d_real", "a/d_fake", "b/d_real", "b/d_fake"))],
)
def test_what_d_believes_is_drawn_only_where_it_is_a_probability(tmp_path, monkeypatch, boards, expected):
    """`boards` are those of duels whose critic gives log-odds."""
    drawn = {}
    monkeypatch.setattr(summary, "_plot", lambda axes, title, rows, names: drawn.update({title: names}))
    prefixes = boards or ("",)
    rows = [{"step": 1, **{f"{prefix}{name}": 0.5 for prefix in prefixes for name in ("d_real", "d_fake", "loss")}}]
    summary.write_summary(tmp_path / "summary.png", rows, [], "a run", boards=boards)
    assert drawn.get("mean D(x) and D(G(z))") == expected
