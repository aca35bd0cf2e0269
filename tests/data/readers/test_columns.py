"""Oracle: the arrays that were saved, and closed forms of the ranges."""

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.errors import UserError
from jaxgan.fields import KINDS, Field, Needs

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
LEVELS = np.linspace(0, 1, 60, dtype=np.float64).reshape(3, 4, 5)
BITS = RNG.integers(0, 2, (3, 4, 5)).astype(bool)
WORDS = np.array([[1, 2, 0], [3, 0, 0], [2, 2, 2]])
RANDOM = RNG.normal(size=(3, 2))


def loaded(tmp_path, kind, array, **more):
    np.savez(tmp_path / "a.npz", x=array, **more)
    return data.load(f"{tmp_path}/a.npz", needs=Needs({"x": kind}))


@pytest.mark.parametrize(
    ("kind", "array", "field", "stored", "note"),
    [
        ("image", PIXELS, Field("image", (4, 5, 3)), PIXELS, ""),
        ("image", PIXELS.astype(np.int64), Field("image", (4, 5, 3)), PIXELS, "x: int64 stored as uint8"),
        ("image", BITS, Field("image", (4, 5, 1)), BITS[..., None] * 255, "x: false and true taken as 0 and 255"),
        (
            "image",
            LEVELS,
            Field("image", (4, 5, 1)),
            np.rint(LEVELS * 255)[..., None],
            "taken as 0 (black) to 1 (white)",
        ),
        (
            "image",
            LEVELS * 2 - 1,
            Field("image", (4, 5, 1)),
            np.rint(LEVELS * 255)[..., None],
            "float64 taken as -1 (black)",
        ),
        ("video", PIXELS[:, None], Field("video", (1, 4, 5, 3)), PIXELS[:, None], ""),
        ("mask", BITS, Field("mask", (4, 5, 1)), BITS[..., None] * 255, "x: false and true taken as 0 and 255"),
        ("mask", BITS * 255, Field("mask", (4, 5, 1)), BITS[..., None] * 255, "x: int64 stored as uint8"),
        (
            "mask",
            BITS.astype(np.uint8),
            Field("mask", (4, 5, 1)),
            BITS[..., None] * 255,
            "x: 0 and 1 taken as 0 and 255",
        ),
        (
            "voxels",
            BITS.astype(np.uint8)[:, None],
            Field("voxels", (1, 4, 5)),
            BITS[:, None] * 255,
            "taken as 0 and 255",
        ),
        ("voxels", LEVELS, None, None, ""),
        ("label_map", WORDS[:, None], Field("label_map", (1, 3), tuple("0123")), WORDS[:, None], ""),
        ("label", [0, 2, 1], Field("label", (), tuple("012")), [0, 2, 1], ""),
        ("label", [[0], [2], [1]], Field("label", (), tuple("012")), [0, 2, 1], ""),
        ("code", [0, 2, 1], Field("code", (), tuple("012")), [0, 2, 1], ""),
        ("tokens", WORDS, Field("tokens", (3,), tuple("0123")), WORDS, ""),
        (
            "wave",
            [[-1.0, 0.5, 1.0]] * 3,
            Field("wave", (3,)),
            [[-32768, 16384, 32767]] * 3,
            "x: float64 taken as -1 to 1",
        ),
        ("wave", WORDS.astype(np.int16), Field("wave", (3,)), WORDS, ""),
        ("vector", RANDOM, Field("vector", (2,)), RANDOM.astype(np.float32), "x: float64 stored as float32"),
        ("vector", RANDOM[:, None], Field("vector", (1, 2)), RANDOM[:, None].astype(np.float32), "stored as float32"),
        ("number", [1, 2, 3], Field("number"), [1, 2, 3], "x: int64 stored as float32"),
        ("number", np.float32([1, 2, 3]), Field("number"), [1, 2, 3], ""),
        # What a field of two kinds is.
        ("image|label_map", WORDS[:, None], Field("label_map", (1, 3), tuple("0123")), WORDS[:, None], ""),
        ("image|label_map", PIXELS[..., 0], Field("image", (4, 5, 1)), PIXELS[..., :1], ""),
        ("vector|label", [0, 1, 1], Field("label", (), ("0", "1")), [0, 1, 1], ""),
        ("vector|label", RANDOM, Field("vector", (2,)), RANDOM.astype(np.float32), "stored as float32"),
    ],
)
def test_every_kind(tmp_path, kind, array, field, stored, note):
    if field is None:
        with pytest.raises(UserError, match=r"x in .* should be \[N, d, h, w\] \(voxels\), not float64 \[3, 4, 5\]"):
            loaded(tmp_path, kind, array)
        return
    made = loaded(tmp_path, kind, array)
    assert made.spec == {"x": field}
    (arrays,) = data.resident(made, made.spec)
    assert arrays["x"].dtype == KINDS[field.kind].dtype
    np.testing.assert_array_equal(arrays["x"], stored)
    assert note in made.description
    assert (";" in made.description) == bool(note)


