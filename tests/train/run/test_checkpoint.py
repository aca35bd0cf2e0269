"""Checkpoints. Oracle: the state that was saved; damage is done to real files of a real checkpoint."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import SingleDeviceSharding

from jaxgan.errors import UserError
from jaxgan.train.run import checkpoint
from tests.train.toy import assert_same


def state(step):
    return {
        "w": jnp.arange(6.0).reshape(2, 3) * step,
        "none": None,
        "empty": {},
        "list": [jnp.int32(step), jnp.ones(3)],
    }


def abstract():
    here = SingleDeviceSharding(jax.devices()[0])
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=here), state(0))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    for step in (10, 20, 30):
        checkpoint.save(folder, step, state(step), {"step": step}, keep=2)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "checkpoints")


def test_the_latest_are_kept_and_come_back(folder):
    assert checkpoint.steps(folder) == [20, 30]
    assert sorted(path.name for path in folder.iterdir()) == ["20", "30"]
    assert_same(checkpoint.restore(folder, 20, abstract()), state(20))
    assert_same(checkpoint.restore(folder, 30, abstract()), state(30))


@pytest.mark.parametrize("keep", [1, 4, 6])
def test_as_many_as_asked_for_are_kept(keep, tmp_path):
    for step in range(1, 8):
        checkpoint.save(tmp_path, step, state(step), {}, keep=keep)
        assert checkpoint.steps(tmp_path) == list(range(max(1, step - keep + 1), step + 1))


def test_metadata_is_inside(folder):
    assert '"step": 30' in (folder / "30" / "metadata" / "metadata").read_text()


def truncate(path):
    path.write_bytes(path.read_bytes()[:-2])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def remove(path):
    path.unlink()


@pytest.mark.parametrize("damage", [truncate, empty, flip, remove])
def test_damage_to_any_file_is_found_and_named(saved, tmp_path, damage):
    names = [path.relative_to(saved / "30") for path in sorted((saved / "30").rglob("*")) if path.is_file()]
    assert len(names) > 8
    for name in names:
        if damage is flip and str(name) == checkpoint.MANIFEST:
            continue  # would blame another file
        folder = shutil.copytree(saved, tmp_path / "copy")
        damage(folder / "30" / name)
        said = []
        if str(name) != checkpoint.MANIFEST or damage is not remove:  # without a manifest there never was a checkpoint
            assert name.name in str(checkpoint.damage_of(folder, 30))
        assert checkpoint.latest(folder, said.append) == 20
        assert all(f"{name.name}" in line and str(folder / "30") in line for line in said)
        shutil.rmtree(folder)


def test_whole_checkpoints_are_not_damaged(folder):
    # Negative control of the test above.
    said = []
    assert checkpoint.damage_of(folder, 20) is None
    assert checkpoint.latest(folder, said.append) == 30
    assert said == []


def test_when_all_are_damaged_nothing_is_made_up(folder):
    for step in ("20", "30"):
        truncate(folder / step / "state" / "manifest.ocdbt")
    with pytest.raises(UserError, match="no checkpoint that is whole"):
        checkpoint.latest(folder, lambda line: None)


def test_a_folder_without_checkpoints_has_none(tmp_path):
    assert checkpoint.latest(tmp_path / "nothing", lambda line: None) is None
    assert checkpoint.steps(tmp_path) == []


def test_an_old_checkpoint_goes_only_after_the_new_one_is_whole(folder, monkeypatch):
    # A crash between Orbax's rename and the manifest.
    def crash(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "write_json", crash)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(folder, 40, state(40), {}, keep=1)
    assert checkpoint.steps(folder) == [20, 30]
    assert checkpoint.latest(folder, lambda line: None) == 30


def test_tidy_removes_fragments_and_puts_damaged_ones_aside(folder):
    shutil.copytree(folder / "30", folder / "40.orbax-checkpoint-tmp")
    shutil.copytree(folder / "30", folder / "40")
    (folder / "40" / checkpoint.MANIFEST).unlink()
    checkpoint.tidy(folder, 20)  # 30 was found damaged
    assert sorted(path.name for path in folder.iterdir()) == ["20", "damaged-30"]
    checkpoint.save(folder, 30, state(3), {}, keep=2)
    assert_same(checkpoint.restore(folder, 30, abstract()), state(3))


def test_nbytes_counts_every_leaf():
    assert checkpoint.nbytes(state(1)) == 6 * 4 + 4 + 3 * 4
    assert checkpoint.nbytes(np.zeros(3, np.float16)) == 6


def test_a_protected_checkpoint_stays(tmp_path):
    for step in (10, 20, 30, 40):
        checkpoint.save(tmp_path, step, state(step), {}, keep=2, protect=10)
    assert checkpoint.steps(tmp_path) == [10, 30, 40]
    checkpoint.save(tmp_path, 50, state(50), {}, keep=2, protect=40)  # one of the latest, which takes no place more
    assert checkpoint.steps(tmp_path) == [40, 50]
    assert_same(checkpoint.restore(tmp_path, 40, abstract()), state(40))


def test_later_checkpoints_are_discarded(folder):
    (folder / "40").mkdir()  # cut short: `tidy` is for those
    checkpoint.discard(folder, after=20)
    assert sorted(path.name for path in folder.iterdir()) == ["20", "40"]
    checkpoint.discard(folder, after=0)
    assert checkpoint.steps(folder) == []


def test_a_full_disk_is_an_os_error(tmp_path, monkeypatch):
    def full(*args, **how):
        raise ValueError("No space left on device [tensorstore]\nmore")

    monkeypatch.setattr("orbax.checkpoint.CheckpointManager.save", full)
    with pytest.raises(OSError, match=r"No space left on device \[tensorstore\]: '.*/7'$") as error:
        checkpoint.save(tmp_path, 7, state(7), {}, keep=1)
    assert error.value.filename == str(tmp_path / "7")
