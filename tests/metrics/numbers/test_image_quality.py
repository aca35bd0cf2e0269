import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers import image_quality
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.image_quality import crop_border, luma, ms_ssim, psnr, ssim
from tests.metrics import image_pairs

# Made by experiments/goldens/make_image_quality_golden.py with torchmetrics, piq and scikit-image, in float64.
GOLDEN = json.loads((Path(__file__).parents[1] / "fixtures" / "image_quality.json").read_text())
PAIRS = {"noise": (image_pairs.noise(), 1.0), "waves": (image_pairs.waves(), 255.0)}


def _in_double(metric, pair, **options):
    with double():
        return np.asarray(metric(*(np.asarray(x, np.float64) for x in pair), **options))


# Oracles: scikit-image, piq and torchmetrics.
@pytest.mark.parametrize("name", PAIRS)
def test_values_of_three_libraries(name):
    pair, data_range = PAIRS[name]
    golden = GOLDEN[name]
    for metric, options, key in (
        (psnr, {}, "psnr_skimage"),
        (ssim, {"border": "valid"}, "ssim_skimage"),
        (ssim, {"border": "valid"}, "ssim_piq"),
        (ssim, {}, "ssim_torchmetrics"),
        (ms_ssim, {}, "ms_ssim_torchmetrics"),
    ):
        value = _in_double(metric, pair, data_range=data_range, **options)
        np.testing.assert_allclose(value, golden[key], rtol=1e-8, err_msg=f"{metric.__name__} {key}")


# Oracle: piq, on one channel (it multiplies scales before it averages over channels).
def test_multi_scale_value_of_piq():
    pair = [x[..., :1] for x in image_pairs.noise()]
    value = _in_double(ms_ssim, pair, data_range=1.0, border="valid")
    np.testing.assert_allclose(value, GOLDEN["ms_ssim_piq_noise"], rtol=1e-7)  # piq keeps its weights in float32


# Oracle: the values of torchmetrics in float32 that are known for this pair (mean over the two images).
def test_float32_is_good_to_six_digits():
    pair = image_pairs.noise()
    for metric, known in ((psnr, 26.254248), (ssim, 0.98533398), (ms_ssim, 0.98789394)):
        assert float(metric(*pair, data_range=1.0).mean()) == pytest.approx(known, rel=2e-6)
    for name, (pair, data_range) in PAIRS.items():
        single = ssim(*(np.asarray(x, np.float32) for x in pair), data_range=data_range)
        np.testing.assert_allclose(single, GOLDEN[name]["ssim_torchmetrics"], atol=2e-6)


# Oracle: closed forms. A constant error e has PSNR 20 log10(range / |e|); two flat images have the luminance term
# alone, (2 a b + c1) / (a^2 + b^2 + c1); an image equals itself.
def test_closed_forms():
    flat = np.full((2, 16, 16, 1), 100, np.uint8)
    other = np.full((2, 16, 16, 1), 130, np.uint8)
    np.testing.assert_allclose(psnr(flat, other, data_range=255), 20 * np.log10(255 / 30), rtol=1e-6)
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 130 + c1) / (100**2 + 130**2 + c1)
    np.testing.assert_allclose(ssim(flat, other, data_range=255), expected, rtol=1e-5)
    image = np.random.RandomState(0).rand(1, 24, 24, 1).astype(np.float32)
    assert np.isinf(psnr(image, image, data_range=1)).all()
    np.testing.assert_allclose(ssim(image, image, data_range=1), 1, rtol=1e-6)
    np.testing.assert_allclose(ms_ssim(image, image, data_range=1.0, weights=(0.4, 0.6)), 1, rtol=1e-6)


# Oracle: the definition, by hand: an image against its negative has a negative structure term, which counts as 0.
def test_opposite_images_have_ms_ssim_zero_and_finite_gradients():
    image = np.random.RandomState(0).rand(1, 24, 24, 1).astype(np.float32)
    weights = (0.4, 0.6)

    def value(x):
        return ms_ssim(image, x, data_range=1.0, weights=weights).sum()

    assert float(value(1 - image)) == 0
    assert np.isfinite(np.asarray(jax.grad(value)(jnp.asarray(1 - image)))).all()


# Oracle: central differences in float64.
def test_gradients():
    rng = np.random.RandomState(0)
    real, fake, way = (rng.rand(1, 24, 23, 2) for _ in range(3))

    def values(t):
        pair = real, fake + t * way
        small = ms_ssim(*pair, data_range=1, weights=(0.4, 0.6))
        return jnp.concatenate([psnr(*pair, data_range=1), ssim(*pair, data_range=1), small])

    with double():
        slope = (values(1e-5) - values(-1e-5)) / 2e-5
        np.testing.assert_allclose(jax.jit(jax.jacrev(values))(0.0), slope, rtol=1e-6)


# Oracle: scikit-image's rgb2ycbcr; black is 16 and white 235 by the standard.
def test_luma():
    images = image_pairs.waves()[0]
    assert np.asarray(luma(images.astype(np.float32))).shape == (2, 187, 201, 1)
    golden = np.asarray(GOLDEN["luma_skimage_waves"])
    np.testing.assert_allclose(_in_double(lambda x: luma(x), [images])[:, ::60, ::60, 0], golden, rtol=1e-12)
    ends = np.zeros((1, 1, 2, 3), np.uint8)
    ends[0, 0, 1] = 255
    np.testing.assert_allclose(luma(ends)[0, 0, :, 0], [16, 235], rtol=1e-6)


# Oracle: NumPy's slices.
def test_crop_border():
    images = np.arange(2 * 7 * 9 * 1, dtype=np.float32).reshape(2, 7, 9, 1)
    np.testing.assert_array_equal(crop_border(images, 3), images[:, 3:4, 3:6])
    np.testing.assert_array_equal(crop_border(images, 0), images)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: psnr(np.zeros((1, 4, 4, 1), np.uint8), np.zeros((1, 4, 5, 1), np.uint8), data_range=255), "shapes"),
        (lambda: ssim(np.zeros((1, 10, 30, 1)), np.zeros((1, 10, 30, 1)), data_range=1), "at least 11"),
        (lambda: ms_ssim(np.zeros((1, 175, 200, 1)), np.zeros((1, 175, 200, 1)), data_range=1), "at least 176"),
        (lambda: image_quality._check(jnp.zeros((1, 12, 12, 1)), 1, "same", "SSIM"), "same"),
        (lambda: luma(np.zeros((1, 4, 4, 1), np.uint8)), "3 channels"),
        (lambda: crop_border(np.zeros((1, 8, 9, 1), np.uint8), 4), "8 x 9"),
    ],
)
def test_mistakes_get_a_sentence(call, words):
    with pytest.raises(UserError, match=words):
        call()
