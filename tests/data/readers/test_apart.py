"""Oracle: the arrays that were saved."""

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.errors import UserError
from jaxgan.fields import Needs

RNG = np.random.default_rng(0)
APART = Needs({"a": "image", "b": "image"}, apart=True)
PIXELS = {name: RNG.integers(0, 256, (count, 5, 4, 3), dtype=np.uint8) for name, count in (("a", 2), ("b", 3))}


def save(root, names):
    for field, name in names.items():
        (root / name).mkdir(parents=True)
        for number, pixels in enumerate(PIXELS[field]):
            Image.fromarray(pixels).save(root / name / f"{number}.png")


@pytest.mark.parametrize("names", [{"a": "a", "b": "b"}, {"a": "trainA", "b": "trainB"}, {"a": "A", "b": "B"}])
def test_each_field_is_a_table_of_its_own(tmp_path, names):
    save(tmp_path, names)
    loaded = data.load(str(tmp_path), needs=APART)
    assert [table.spec for table in loaded.tables] == [{"a": fields.image(5, 4, 3)}, {"b": fields.image(5, 4, 3)}]
    for name in "ab":
        (whole,) = (each[name] for each in data.resident(loaded, loaded.spec) if name in each)
        np.testing.assert_array_equal(whole, PIXELS[name])
    assert loaded.description == (f"{tmp_path}: 2 examples of a (image 5x4x3) apart from 3 examples of b (image 5x4x3)")
    assert next(data.stream(loaded, loaded.spec, 4, 0))["b"].shape == (4, 5, 4, 3)


def test_sets_of_a_test_are_left_out_and_said(tmp_path):
    save(tmp_path, {"a": "trainA", "b": "trainB"})
    save(tmp_path / "more", {"a": "x"})
    (tmp_path / "more").rename(tmp_path / "testA")
    assert data.load(str(tmp_path), needs=APART).description.endswith("; testA left out")


def test_a_set_that_is_missing(tmp_path):
    save(tmp_path, {"a": "trainA", "b": "elsewhere"})
    with pytest.raises(UserError, match=r"for each of a, b \(or trainB and so on\); it lacks b"):
        data.load(str(tmp_path), needs=APART)


def test_which_set_a_picture_is_in_is_part_of_the_fingerprint(tmp_path):
    save(tmp_path, {"a": "a", "b": "b"})
    before = data.load(str(tmp_path), needs=APART).fingerprint
    (tmp_path / "b/0.png").rename(tmp_path / "a/9.png")  # the same pictures in the same order
    assert data.load(str(tmp_path), needs=APART).fingerprint != before


def test_an_npz_may_have_different_lengths(tmp_path):
    np.savez(tmp_path / "a.npz", **PIXELS)
    loaded = data.load(f"{tmp_path}/a.npz", needs=APART)
    assert [table.rows for table in loaded.tables] == [2, 3]
    np.testing.assert_array_equal(data.resident(loaded, loaded.spec)[1]["b"], PIXELS["b"])
    with pytest.raises(UserError, match="must have one length: a has 2, b has 3 examples"):
        data.load(f"{tmp_path}/a.npz", needs=Needs(APART.fields))


def test_tfds_is_one_set():
    with pytest.raises(UserError, match=r"is one set; this recipe takes a .* apart"):
        data.load("mnist", needs=APART)
