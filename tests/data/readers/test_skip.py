"""Sets without their broken files. Oracle: the same sets from which the files are gone."""

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.errors import UserError

RNG = np.random.default_rng(0)


def picture(path, broken=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)
    if broken:
        path.write_bytes(path.read_bytes()[:120])


def same(place, broken, **how):
    """The set as it is with `skip_unreadable`; equal to the set without the files."""
    with pytest.raises(UserError, match="--skip-unreadable"):
        data.load(str(place), **how)
    loaded = data.load(str(place), skip_unreadable=True, **how)
    for path in broken:
        path.unlink()
    assert data.load(str(place), **how).fingerprint == loaded.fingerprint
    return loaded.description


def test_pictures_and_their_classes(tmp_path):
    for name in ("a/1.png", "b/1.png", "c/1.png"):
        picture(tmp_path / name, broken=name[0] == "b")
    said = same(tmp_path, [tmp_path / "b/1.png"])
    assert "2 images 8x8x3, 2 classes: a, c; Warning: 1 unreadable left out: b/1.png (truncated)" in said


def test_a_pair_goes_as_a_whole(tmp_path):
    for name in ("source/1.png", "source/2.png", "target/1.png", "target/2.png"):
        picture(tmp_path / name, broken=name == "target/2.png")
    needs = fields.Needs({"source": "image", "target": "image"})
    gone = [tmp_path / "source/2.png", tmp_path / "target/2.png"]
    assert "1 example of source" in same(tmp_path, gone, needs=needs)


def test_sounds(tmp_path):
    import wave

    for name in ("a.wav", "b.wav"):
        with wave.open(str(tmp_path / name), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(b"\1\2" * 9)
    (tmp_path / "c.wav").write_bytes(b"RIFF")
    said = same(tmp_path, [tmp_path / "c.wav"], needs=fields.Needs({"sound": "wave"}))
    assert "Warning: 1 unreadable left out: c.wav (not a .wav file" in said


def test_many_are_counted_and_none_is_no_set(tmp_path):
    for i in range(12):
        picture(tmp_path / f"{i:02}.png", broken=True)
    with pytest.raises(UserError, match="12 of 12 images"):
        data.load(str(tmp_path), skip_unreadable=True)
    picture(tmp_path / "x.png")
    assert data.load(str(tmp_path), skip_unreadable=True).description.endswith("09.png (truncated) and 2 more")