def test_names_and_rates_lie_beside(tmp_path):
    named = loaded(tmp_path, "label", [0, 1, 0], x_names=np.array(["cat", "dog", "cow"]))
    assert named.spec["x"].names == ("cat", "dog")  # nothing is a cow
    assert named.description.endswith("x (label, 2 names: cat, dog); no x is cow")
    assert loaded(tmp_path, "wave", WORDS.astype(np.int16), x_rate=8000).spec["x"].rate == 8000.0
    assert (
        loaded(tmp_path, "image|label_map", PIXELS[..., 0] % 2, x_names=np.array(["a", "b"])).spec["x"].kind
        == "label_map"
    )


@pytest.mark.parametrize(
    ("labels", "names", "stored"),
    [
        ([5, 2000000, 5], ("5", "2000000"), [0, 1, 0]),
        ([0, 2, 2], ("0", "2"), [0, 1, 1]),
        ([1, 2, 3], ("1", "2", "3"), [0, 1, 2]),
        (np.uint8([255, 0, 255]), ("0", "255"), [1, 0, 1]),
        (["c10", "c9", "c10"], ("c9", "c10"), [1, 0, 1]),
        ([b"b", b"a", b"a"], ("a", "b"), [1, 0, 0]),
    ],
)
def test_only_labels_that_occur_are_classes(tmp_path, labels, names, stored):
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=labels)
    made = data.load(f"{tmp_path}/a.npz")
    assert made.spec["label"] == fields.label(names)
    assert made.table("label").source.arrays["label"].tolist() == stored
    assert made.description.endswith(f"{len(names)} classes" + ("" if names == ("0",) else f": {', '.join(names)}"))


def test_images_and_labels_with_names(tmp_path):
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=[0, 1, 1], label_names=np.array(["cat", "dog"]))
    assert data.load(f"{tmp_path}/a.npz").spec == {
        "image": fields.image(4, 5, 3),
        "label": fields.label(("cat", "dog")),
    }


def test_pictures_of_an_example_have_one_size(tmp_path):
    needs = Needs({"source": "label_map", "target": "image"})
    classes = RNG.integers(0, 3, (3, 8, 10))
    np.savez(tmp_path / "a.npz", source=classes, target=PIXELS)
    made = data.load(f"{tmp_path}/a.npz", needs=needs, image_size=(4, 5))
    (arrays,) = data.resident(made, made.spec)
    nearest = [Image.fromarray(one.astype(np.int32)).resize((5, 4), Image.Resampling.NEAREST) for one in classes]
    np.testing.assert_array_equal(arrays["source"], np.stack([np.asarray(one) for one in nearest]))
    np.testing.assert_array_equal(arrays["target"], PIXELS)
    assert "2 sizes from 4x5 to 8x10 scaled" in made.description


def test_what_keras_files_hold_beside_is_left_out_and_said(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=PIXELS, y_train=[0, 1, 1], x_test=PIXELS, y_test=[0, 1, 1])
    assert data.load(f"{tmp_path}/a.npz").description.endswith("3 images 4x5x3, 2 classes; x_test, y_test left out")


PAIR = Needs({"source": "image", "target": "image"})


