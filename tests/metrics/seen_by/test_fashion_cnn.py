"""The bundled extractor. Each test names its oracle."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.errors import UserError
from jaxgan.metrics.seen_by import fashion_cnn as module
from jaxgan.metrics.seen_by.fashion_cnn import WEIGHTS, fashion_cnn, pack, unpack
from jaxgan.metrics.seen_by.features import batches_of, extract

SHA256 = "6a0f1632edd20c86b93cf4481689e35c2ac33c0c6b7ecf5c8bf589b8524e876a"
ACCURACY = 0.9367


@pytest.fixture(scope="module")
def images(fashion):
    return data.resident(fashion, fields.only(fashion.spec, "image"))[0]["image"][:40]


def _features(images):
    return np.asarray(jax.jit(fashion_cnn().apply)(fashion_cnn().params, images)["features"])


# Oracle: the labels of the 10,000 images, none of which it was trained on; the figure its run card states.
def test_stated_accuracy(fashion):
    found = extract(fashion_cnn(), batches_of(fashion, "image", size=1000), ("logits",), batch_size=1000)
    right = (found["logits"].argmax(1) == data.resident(fashion, fields.only(fashion.spec, "label"))[0]["label"]).mean()
    assert right == pytest.approx(ACCURACY, abs=2e-4)  # two images whose first two classes are nearly alike
    assert right >= 0.93


# Oracle: the file that was made by experiments/fashion_classifier.py.
def test_the_bundled_file():
    content = WEIGHTS.read_bytes()
    assert len(content) < 2_000_000
    assert fashion_cnn().weights == hashlib.sha256(content).hexdigest() == SHA256


# Oracle: a feature is of its image alone.
def test_features_do_not_depend_on_the_batch(images):
    whole = _features(images)
    assert whole.shape == (40, 128)
    assert whole.min() >= 0
    alone = np.concatenate([_features(images[:1]), _features(images[1:8])])
    np.testing.assert_allclose(alone, whole[:8], atol=1e-5 * whole.max())


# Oracle: the definition of luminance: greys stay themselves, green counts 0.587.
def test_colour(images):
    whole = _features(images)
    np.testing.assert_allclose(_features(np.repeat(images, 3, axis=-1)), whole, atol=1e-4 * whole.max())
    green = jnp.zeros((1, 28, 28, 3)).at[..., 1].set(100.0)
    np.testing.assert_allclose(np.asarray(module._prepare(green)), 58.7, rtol=1e-5)
    with pytest.raises(UserError, match="1 or 3 channels, got 2"):
        module._prepare(jnp.zeros((1, 28, 28, 2)))


# Oracle: Pillow, whose bilinear resize is antialiased, in floating point.
@pytest.mark.parametrize("size", [(61, 40), (20, 28), (90, 17)])
def test_resize(size):
    image = np.random.RandomState(0).uniform(0, 255, size).astype(np.float32)
    expected = np.asarray(Image.fromarray(image).resize((28, 28), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(module._prepare(jnp.asarray(image[None, ..., None]))[0, ..., 0], expected, atol=0.01)


# Oracle: what was packed.
def test_pack_and_unpack():
    variables = {
        "params": {"a": {"kernel": np.arange(3, dtype=np.float32)}},
        "batch_stats": {"b": np.zeros(2, np.float32)},
    }
    found = unpack(pack(variables, {"what": "a test"}))
    jax.tree.map(np.testing.assert_array_equal, found, variables)
