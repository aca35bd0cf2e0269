"""Running an extractor. Oracle: the extractor applied to one image at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.data import gather, some_rows
from jaxgan.errors import UserError
from jaxgan.fields import image
from jaxgan.metrics.seen_by.extractors import choose, pixels
from jaxgan.metrics.seen_by.features import Extractor, batches_of, extract, outputs_of, stream_features


def images(n, shape=(6, 5, 3), seed=0):
    return np.random.RandomState(seed).randint(0, 256, (n, *shape)).astype(np.uint8)


def rows(params, x):
    """Features that show which image they are of, and on how many devices the batch lay."""
    flat = jnp.asarray(x, jnp.float32).reshape(len(x), -1)
    return {"features": flat[:, :7] * params["scale"], "logits": flat.sum(1, keepdims=True)}


ROWS = Extractor("rows", "", "none", "float32", rows, {"scale": jnp.float32(2)})


@pytest.mark.parametrize("cut", [1, 3, 16, 50])
def test_every_image_once_and_in_order(cut):
    x = images(50)
    found = extract(ROWS, (x[i : i + cut] for i in range(0, 50, cut)), ("features", "logits"), batch_size=16)
    np.testing.assert_array_equal(found["features"], 2 * x.reshape(50, -1)[:, :7].astype(np.float32))
    np.testing.assert_allclose(found["logits"][:, 0], x.reshape(50, -1).sum(1), rtol=1e-6)


def test_all_devices_share_a_batch():
    assert len(jax.devices()) == 8
    sizes = [len(part["features"]) for part in stream_features(ROWS, [images(21)], batch_size=10)]
    assert sizes == [16, 5]  # 10 made a multiple of 8, and what is left


def test_one_program_for_all_batches():
    traces = []

    def counted(params, x):
        traces.append(x.shape)
        return rows(params, x)

    extractor = ROWS._replace(apply=counted)
    for _ in range(2):
        extract(extractor, [images(13), images(30)], batch_size=8)
    assert traces == [(1, 6, 5, 3)]  # a device sees its own images


def test_progress_and_outputs():
    done = []
    extract(ROWS, [images(20)], batch_size=8, progress=done.append)
    assert done == [8, 16, 20]
    assert outputs_of(ROWS, image(6, 5, 3)) == {"features": (7,), "logits": (1,)}


def test_batches_of_a_data_set(fashion):
    found = np.concatenate(list(batches_of(fashion, "image", limit=100, size=64)))
    np.testing.assert_array_equal(
        found, gather(fashion.table("image").source, some_rows(10_000, 100), ["image"])["image"]
    )
    assert sum(map(len, batches_of(fashion, "image"))) == 10_000


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([], "no images"),
        ([images(3).astype(np.float32) / 127.5 - 1], r"uint8 images from 0 to 255, got float32 from -1 to"),
        ([images(3)[..., 0]], "four axes"),
        ([images(3), images(3, (4, 4, 3))], "one shape"),
    ],
)
def test_bad_images_are_one_sentence(batches, words):
    with pytest.raises(UserError, match=words):
        extract(ROWS, batches)


def test_unknown_output():
    with pytest.raises(UserError, match="outputs features, logits, not spatial"):
        extract(ROWS, [images(2)], ("spatial",))


def test_pixels_are_means_of_blocks():
    x = images(4, (32, 32, 1))
    found = extract(pixels(), [np.full((2, 40, 50, 3), 51, np.uint8)])["features"]
    np.testing.assert_allclose(found, 0.2, rtol=1e-6)
    assert found.shape == (2, 16 * 16 * 3)
    small = images(4, (16, 16, 1))
    np.testing.assert_allclose(
        extract(pixels(), [small])["features"], small.reshape(4, -1) / np.float32(255), rtol=1e-6
    )
    assert abs(extract(pixels(), [x])["features"].mean() - x.mean() / 255) < 0.01


@pytest.mark.parametrize(
    ("name", "how", "words"),
    [
        ("pixels", {"weights": "x.pth"}, "--weights belongs to the Inception networks"),
        ("fashion-cnn", {"precision": "bfloat16"}, "--precision of --extractor fashion-cnn is float32"),
    ],
)
def test_choices_that_cannot_be(name, how, words):
    with pytest.raises(UserError, match=words):
        choose(name, [image(28, 28, 1)], **how)


def test_auto_takes_what_the_images_allow(monkeypatch, tmp_path):
    for name in ("XDG_CACHE_HOME", "TORCH_HOME", "JAXGAN_CACHE", "JAXGAN_INCEPTION_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    assert choose("auto", [image(28, 28, 1), image(64, 64, 1)]).name == "fashion-cnn"
    for shape in ((28, 28, 3), (128, 128, 1)):
        with pytest.raises(UserError, match="6726825d"):  # Inception, whose weights are not here
            choose("auto", [image(28, 28, 1), image(*shape)])
