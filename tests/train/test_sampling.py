"""Sampling. Oracle: the system's own `sample`, one image at a time, and the files read back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.train import sampling
from tests.train import toy


def sampler(n, seed=1, labels=None, system=None):
    system = system or toy.build(toy.Config(image_shape=(8, 8, 1)))
    return sampling.make_sampler(system, n, seed, labels)(system.init(jax.random.key(0)))


def test_image_i_is_the_same_whatever_n():
    many = sampler(70)  # more than one batch
    np.testing.assert_array_equal(sampler(3), many[:3])
    np.testing.assert_array_equal(sampler(66), many[:66])
    assert not np.array_equal(sampler(3, seed=2), many[:3])
    assert len({image.tobytes() for image in many}) == 70


def test_images_are_those_of_the_system():
    system = toy.build(toy.Config(image_shape=(8, 8, 1)))
    one = system.sample(system.init(jax.random.key(0)), sampling.image_keys(1, 3)[2:3])
    expected = np.round((np.asarray(one[0]) + 1) * 127.5).astype(int)
    assert np.abs(sampler(3)[2].astype(int) - expected).max() <= 1


def test_labels_reach_the_system():
    system = toy.build(toy.Config(image_shape=(8, 8, 1)))
    shown = system._replace(
        sample=lambda state, keys, label: jnp.ones((len(keys), 8, 8, 1)) * (label[:, None, None, None] / 127.5 - 1)
    )
    images = sampler(70, labels=sampling.labels_for(70, 5), system=shown)
    assert images[:, 0, 0, 0].tolist() == [i % 5 for i in range(70)]


def test_labels():
    assert sampling.labels_for(4, 0) is None
    assert sampling.labels_for(4, 3).tolist() == [0, 1, 2, 0]
    assert sampling.labels_for(2, 3, label=2).tolist() == [2, 2]
    with pytest.raises(UserError, match="--label takes a class from 0 to 2, got 3"):
        sampling.labels_for(2, 3, label=3)
    with pytest.raises(UserError, match="this run is unconditional and has none; got 0"):
        sampling.labels_for(2, 0, label=0)


def test_keys_of_samples_are_not_those_of_training():
    # Training folds the step into the run's key; the sample keys of the same seed must be others.
    training = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(1), jnp.arange(100))
    ours = jax.random.key_data(sampling.image_keys(1, 100))
    assert not {row.tobytes() for row in np.asarray(ours)} & {
        row.tobytes() for row in np.asarray(jax.random.key_data(training))
    }


IMAGES = np.random.default_rng(0).integers(0, 256, (5, 60, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize("labels", [None, np.arange(5, dtype=np.int32)])
def test_npz(tmp_path, labels):
    sampling.write_images(tmp_path / "new" / "x.npz", IMAGES, labels, 0)
    with np.load(tmp_path / "new" / "x.npz") as content:
        np.testing.assert_array_equal(content["images"], IMAGES)
        assert sorted(content) == (["images"] if labels is None else ["images", "labels"])


def test_grid(tmp_path):
    sampling.write_images(tmp_path / "x.png", IMAGES, None, 0)
    with Image.open(tmp_path / "x.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture)[2:62, 64:124], IMAGES[1])


def test_folder(tmp_path):
    sampling.write_images(tmp_path / "x", IMAGES, np.arange(5, dtype=np.int32), 5)
    assert sorted(path.name for path in (tmp_path / "x").iterdir())[:2] == ["000000-0.png", "000001-1.png"]
    with Image.open(tmp_path / "x" / "000004-4.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), IMAGES[4])


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for name in ("x.png", "x.npz", "x"):
        with pytest.raises(UserError, match=r"--out .* cannot be written"):
            sampling.write_images(tmp_path / "file" / name, IMAGES, None, 0)
