"""VGG19 of a file. Oracle: PyTorch's layers on the same picture (experiments/goldens/make_vgg_golden.py)."""

import hashlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.seen_by import perceptual, vgg
from jaxgan.weights.layouts.vgg import places, vgg19

FOLDER = Path(__file__).parents[1] / "fixtures" / "vgg19"
TINY = FOLDER / "tiny.pth"
GOLDEN = dict(np.load(FOLDER / "tiny.npz"))


def test_maps_are_those_of_pytorch_before_activation():
    network = perceptual.named(str(TINY))
    maps = jax.jit(network.maps)(network.params, jnp.asarray(GOLDEN["x"]))
    assert [network.name, network.digest] == ["vgg19", hashlib.sha256(TINY.read_bytes()).hexdigest()]
    assert len(maps) == len(network.weights) == 5
    for level, found in enumerate(maps):
        wanted = GOLDEN[f"map{level}"]
        assert wanted.min() < 0
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())


# Oracle: the numbers of torchvision's documentation: features[34] is conv5_4, features[35] its activation.
def test_the_numbers_of_the_sequence():
    assert dict(list(places().items())[:3]) == {"conv1_1": 0, "conv1_2": 2, "conv2_1": 5}
    assert places()["conv5_4"] == 34
    assert len(places()) == 16
    shapes = {f"features.{i}.weight": (2, 3 if i == 0 else 2, 3, 3) for i in places().values()}
    assert vgg19(shapes).about["widths"] == (2,) * 5
    assert vgg19({name: shape for name, shape in shapes.items() if name != "features.34.weight"}) is None  # VGG16


def test_a_file_must_have_the_hash_that_its_name_says(tmp_path):
    content = TINY.read_bytes()
    right = tmp_path / f"vgg19-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    right.write_bytes(content)
    assert perceptual.named(str(right)).name == "vgg19"
    wrong = tmp_path / "vgg19-dcbb9e9d.pth"
    wrong.write_bytes(content)
    with pytest.raises(UserError, match=r"is damaged: its SHA-256 begins with [0-9a-f]{8}, its name says dcbb9e9d\.$"):
        perceptual.named(str(wrong))


def test_other_files_and_names_are_one_sentence(tmp_path):
    other = Path(__file__).parents[2] / "weights" / "fixtures" / "zip.pth"
    with pytest.raises(UserError, match=r"zip\.pth is not torchvision's VGG19: it begins with 0\.weight, "):
        perceptual.named(str(other))
    with pytest.raises(UserError, match=r"cannot be read: No such file"):
        vgg.load(tmp_path / "none.pth")
    with pytest.raises(UserError, match=r"--features takes fashion-cnn, random or the file of .*, got vgg\.$"):
        perceptual.named("vgg")


@pytest.mark.parametrize("shape", [(1, 15, 16, 3), (1, 16, 16, 2)])
def test_pictures_that_it_cannot_see_are_one_sentence(shape):
    network = perceptual.named(str(TINY))
    with pytest.raises(UserError, match="VGG19 sees pictures of at least 16 pixels a side and of 1 or 3 channels"):
        jax.eval_shape(network.maps, network.params, jnp.zeros(shape))


def test_grey_pictures_are_seen_as_coloured_ones():
    network = perceptual.named(str(TINY))
    grey = jnp.asarray(GOLDEN["x"][:, :16, :16, :1])
    pair = (network.maps(network.params, x) for x in (grey, jnp.repeat(grey, 3, -1)))
    for a, b in zip(*pair, strict=True):
        np.testing.assert_array_equal(a, b)
