"""Oracle: the arrays that were saved."""

import gzip
import struct

import numpy as np
import pytest

from jaxgan import data
from jaxgan.errors import UserError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)
LABELS = np.array([0, 2, 1, 2, 0], np.int64)


def whole(loaded):
    return data.resident(loaded, loaded.spec)[0]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (COLOUR, COLOUR),
        (COLOUR[..., 0], COLOUR[..., :1]),
        (COLOUR[..., :1], COLOUR[..., :1]),
        (np.concatenate([COLOUR, np.full((5, 4, 6, 1), 255, np.uint8)], -1), COLOUR),
    ],
)
def test_npz_and_npy(tmp_path, images, expected):
    np.savez(tmp_path / "a.npz", images=images, labels=LABELS)
    np.save(tmp_path / "a.npy", images)
    with_labels, without = data.load(f"{tmp_path}/a.npz"), data.load(f"{tmp_path}/a.npy")
    np.testing.assert_array_equal(whole(with_labels)["image"], expected)
    np.testing.assert_array_equal(whole(with_labels)["label"], LABELS)
    np.testing.assert_array_equal(whole(without)["image"], expected)
    assert with_labels.spec["label"].names == ("0", "1", "2")
    assert "label" not in without.spec
    assert "label" not in without.table("image").source[0]


def test_resize_and_channels(tmp_path):
    np.save(tmp_path / "a.npy", COLOUR)
    assert data.load(f"{tmp_path}/a.npy", image_size=(3, 2), channels=1).spec["image"].shape == (3, 2, 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"images": COLOUR / 250},
            r"images in .*a.npz is float64, from 0 to 1.02; it takes whole numbers from 0 to 255, or",
        ),
        ({"images": COLOUR[0, 0]}, "uint8 images"),
        ({"pictures": COLOUR}, "it holds pictures: uint8"),
        ({"images": COLOUR[:0]}, "no images"),
        ({"images": COLOUR, "labels": LABELS[:3]}, "5 class indices"),
        ({"images": COLOUR, "labels": LABELS - 1}, "5 class indices, not .* is below 0"),
        ({"images": COLOUR, "labels": LABELS / 2}, "5 class indices, not .* 0.5 in row 2 is no whole number"),
        ({"images": np.array([{"a": 1}], object)}, "plain arrays"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=message):
        data.load(f"{tmp_path}/a.npz")


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 but no zip"])
def test_damaged_files(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="not a NumPy file"):
        data.load(f"{tmp_path}/{name}")


def test_idx_folder_and_file(tmp_path):
    grey = COLOUR[..., 0]
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">HBBIII", 0, 8, 3, *grey.shape) + grey.tobytes())
    )
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 5) + bytes([0, 2, 1, 2, 0]))
    for spec in (str(tmp_path), f"{tmp_path}/t10k-images-idx3-ubyte.gz"):
        loaded = data.load(spec)
        np.testing.assert_array_equal(whole(loaded)["image"][..., 0], grey)
        np.testing.assert_array_equal(whole(loaded)["label"], LABELS)
        assert loaded.description == f"{spec}: 5 images 4x6x1, 3 classes"
