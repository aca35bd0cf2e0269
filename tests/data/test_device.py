"""Oracles: the identity, and numpy indexing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import data
from jaxgan.data.source import ArraySource


def test_every_value_survives_the_round_trip_and_spans_minus_one_to_one():
    values = np.arange(256, dtype=np.uint8)
    images = data.normalize({"image": values})["image"]
    assert images.dtype == jnp.float32
    assert (float(images[0]), float(images[255])) == (-1.0, 1.0)
    np.testing.assert_array_equal(data.to_uint8(images), values)
    np.testing.assert_array_equal(jax.jit(data.to_uint8)(images), values)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_to_uint8_rounds_and_clips(dtype):
    images = jnp.asarray([-7.0, -1.0, 0.0, 1.0, 9.0], dtype)
    # 0 lies between 127 and 128; numpy's rint takes the even one.
    np.testing.assert_array_equal(data.to_uint8(images), [0, 0, np.rint(127.5), 255, 255])


def test_take_gathers_inside_jit():
    arrays = {"image": np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1), "label": np.arange(6, dtype=np.int32)}
    rows = np.array([4, 0, 4], np.int32)
    batch = jax.jit(data.take)(arrays, rows)
    for key in arrays:
        np.testing.assert_array_equal(batch[key], arrays[key][rows])
        assert batch[key].dtype == arrays[key].dtype


def test_resident_reads_any_source(fashion):
    class Lazy:
        def __len__(self):
            return 50

        def __getitem__(self, index):
            return fashion.source[index]

    arrays = data.resident(fashion._replace(source=Lazy()))
    whole = data.resident(fashion)
    assert isinstance(fashion.source, ArraySource)
    for key in ("image", "label"):
        np.testing.assert_array_equal(arrays[key], whole[key][:50])
        assert arrays[key].dtype == whole[key].dtype
