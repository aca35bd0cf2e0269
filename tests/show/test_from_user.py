"""What a user says on a command line. Oracles: arrays written by hand, and files written by Pillow and NumPy."""

from typing import get_args

import numpy as np
import pytest
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.fields import Field, Kind, label
from jaxgan.show.files import FILES
from jaxgan.show.from_user import READ, stored
from tests.show.cases import FIELDS, batch


def test_every_kind_is_read():
    assert set(READ) == set(get_args(Kind))


def test_a_sound_is_read_from_the_file_that_is_written_of_it(tmp_path):
    """Cut, filled up, of another rate, and no sound at all."""
    long, path = Field("wave", (12,), rate=8000.0), tmp_path / "x.wav"
    samples = np.arange(-600, 600, 100, dtype=np.int16)
    FILES["wave"].write(path, long, samples)
    np.testing.assert_array_equal(stored("sound", long, str(path)), samples)
    np.testing.assert_array_equal(stored("sound", long._replace(shape=(5,)), str(path)), samples[:5])
    np.testing.assert_array_equal(stored("sound", long._replace(shape=(13,)), str(path)), [*samples, 0])
    with pytest.raises(
        UserError, match=r"^--sound takes a \.wav file, but .*: it has 8,000 samples a second, and 16,000"
    ):
        stored("sound", long._replace(rate=16000.0), str(path))
    path.write_bytes(b"no sound")
    with pytest.raises(UserError, match=r"^--sound takes a \.wav file, but .* cannot be read: not a \.wav file"):
        stored("sound", long, str(path))
    with pytest.raises(UserError, match=r"cannot be read: No such file"):
        stored("sound", long, str(tmp_path / "y.wav"))


@pytest.mark.parametrize("kind", FIELDS)
def test_an_example_written_by_us_or_numpy_comes_back(kind, tmp_path):
    """Pictures from their PNG, classes and texts from their words, arrays from a .npy file."""
    field = FIELDS[kind]
    (example,) = batch(field, 1)
    if kind in ("label", "code"):
        text = field.names[int(example)]
    elif kind == "tokens":
        example, text = np.array([2, 3, 0, 0], np.int32), "Small, bird"
    elif FILES[field.kind].ending == ".png":
        text = str(tmp_path / "x.png")
        FILES[field.kind].write(tmp_path / "x.png", field, example)
    else:
        text = str(tmp_path / "x.npy")
        np.save(text, example)
    found = stored(kind, field, text)
    assert isinstance(found, np.ndarray)
    assert (found.dtype, found.shape) == (field.dtype, np.shape(example))
    np.testing.assert_array_equal(found, example)


def test_numbers_are_typed():
    np.testing.assert_array_equal(stored("z", Field("vector", (3,)), "1,-2.5, 3e1"), np.float32([1, -2.5, 30]))
    assert stored("x", Field("number"), "2.5") == np.float32(2.5)
    assert stored("label", Field("label", (), ("a", "b")), "1") == 1
    assert stored("label", Field("label", (), ("1", "0")), "1") == 0  # a name goes before a number


def picture(path, array):
    Image.fromarray(array).save(path)
    return str(path)


