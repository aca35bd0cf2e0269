"""Animated pictures. Oracle: frames written by Pillow, and by our own writer."""

import numpy as np
import pytest
from PIL import Image

from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs
from jaxgan.show.files import FILES

NEEDS = Needs({"clip": "video", "label": "label?"})


def grey(values, side=6):
    """Even frames: GIF keeps up to 256 greys exactly."""
    return [Image.fromarray(np.full((side, side), value, np.uint8)) for value in values]


def save(path, values, stays, side=6, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = grey(values, side)
    first.save(path, save_all=True, append_images=rest, duration=stays, loop=0, **how)


def clips(found):
    return np.stack([found.tables[0].source[i]["clip"] for i in range(found.size)])


def test_frames_that_stay_longer_are_repeated_and_the_shortest_file_gives_the_length(tmp_path):
    save(tmp_path / "a.gif", [0, 100, 200], [50, 100, 50])
    save(tmp_path / "b.gif", [10, 20, 30, 40, 50, 60], 50)
    found = data.load(str(tmp_path), needs=NEEDS, channels=1)  # a GIF's palette may have colours
    assert found.spec["clip"] == Field("video", (4, 6, 6, 1), rate=20.0)
    assert clips(found)[:, :, 0, 0, 0].tolist() == [[0, 100, 100, 200], [10, 20, 30, 40]]
    assert "4 frames at 20 a second; 1 cut" in found.description


def test_sub_folders_are_labels_and_sizes_are_agreed_on(tmp_path):
    save(tmp_path / "run" / "a.webp", [0, 255, 0], 40, side=8, lossless=True)
    save(tmp_path / "walk" / "b.png", [255, 0, 255], 40, side=16)
    found = data.load(str(tmp_path), needs=NEEDS, image_size=8, channels=1)
    assert found.spec["label"].names == ("run", "walk")
    assert clips(found).shape == (2, 3, 8, 8, 1)
    assert clips(found)[:, :, 4, 4, 0].tolist() == [[0, 255, 0], [255, 0, 255]]


def test_what_we_write_comes_back(tmp_path):
    """In colour; two frames that are alike are one in the file."""
    field = Field("video", (4, 5, 7, 3), rate=10.0)
    film = np.zeros(field.fixed, np.uint8)
    film[0], film[1:3], film[3, :, :, 1] = 255, (255, 0, 0), 255
    FILES["video"].write(tmp_path / "x.gif", field, film)
    found = data.load(str(tmp_path), needs=NEEDS)
    assert found.spec["clip"] == field
    np.testing.assert_array_equal(clips(found)[0], film)


def test_long_videos_are_cut(tmp_path):
    save(tmp_path / "a.gif", range(70), 20)
    assert data.load(str(tmp_path), needs=NEEDS, channels=1).spec["clip"].shape == (64, 6, 6, 1)


def test_what_is_no_video_is_named(tmp_path):
    save(tmp_path / "a.gif", [0, 100], 50)
    grey([7])[0].save(tmp_path / "still.png")
    (tmp_path / "broken.gif").write_bytes((tmp_path / "a.gif").read_bytes()[:20])
    with pytest.raises(
        UserError, match=r"2 of 3 videos in .*: broken\.gif \(.*\), still\.png \(it is a still picture\)"
    ):
        data.load(str(tmp_path), needs=NEEDS)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("x")
    with pytest.raises(UserError, match="holds no videos: none of its files ends in"):
        data.load(str(tmp_path / "other"), needs=NEEDS)
