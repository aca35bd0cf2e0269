import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan.augment import jpeg
from jaxgan.data.photographs import photograph
from jaxgan.errors import UserError

PICTURE = photograph("astronaut")[:90, 60:163]  # no side is a multiple of 16


def by_pillow(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture.squeeze()).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32).reshape(picture.shape)


# Oracle: Pillow's file, opened again.
@pytest.mark.parametrize("quality", [10, 50, 90])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_what_pillow_makes(quality, channels):
    picture = PICTURE if channels == 3 else np.asarray(Image.fromarray(PICTURE).convert("L"))[..., None]
    made = np.asarray(jpeg.compressed(jnp.float32(picture) / 255, quality)) * 255
    wanted = by_pillow(picture, quality)
    off = abs(made - wanted)
    # Whole steps apart where libjpeg's integers round a wave the other way; measured: 0.04 to 0.26 and 0.26 to 0.67.
    assert off.mean() < (0.3 if channels == 1 else 0.8)
    assert np.median(off) <= 1


# Oracle: the tables that Pillow writes.
@pytest.mark.parametrize("quality", [1, 37, 50, 93, 100])
def test_tables_are_pillows(quality):
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "JPEG", quality=quality)
    written = Image.open(file).quantization
    for number, standard in enumerate((jpeg.BRIGHT, jpeg.COLOUR)):
        np.testing.assert_array_equal(np.asarray(jpeg.table(standard, quality)).ravel(), written[number])


def test_it_has_a_gradient():
    """That of a projection and of a clip: where nothing is lost, the identity's."""
    x = jnp.float32(PICTURE[:32, :32]) / 255
    slope = jax.grad(lambda x: jpeg.compressed(x, 50.0).sum())(x)
    assert jnp.isfinite(slope).all()
    assert 0.9 < slope.mean() < 1.1


def test_two_channels_are_refused():
    with pytest.raises(UserError, match=r"1 or 3 channels, got 2\.$"):
        jpeg.compressed(jnp.zeros((8, 8, 2)), 50)
