"""Resizes against the libraries that published numbers were computed with."""

from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.metrics.seen_by.resize import resize_bilinear, resize_clean, resize_legacy, to_colour

SIZES = [(32, 32), (24, 33), (299, 299), (350, 310), (512, 200), (1, 1)]


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parents[1] / "fixtures" / "inception_golden.npz") as file:
        return dict(file)


def pattern(height, width):
    """The image that the golden values were made of."""
    row, column, channel = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((7 * row + 13 * column + 29 * channel + row * column % 31) % 256).astype(np.uint8)


def sparse(images):
    """The rows and columns that are stored."""
    sample = np.r_[0:299:23, 296:299]
    return np.asarray(images)[:, sample][:, :, sample]


@pytest.fixture(params=["up", "down"])
def direction(request, golden):
    return request.param, golden["images"] if request.param == "up" else pattern(350, 310)[None]


def test_legacy_is_tensorflow_1s(golden, direction):
    """Oracle: torch-fidelity's copy of it, which it found to be exact to the bit."""
    name, images = direction
    theirs = golden[f"legacy/{name}"]
    assert np.array_equal(sparse(resize_legacy(images, 299, 299)), theirs)
    compiled = jax.jit(resize_legacy, static_argnums=(1, 2))(images, 299, 299)
    np.testing.assert_allclose(sparse(compiled), theirs, atol=1e-4, rtol=0)


def test_bilinear_is_torchs(golden, direction):
    """Oracle: torch.nn.functional.interpolate, which rounds positions to float32, as JAX does."""
    name, images = direction
    ours = sparse(resize_bilinear(images, 299, 299))
    np.testing.assert_allclose(ours, golden[f"bilinear/{name}"], atol=1e-4, rtol=0)


def test_the_two_bilinear_ones_differ(direction):
    _, images = direction
    assert np.abs(resize_legacy(images, 299, 299) - resize_bilinear(images, 299, 299)).mean() > 1


def pillow(image, height, width):
    """Bicubic of each channel in floating point, clipped, as clean-FID does it."""
    channels = [Image.fromarray(image[..., c].astype(np.float32)) for c in range(image.shape[-1])]
    resized = [np.asarray(channel.resize((width, height), Image.Resampling.BICUBIC)) for channel in channels]
    return np.clip(np.stack(resized, axis=-1), 0, 255)


@pytest.mark.parametrize("size", SIZES)
def test_clean_is_pillows_antialiased_bicubic(size):
    """Oracle: Pillow."""
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    image[: size[0] // 2] = 255 * (image[: size[0] // 2] > 127)  # overshoots, which are clipped
    theirs = pillow(image, 299, 299)
    np.testing.assert_allclose(resize_clean(image[None], 299, 299)[0], theirs, atol=1e-3, rtol=0)
    assert theirs.min() >= 0
    assert theirs.max() <= 255


@pytest.mark.parametrize("size", [(64, 48), (40, 299)])
def test_clean_to_other_sizes(size):
    """Oracle: Pillow."""
    image = np.random.default_rng(1).uniform(0, 255, (100, 91, 1)).astype(np.float32)
    np.testing.assert_allclose(resize_clean(image[None], *size)[0], pillow(image, *size), atol=1e-3, rtol=0)


@pytest.mark.parametrize("resize", [resize_legacy, resize_clean, resize_bilinear])
def test_an_image_of_the_size_stays_as_it_is(resize):
    images = np.random.default_rng(2).integers(0, 256, (2, 19, 23, 3), dtype=np.uint8)
    resized = resize(images, 19, 23)
    assert resized.dtype == np.float32
    assert np.array_equal(resized, images)


def test_grey_is_repeated():
    images = np.random.default_rng(3).integers(0, 256, (2, 5, 4, 1), dtype=np.uint8)
    assert np.array_equal(to_colour(images), np.repeat(images, 3, axis=-1))
    with pytest.raises(UserError, match="1 or 3 channels, got 4"):
        to_colour(np.zeros((2, 5, 4, 4), np.uint8))
