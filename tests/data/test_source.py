"""Oracle: hashlib over bytes laid out by hand."""

import hashlib
import json

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data import source
from jaxgan.errors import UserError

SPEC = {"image": fields.image(2, 2, 3), "label": fields.label(("a", "b"))}


def test_digest_is_of_the_fields_by_name():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    expected = hashlib.sha256(bytes(range(12)) + b"\x07\x00\x00\x00").digest()
    assert source.digest({"label": np.int32(7), "image": image}) == expected
    assert source.digest({"image": image}) == hashlib.sha256(bytes(range(12))).digest()
    # The same pixels in another memory layout, the same numbers in another byte order.
    assert source.digest({"image": np.asfortranarray(image), "label": np.array(7, ">i4")}) == expected


def test_fingerprint_is_of_fields_settings_and_digests():
    content = json.dumps({"a": 1, "fields": fields.to_json(SPEC)}, sort_keys=True).encode()
    assert source.fingerprint(SPEC, {"a": 1}, [b"x", b"y"]) == hashlib.sha256(content + b"xy").hexdigest()
    prints = {
        source.fingerprint(spec, {"a": a}, order)
        for spec in (SPEC, fields.only(SPEC, "image"))
        for a in (1, 2)
        for order in ([b"x", b"y"], [b"y", b"x"])
    }
    assert len(prints) == 8


def test_a_script_hands_over_arrays():
    arrays = {"image": np.zeros((3, 2, 2, 3), np.uint8), "label": np.arange(3, dtype=np.int32)}
    made = data.of_arrays(arrays, SPEC, "mine", "a note")
    assert made.description == "mine: 3 images 2x2x3, 2 classes: a, b; a note"
    assert (made.size, made.spec, data.nbytes(made, ["label"])) == (3, SPEC, 12)
    np.testing.assert_array_equal(data.gather(made.table("label").source, np.array([2, 0], np.int32))["label"], [2, 0])
    with pytest.raises(UserError, match="mine has no mask; it has image, label"):
        made.table("mask")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": np.zeros((3, 2, 2, 3), np.uint8)}, "mine lacks the field 'label'; it has image"),
        (
            {"image": np.zeros((3, 2, 2, 3)), "label": np.zeros(3, np.int32)},
            r"image of mine must be uint8 \[n, 2, 2, 3\]",
        ),
        ({"image": np.zeros((3, 2, 3, 3), np.uint8), "label": np.zeros(3, np.int32)}, "must be uint8"),
        ({"image": np.zeros((3, 2, 2, 3), np.uint8), "label": np.zeros(2, np.int32)}, "one length.* image 3, label 2"),
        ({"image": np.zeros((0, 2, 2, 3), np.uint8), "label": np.zeros(0, np.int32)}, "at least 1"),
    ],
)
def test_arrays_that_do_not_fit_are_one_sentence(arrays, message):
    with pytest.raises(UserError, match=message):
        data.of_arrays(arrays, SPEC, "mine")


def test_a_label_map_of_arrays_holds_classes_that_have_names():
    spec = {"source": fields.Field("label_map", (1, 2), ("sky", "sea"))}
    for value in (2, -1):
        with pytest.raises(UserError, match=f"source of mine holds class {value}, but there are names for 0 to 1"):
            data.of_arrays({"source": np.array([[[0, 0]], [[1, value]]], np.int32)}, spec, "mine")
