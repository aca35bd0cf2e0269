"""Oracle: hashlib over bytes laid out by hand."""

import hashlib

import numpy as np

from jaxgan.data import source


def test_digest_is_of_pixels_then_label():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    expected = hashlib.sha256(bytes(range(12)) + b"\x07\x00\x00\x00").digest()
    assert source.digest({"image": image, "label": np.int32(7)}) == expected
    assert source.digest({"image": image}) == hashlib.sha256(bytes(range(12)) + b"\xff" * 4).digest()
    # The same pixels in another memory layout.
    assert source.digest({"image": np.asfortranarray(image), "label": np.int32(7)}) == expected


def test_fingerprint_depends_on_order_and_settings():
    prints = {source.fingerprint({"a": a}, order) for a in (1, 2) for order in ([b"x", b"y"], [b"y", b"x"])}
    assert len(prints) == 4
    assert source.fingerprint({"a": 1, "b": 2}, []) == source.fingerprint({"b": 2, "a": 1}, [])
