"""Images of several sizes. Oracle: Pillow as clean-FID uses it, and the resizes of batches in JAX."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.metrics.seen_by import each
from jaxgan.metrics.seen_by.extractors import pixels
from jaxgan.metrics.seen_by.resize import one_clean, one_legacy, resize_clean, resize_legacy

SIZES = [(20, 31), (7, 5), (299, 40), (12, 12)]


def image(size, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, channels), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_one_image_is_resized_as_pillow_does(size):
    x = image(size)
    floats = [Image.fromarray(x[..., i].astype(np.float32)) for i in range(3)]
    expected = [np.asarray(each.resize((18, 12), Image.Resampling.BICUBIC)) for each in floats]
    np.testing.assert_allclose(one_clean(x, 12, 18), np.clip(np.stack(expected, -1), 0, 255), atol=1e-3)


@pytest.mark.parametrize("size", SIZES)
def test_one_image_is_resized_as_a_batch_is(size):
    x = image(size, 1)
    for one, batch in ((one_clean, resize_clean), (one_legacy, resize_legacy)):
        np.testing.assert_allclose(one(x, 14, 9), batch(jnp.asarray(x[None]), 14, 9)[0], atol=1e-3)
        np.testing.assert_allclose(batch(one(x, 14, 9)[None], 14, 9)[0], one(x, 14, 9), atol=1e-4)  # and stays so


@pytest.fixture
def folder(tmp_path):
    for i, size in enumerate(SIZES):
        Image.fromarray(image(size, seed=i)).save(tmp_path / f"{i}.png")
    turned = Image.fromarray(image((6, 9), seed=9))
    exif = turned.getexif()
    exif[0x0112] = 6  # the camera lay on its side
    turned.save(tmp_path / "9.png", exif=exif)
    return data.load(str(tmp_path), image_size="any")


def test_each_picture_keeps_its_size_until_it_is_seen(folder):
    assert folder.spec["image"].shape == (None, None, 3)
    assert "5 sizes from 7x5 to 299x40, each as it is" in folder.description
    np.testing.assert_array_equal(folder.table("image").source[1]["image"], image(SIZES[1], seed=1))
    assert folder.table("image").source[4]["image"].shape == (9, 6, 3)
    batches = list(each.examples_of(folder, "image", pixels(), size=3))
    assert [batch["image"].shape for batch in batches] == [(3, 16, 16, 3), (2, 16, 16, 3)]
    np.testing.assert_array_equal(batches[0]["image"][2], one_clean(image(SIZES[2], seed=2), 16, 16))


def test_the_protocol_says_so_where_it_is_not_the_extractors_own(folder):
    assert each.words_of(pixels()) == "each clean to 16x16"
    assert each.words_of(pixels()._replace(resize="clean")) == each.words_of(pixels()._replace(resize="legacy")) == ""
    with pytest.raises(UserError, match="pixels-16 does not say which size it takes; --image-size"):
        each.words_of(pixels()._replace(size=None))
