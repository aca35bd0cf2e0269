import json

import maps_kept
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.made.parts import PARTS, parts


# Oracle: by hand.
def test_overlaps():
    maps = np.array([[[0, 0, 1, 2]], [[0, 1, 1, 2]]], np.int32)
    found = np.array([[[0, 1, 1, 2]], [[0, 1, 2, 3]]], np.int32)
    np.testing.assert_allclose(maps_kept.overlaps(maps, found), [2 / 3, 2 / 4, 1 / 3, 0, 1, 1])
    assert len(PARTS) == 6


def test_real_pictures_keep_to_their_maps_and_others_do_not(fashion):
    pictures = maps_kept.columns(fashion)["image"][:60]
    maps = parts(pictures)
    assert maps_kept.kept(maps, pictures).startswith("mean IoU 1.000 (ground 1.000, rim 1.000")
    assert maps_kept.overlaps(maps, parts(np.roll(pictures, 1, axis=0))).mean() < 0.3
    painted = maps_kept.greys(maps, pictures)[maps]
    assert 0.5 < maps_kept.overlaps(maps, parts(painted)).mean() < 0.9


# Oracle: by hand.
def test_greys_and_differences():
    maps = np.array([[[0, 1, 2, 3, 4, 5, 5, 5]]], np.int32)
    pictures = np.array([10, 20, 30, 40, 50, 0, 1, 200], np.uint8).reshape(1, 1, 8, 1)
    assert maps_kept.greys(maps, pictures).ravel().tolist() == [10, 20, 30, 40, 50, 67]
    assert maps_kept.difference(pictures, pictures + np.uint8(51)) == pytest.approx(51 / 255)


def test_a_run_on_other_data_is_refused(monkeypatch):
    saved = json.loads('{"run": {"data": "fashion_outlines", "hold_out": 500}}')
    monkeypatch.setattr(maps_kept, "read_config", lambda run: (None, saved))
    with pytest.raises(UserError, match=r"takes runs on fashion_parts .* but runs/x is on fashion_outlines"):
        maps_kept.held_out("runs/x")


# Oracle: by hand: the columns of two maps side by side, each as often as a style; a picture of grey stays grey.
def test_the_picture_shows_each_map_beside_its_styles():
    n = 2 * maps_kept.ROWS
    held = {"source": np.zeros((n, 28, 28), np.int32), "target": np.full((n, 28, 28, 1), 77, np.uint8)}
    made = [np.full((n, 28, 28, 1), 30 + 10 * i, np.uint8) for i in range(maps_kept.SEEDS)]
    picture = maps_kept.drawn(held, made)
    line = picture[picture.shape[0] - 20, :, 0]
    shown = [value for i, value in enumerate(line) if i == 0 or value != line[i - 1]]
    assert shown == [255, *[each for value in (0, 30, 40, 50, 60, 77) for each in (value, 255)] * 2]
