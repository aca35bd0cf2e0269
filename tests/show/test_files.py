"""Files of one example. Oracle: independent readers (Pillow, the standard library's `wave`, NumPy)."""

import wave

import numpy as np
import pytest
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.show.files import FILES
from jaxgan.show.palette import palette
from tests.show.cases import FIELDS, batch


def written(tmp_path, field, example):
    ending, write = FILES[field.kind]
    write(tmp_path / f"x{ending}", field, np.asarray(example))
    (path,) = tmp_path.iterdir()
    assert path.name == f"x{ending}"
    return path


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_pictures(tmp_path, kind):
    (example,) = batch(FIELDS[kind], 1)
    with Image.open(written(tmp_path, FIELDS[kind], example)) as picture:
        np.testing.assert_array_equal(np.asarray(picture).reshape(example.shape), example)


def test_a_label_map_keeps_its_classes_and_has_colours(tmp_path):
    classes = np.array([[0, 1, 2], [199, 255, 7]], np.int32)
    with Image.open(written(tmp_path, Field("label_map", (2, 3)), classes)) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), classes)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), palette()[classes])


@pytest.mark.parametrize("most", [256, 65535])
def test_a_label_map_of_many_classes(tmp_path, most):
    field, classes = Field("label_map", (1, 3)), np.array([[0, 255, most]], np.int32)
    with Image.open(written(tmp_path, field, classes)) as picture:
        np.testing.assert_array_equal(np.asarray(picture), classes)
    for wrong in (-1, 65536):
        with pytest.raises(UserError, match=rf"x\.png takes classes from 0 to 65535, but .* {wrong}"):
            written(tmp_path, field, np.array([[0, 0, wrong]], np.int32))


@pytest.mark.parametrize(("rate", "expected"), [(8000.0, 8000), (None, 16000)])
def test_waves(tmp_path, rate, expected):
    (example,) = batch(FIELDS["wave"], 1)
    with wave.open(str(written(tmp_path, Field("wave", (800,), rate=rate), example))) as sound:
        assert sound.getparams()[:4] == (1, 2, expected, 800)
        np.testing.assert_array_equal(np.frombuffer(sound.readframes(800), "<i2"), example)


@pytest.mark.parametrize(("rate", "duration"), [(10.0, 100), (None, 120), (1000.0, 20)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_videos(tmp_path, channels, rate, duration):
    frames = batch(Field("video", (3, 6, 5, channels)), 1)[0]
    path = written(tmp_path, Field("video", frames.shape, rate=rate), frames)
    with Image.open(path) as picture:
        assert picture.n_frames == 3
        assert picture.info["duration"] == duration
        assert picture.info["loop"] == 0
        for i, frame in enumerate(frames):
            picture.seek(i)
            shown = frame if channels == 3 else frame[..., :1].repeat(3, axis=-1)
            np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), shown)


@pytest.mark.parametrize("kind", ["voxels", "vector"])
def test_arrays(tmp_path, kind):
    (example,) = batch(FIELDS[kind], 1)
    content = np.load(written(tmp_path, FIELDS[kind], example))
    assert content.dtype == example.dtype
    np.testing.assert_array_equal(content, example)


@pytest.mark.parametrize(
    ("field", "example", "line"),
    [
        (FIELDS["label"], 1, "dog"),
        (FIELDS["code"], 2, "2"),
        (FIELDS["tokens"], [1, 3, 0, 0], "a bird"),
        (FIELDS["number"], 0.25, "0.25"),
        (Field("tokens", (3,), ("", "ä", "\n")), [1, 2, 1], "ä ä"),
    ],
)
def test_words_are_one_line(tmp_path, field, example, line):
    assert written(tmp_path, field, np.asarray(example, field.dtype)).read_bytes() == f"{line}\n".encode()


def test_numbers_are_read_back_exactly(tmp_path):
    number = np.float32(np.pi * 1e-20)
    assert np.float32(written(tmp_path, FIELDS["number"], number).read_text()) == number
