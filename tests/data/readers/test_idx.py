"""Oracle: files written here byte by byte from the format's description."""

import gzip
import struct

import numpy as np
import pytest

from jaxgan.data.readers import idx
from jaxgan.errors import UserError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def image_bytes():
    return struct.pack(">HBBIII", 0, 8, 3, 2, 3, 4) + IMAGES.tobytes()


def label_bytes(*labels):
    return struct.pack(">HBBI", 0, 8, 1, len(labels)) + bytes(labels)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_parse(pack):
    np.testing.assert_array_equal(idx.parse(pack(image_bytes()), "f", 3), IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an IDX file"),
        (b"hello, this is no IDX file", "is not an IDX file"),
        (label_bytes(1, 2), "is not an IDX file"),
        (image_bytes()[:-1], "cut short"),
        (image_bytes() + b"x", "damaged"),
        (struct.pack(">HBBIII", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "cut short"),
        (gzip.compress(image_bytes(), mtime=0)[:-9], "damaged gzip"),  # the time would be in the test's name
        (b"\x1f\x8b\x08" + b"x" * 20, "damaged gzip"),
    ],
)
def test_damage_is_one_sentence(content, message):
    with pytest.raises(UserError, match=message):
        idx.parse(content, "f", 3)


def test_train_goes_before_t10k_and_labels_lie_beside(tmp_path):
    assert idx.images_file(tmp_path) is None
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(image_bytes())
    assert idx.images_file(tmp_path).name == "t10k-images-idx3-ubyte"
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(image_bytes()))
    path = idx.images_file(tmp_path)
    assert path.name == "train-images-idx3-ubyte.gz"
    assert idx.read(path)[1] is None
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(label_bytes(7, 1))
    images, labels = idx.read(path)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, [7, 1])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(label_bytes(7, 1, 2))
    with pytest.raises(UserError, match=r"has 2 images, but .* has 3 labels"):
        idx.read(path)