def test_pictures_are_brought_to_the_size_that_is_known(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    text = picture(tmp_path / "x.png", colours)
    np.testing.assert_array_equal(stored("x", Field("image", (None, None, 3)), text), colours)
    assert stored("x", Field("image", (4, 5, 1)), text).shape == (4, 5, 1)
    assert stored("x", Field("mask", (None, None, 1)), text).shape == (6, 9, 1)
    classes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    text = picture(tmp_path / "y.png", classes)
    np.testing.assert_array_equal(stored("x", Field("label_map", (None, None), ("c",) * 12), text), classes)
    doubled = stored("x", Field("label_map", (6, 8)), text)  # the nearest pixel: classes have no means
    np.testing.assert_array_equal(doubled, classes.repeat(2, 0).repeat(2, 1))


def mistakes(folder):
    np.save(folder / "wide.npy", np.zeros((2, 3)))
    np.save(folder / "nan.npy", np.array([1.0, np.nan, 2.0]))
    np.save(folder / "half.npy", np.full((4, 5, 6), 0.5))
    np.save(folder / "large.npy", np.full((4, 5, 6), 256))
    np.save(folder / "words.npy", np.array(["a", "b", "c"]))
    np.save(folder / "objects.npy", np.array([{}, {}, {}], object), allow_pickle=True)
    np.savez(folder / "x.npz", a=np.zeros(3))
    (folder / "x.npz").rename(folder / "zipped.npy")
    (folder / "empty.npy").touch()
    (folder / "text.png").write_text("no picture")
    (folder / "folder.png").mkdir()
    picture(folder / "colours.png", np.zeros((6, 5, 3), np.uint8))
    picture(folder / "seven.png", np.full((6, 5), 7, np.uint8))
    whole = picture(folder / "whole.png", np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    content = (folder / "whole.png").read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    return whole


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("label", "bird", "--label takes a class from 0 to 1, or one of cat, dog; got bird."),
        ("label", "2", "--label takes a class from 0 to 1, or one of cat, dog; got 2."),
        ("label", "-1", "; got -1."),
        ("label", "1.0", "; got 1.0."),
        ("code", "3", "--code takes a class from 0 to 2; got 3."),
        ("tokens", "a green bird", "--tokens takes words that the data has; it has never seen green."),
        ("tokens", "a a a a a", "--tokens takes 1 to 4 words, got 5."),
        ("tokens", "!", "--tokens takes 1 to 4 words, got 0."),
        ("vector", "1,2", "--vector takes numbers of shape [9], got [2]."),
        ("vector", "1,two", "1,two cannot be read"),
        ("vector", "{}/wide.npy", "--vector takes numbers of shape [9], got [2, 3]."),
        ("vector", "{}/none.npy", "none.npy cannot be read: No such file or directory."),
        ("vector", "{}/empty.npy", "empty.npy cannot be read"),
        ("vector", "{}/words.npy", "words.npy cannot be read: it holds no array of numbers."),
        ("vector", "{}/objects.npy", "objects.npy cannot be read"),
        ("vector", "{}/zipped.npy", "zipped.npy cannot be read: it holds no array of numbers."),
        ("vector", "1,2,3,4,5,6,7,8,1e39", "--vector takes finite numbers"),
        ("number", "nan", "--number takes finite numbers, got nan."),
        ("number", "1,2", "--number takes numbers of shape [], got [2]."),
        ("voxels", "{}/half.npy", "--voxels takes whole numbers from 0 to 255; "),
        ("voxels", "{}/large.npy", "--voxels takes whole numbers from 0 to 255; "),
        (
            "image",
            "{}/none.png",
            "--image takes an image file, but {}/none.png cannot be read: No such file or directory.",
        ),
        ("image", "{}/text.png", "text.png cannot be read"),
        ("image", "{}/folder.png", "folder.png cannot be read: Is a directory."),
        ("image", "{}/cut.png", "cut.png cannot be read"),
        ("mask", "a cat", "--mask takes an image file, but a cat cannot be read"),
        (
            "label_map",
            "{}/colours.png",
            "colours.png cannot be read: its pixels are RGB colours, not numbers of classes.",
        ),
        ("label_map", "{}/seven.png", "--label-map takes whole numbers from 0 to 6; {}/seven.png has 7"),
        ("label_map", "{}/text.png", "text.png cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence(kind, text, sentence, tmp_path):
    mistakes(tmp_path)
    with pytest.raises(UserError) as caught:
        stored(kind, FIELDS[kind], text.format(tmp_path))
    assert sentence.format(tmp_path) in str(caught.value)
    assert str(caught.value).startswith("--")
    assert str(caught.value)[-1] == "."
    assert "\n" not in str(caught.value)


def test_what_is_no_image_is_said_without_objects_of_python(tmp_path):
    mistakes(tmp_path)
    with pytest.raises(UserError) as caught:
        stored("x", Field("image", (None, None, 3)), f"{tmp_path}/text.png")
    assert str(caught.value) == (
        f"--x takes an image file, but {tmp_path}/text.png cannot be read: it is no image, or of a format that Pillow "
        "does not read."
    )


@pytest.mark.parametrize(
    ("names", "text", "said"),
    [
        (("cat", "dog"), "Cat", r"one of cat, dog; got Cat; did you mean cat\?"),
        (("T-shirt", "trousers"), "trouser", r"got trouser; did you mean trousers\?"),
        (("5", "2000000"), "1", r"--label takes one of 5, 2000000; got 1\.$"),
        (("1", "2"), "0", r"--label takes one of 1, 2; got 0\."),
        (("0", "1"), "2", r"--label takes a class from 0 to 1; got 2\.$"),
        (tuple(f"c{i}" for i in range(25)), "x", r"c18, c19 and 5 more; got x"),
    ],
)
def test_classes_that_are_not_there(names, text, said):
    with pytest.raises(UserError, match=said):
        stored("label", label(names), text)


@pytest.mark.parametrize(
    ("names", "text", "number"),
    [(("cat", "dog"), "dog", 1), (("cat", "dog"), "1", 1), (("5", "2000000"), "2000000", 1), (("1", "2"), "1", 0)],
)
def test_classes_by_name_and_number(names, text, number):
    assert int(stored("label", label(names), text)) == number
