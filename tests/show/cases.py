"""A small field of each kind, and random examples of it."""

import numpy as np

from jaxgan.fields import Field

FIELDS = {
    "image": Field("image", (6, 5, 3)),
    "mask": Field("mask", (6, 5, 1)),
    "label_map": Field("label_map", (6, 5), tuple("abcdefg")),
    "label": Field("label", (), ("cat", "dog")),
    "code": Field("code", (), ("0", "1", "2")),
    "vector": Field("vector", (9,)),
    "tokens": Field("tokens", (4,), ("", "a", "small", "bird")),
    "wave": Field("wave", (800,), rate=8000.0),
    "voxels": Field("voxels", (4, 5, 6)),
    "video": Field("video", (3, 6, 5, 1), rate=10.0),
    "number": Field("number"),
}


def batch(field, n, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n, *field.shape)
    if field.dtype.kind == "f":
        return rng.normal(size=shape).astype(np.float32)
    least, most = (0, len(field.names)) if field.names else (np.iinfo(field.dtype).min, np.iinfo(field.dtype).max)
    return rng.integers(least, most, shape, endpoint=not field.names).astype(field.dtype)