@pytest.mark.parametrize(
    ("needs", "arrays", "message"),
    [
        (PAIR, {"source": PIXELS}, "lacks arrays named target: it holds source: uint8"),
        (
            PAIR,
            {"source": PIXELS, "target": PIXELS, "depth": RANDOM},
            r"holds depth, which no field is named like; .* source \(image\)",
        ),
        (PAIR, {"source": PIXELS, "target": PIXELS[:2]}, "must have one length: source has 3, target has 2 examples"),
        (
            PAIR,
            {"source": PIXELS, "target": LEVELS * 3},
            "target in .* is float64, from 0 to 3; it takes whole numbers from 0 to",
        ),
        (PAIR, {"source": PIXELS, "target": LEVELS * np.nan}, "target in .* is float64, not finite"),
        (
            PAIR,
            {"source": PIXELS, "target": RANDOM},
            r"target in .* should be \[N, h, w, c\] \(image\), not float64 \[3, 2\]",
        ),
        (PAIR, {"source": PIXELS, "target": PIXELS[:0]}, "a.npz holds no target"),
        (Needs({"a": "mask"}), {"a": LEVELS * -1}, "a in .* is float64, from -1 to -?0; it takes false and true"),
        (Needs({"a": "wave"}), {"a": RANDOM * 100}, "it takes int16 samples, or fractions from -1 to 1"),
        (Needs({"a": "label_map"}), {"a": LEVELS}, "a in .* is float64, from 0 to 1; it takes whole numbers from 0"),
        (
            Needs({"a": "label"}),
            {"a": [0, 1, -1]},
            r"a in .* should be 3 class indices, not int64 \[3\], and -1 in row 2 is below 0",
        ),
        (Needs({"a": "label"}), {"a": [0.0, 1.0, 2.0]}, r"3 class indices, .*fractions that are whole: .astype"),
        (Needs({"a": "label"}), {"a": [0.0, 1.5, np.nan]}, r"3 class indices, .*and 1.5 in row 1 is no whole number"),
        (Needs({"a": "code"}), {"a": [0, 2_000_000, 1]}, "goes up to 2,000,000, .* at most 1,000,000 can be"),
        (
            Needs({"a": "label"}),
            {"a": [0, 1, 2], "a_names": np.array(["x", "y"])},
            "a in .* goes up to 2, but there are 2 names: 0 to 1",
        ),
        (
            Needs({"a": "tokens"}),
            {"a": WORDS, "a_names": np.array(["x"])},
            "a in .* goes up to 3, but there are 1 names",
        ),
        (
            Needs({"a": "vector"}),
            {"a": np.array(["x", "y"])[:, None]},
            "a in .* is <U1, not finite; it takes finite numbers",
        ),
        (fields.IMAGES, {"images": PIXELS, "depth": RANDOM}, "holds depth, which no field is named like"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path, needs, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=message) as caught:
        data.load(f"{tmp_path}/a.npz", needs=needs)
    assert str(caught.value).count("\n") == 0


def test_labels_of_one_class_are_none_unless_they_are_needed(tmp_path):
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=[0, 0, 0])
    assert set(data.load(f"{tmp_path}/a.npz").spec) == {"image"}
    needed = Needs({"image": "image", "label": "label"})
    assert data.load(f"{tmp_path}/a.npz", needs=needed).spec["label"] == fields.label(("0",))


TALL = RNG.integers(0, 256, (2, 6, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("kind", "array", "stored", "note"),
    [
        ("image", TALL[0], TALL[:1], "[6, 7, 3] taken as one picture in colour"),
        ("image", np.moveaxis(TALL, -1, 1), TALL, "[2, 3, 6, 7] taken as [n, c, h, w]"),
        ("image", TALL[:, None, :, :, 0], TALL[..., :1], "[2, 1, 6, 7] taken as [n, c, h, w]"),
        ("image", np.moveaxis(TALL / 255, -1, 1), TALL, "[2, 3, 6, 7] taken as [n, c, h, w]"),
        ("image", np.moveaxis(TALL[0], -1, 0), np.moveaxis(TALL[0], -1, 0)[..., None], "three grey pictures"),
        ("video", np.moveaxis(TALL, -1, 1)[None], TALL[None], "[1, 2, 3, 6, 7] taken as [n, t, c, h, w]"),
        ("mask", TALL[:, None, :, :, 0], TALL[..., :1], "[2, 1, 6, 7] taken as [n, c, h, w]"),
        ("image", TALL, TALL, ""),
        ("image", TALL[..., 0], TALL[..., :1], ""),
    ],
)
def test_layouts_are_told(tmp_path, kind, array, stored, note):
    made = loaded(tmp_path, kind, array)
    np.testing.assert_array_equal(made.table("x").source.arrays["x"], stored)
    assert note in made.description
    assert note or "taken" not in made.description


@pytest.mark.parametrize(
    "array",
    [TALL * 1.0, TALL.astype(np.uint16) * 200, TALL - 300.0, np.int8(TALL.astype(int) - 128), TALL / 127.5],
    ids=lambda array: f"{array.dtype}",
)
def test_the_conversion_that_is_told_works(tmp_path, array):
    with pytest.raises(UserError, match=r"it takes .*; .* makes such") as caught:
        loaded(tmp_path, "image", array)
    expression = (
        str(caught.value).partition("to 1; ")[2].partition(" makes such")[0].partition("to 1; ")[2]
        or str(caught.value).rpartition("; ")[2].partition(" makes such")[0]
    )
    made = loaded(tmp_path, "image", eval(expression, {"x": array}))  # as a user would
    assert made.table("x").source.arrays["x"].shape == TALL.shape


def test_numbers_that_are_none(tmp_path):
    with pytest.raises(UserError, match=r"not finite; .* numpy\.isfinite"):
        loaded(tmp_path, "image", np.full((2, 6, 7), np.nan))
