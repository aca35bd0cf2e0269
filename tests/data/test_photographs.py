"""The bundled photographs. Oracles: windows searched for by brute force, and a checksum of the pixels of 2026."""

import hashlib

import numpy as np
import pytest

from jaxgan import data
from jaxgan.data import photographs
from jaxgan.data.settings import Settings
from jaxgan.errors import UserError
from jaxgan.fields import IMAGES, Needs

PIXELS = "4a9020ff2b78554d"
CROPS = "aaec89054c3fcb64"


def crops(needs=IMAGES, **how):
    loaded = data.load("photographs", needs=needs, **how)
    (name,) = loaded.spec
    return loaded, data.resident(loaded, loaded.spec)[0][name]


def test_the_pictures_are_these():
    total = hashlib.sha256()
    for name in (*photographs.TRAINED, photographs.HELD):
        picture = photographs.photograph(name)
        assert picture.shape == (256, 256, 3)
        total.update(picture.tobytes())
    assert total.hexdigest()[:16] == PIXELS


def lies_in(crop, picture):
    """Whether a window of the picture is the crop."""
    corners = np.argwhere((picture[: 257 - len(crop), : 257 - crop.shape[1]] == crop[0, 0]).all(-1))
    return any((picture[y : y + len(crop), x : x + crop.shape[1]] == crop).all() for y, x in corners)


def test_crops_of_the_fourth_picture_are_apart_and_held_out():
    loaded, _ = crops()
    kept, held = (data.resident(part, part.spec)[0]["image"] for part in data.hold_out(loaded, loaded.apart))
    assert kept.shape == (2100, 64, 64, 3)
    assert held.shape == (16, 64, 64, 3)
    whole = held.reshape(4, 4, 64, 64, 3).swapaxes(1, 2).reshape(256, 256, 3)
    np.testing.assert_array_equal(whole, photographs.photograph("coffee"))
    pictures = [photographs.photograph(name) for name in photographs.TRAINED]
    for i in range(0, 2100, 150):
        assert lies_in(kept[i], pictures[i // 700])
        assert not lies_in(kept[i], photographs.photograph("coffee"))
    assert len(np.unique(kept.reshape(len(kept), -1), axis=0)) > 2090  # the night sky may come twice


def test_fewer_may_be_held_out_and_the_others_are_still_not_trained_on():
    loaded, _ = crops()
    kept, held = data.hold_out(loaded, 5)
    assert (kept.size, held.size) == (2100, 5)
    assert (kept.apart, held.apart) == (0, 0)
    for count in (17, -1):
        with pytest.raises(UserError, match="takes 0 to 16 of photographs, whose last 16 are apart from the rest, got"):
            data.hold_out(loaded, count)


def test_crops_stay_the_same():
    assert hashlib.sha256(crops()[1].tobytes()).hexdigest()[:16] == CROPS


def test_a_recipe_gives_the_field_its_name():
    loaded, _ = crops(Needs({"target": "image"}), image_size=(32, 96))
    assert loaded.spec["target"].shape == (32, 96, 3)
    assert loaded.apart == 8 * 2
    assert data.load("photographs", needs=Needs({})).spec.keys() == {"image"}


def test_grey_is_as_pillow_has_it():
    from PIL import Image

    _, grey = crops(channels=1, image_size=256)
    wanted = np.asarray(Image.fromarray(photographs.photograph("coffee")).convert("L"))
    assert np.abs(grey[-1, ..., 0].astype(int) - wanted).max() <= 1
    assert grey.shape == (4, 256, 256, 1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(size=(300, 64)), "--image-size of photographs takes crops of at most 256 pixels a side, got 300x64"),
        (Settings(resize="pad"), "--data photographs is crops of photographs, which --resize pad does not apply to"),
        (Settings(size="any"), "--data photographs has crops of one size, --image-size, got any"),
    ],
)
def test_what_crops_cannot_be_is_one_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence):
        photographs.load("photographs", settings, IMAGES)
