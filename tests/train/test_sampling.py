"""Sampling. Oracle: the system's own `sample`, one image at a time, and the files read back."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.train import sampling
from tests.train import toy


def sampler(n, seed=1, classes=0, system=None):
    system = system or toy.build(toy.Config(), toy.SPEC)
    return sampling.make_sampler(system, n, seed, classes)(system.init(jax.random.key(0)))


def test_image_i_is_the_same_whatever_n():
    many = sampler(70)  # more than one batch
    np.testing.assert_array_equal(sampler(3), many[:3])
    np.testing.assert_array_equal(sampler(66), many[:66])
    assert not np.array_equal(sampler(3, seed=2), many[:3])
    assert len({image.tobytes() for image in many}) == 70


def test_images_are_those_of_the_system():
    system = toy.build(toy.Config(), toy.SPEC)
    one = system.sample(system.init(jax.random.key(0)), sampling.image_keys(1, 3)[2:3])
    expected = np.round((np.asarray(one[0]) + 1) * 127.5).astype(int)
    assert np.abs(sampler(3)[2].astype(int) - expected).max() <= 1


def test_labels_reach_the_system():
    system = toy.build(toy.Config(), toy.SPEC)
    shown = system._replace(
        sample=lambda state, keys, label: jnp.ones((len(keys), 8, 8, 1)) * (label[:, None, None, None] / 127.5 - 1)
    )
    images = sampler(70, classes=5, system=shown)
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


@pytest.mark.parametrize("name", ["x.npz", "x.NPZ"])
@pytest.mark.parametrize("classes", [0, 5])
def test_npz(tmp_path, classes, name):
    sampling.write_images(tmp_path / "new" / name, [IMAGES[:3], IMAGES[3:]], classes)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]
    with np.load(tmp_path / "new" / name) as content:
        np.testing.assert_array_equal(content["images"], IMAGES)
        assert sorted(content) == (["images", "labels"] if classes else ["images"])


def test_grid(tmp_path):
    sampling.write_images(tmp_path / "x.png", [IMAGES])
    with Image.open(tmp_path / "x.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture)[2:62, 64:124], IMAGES[1])


def test_folder(tmp_path):
    sampling.write_images(tmp_path / "x", [IMAGES[:3], IMAGES[3:]], 5)
    assert sorted(path.name for path in (tmp_path / "x").iterdir())[:2] == ["000000-0.png", "000001-1.png"]
    with Image.open(tmp_path / "x" / "000004-4.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), IMAGES[4])


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for name in ("x.png", "x.npz", "x"):
        with pytest.raises(UserError, match=r"--out .* cannot be written"):
            sampling.write_images(tmp_path / "file" / name, [IMAGES])


def test_a_folder_is_written_batch_by_batch(tmp_path):
    def batches():
        yield IMAGES[:2]
        assert len(list((tmp_path / "x").iterdir())) == 2  # the first images are out before the next are made
        yield IMAGES[2:]

    sampling.write_images(tmp_path / "x", batches())
    assert len(list((tmp_path / "x").iterdir())) == 5


def test_the_first_batch_of_very_many_images():
    system = toy.build(toy.Config(), toy.SPEC)
    batches = sampling.make_batches(system, sampling.MOST, 1)(system.init(jax.random.key(0)))
    np.testing.assert_array_equal(next(batches)[:3], sampler(3))


def test_more_images_than_can_be_held_are_refused():
    with pytest.raises(UserError, match=f"--n must be at most {2**31 - 64}, got 99999999999"):
        sampling.check_file(None, 99999999999)
    limit = (4 << 30) // 64
    for name in ("x.png", "x.NPZ"):
        sampling.check_size(Path(name), limit, (8, 8, 1))
        with pytest.raises(UserError, match="takes up to 4 GiB; give --out a folder"):
            sampling.check_size(Path(name), limit + 1, (8, 8, 1))
    sampling.check_size(Path("folder"), limit + 1, (8, 8, 1))


@pytest.mark.parametrize("name", ["x.jpg", "x.JPEG", "x.gif", "x.webp", "x.npy", "x.zip", "x.tiff", "x.bmp"])
def test_other_files_are_refused(name):
    with pytest.raises(UserError, match=r"--out takes a \.png file, a \.npz file or a folder, got x\."):
        sampling.check_file(Path(name), 1)
    sampling.check_file(Path("runs.v2"), 1)  # a folder may have a dot
