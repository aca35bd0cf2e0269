"""What stops a run. Oracle: the sentence that a user should read, for failures put in by hand."""

import shutil

import jax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.train import TrainingError
from jaxgan.train.run.record import Recorder
from tests.train import toy

MAKE_MESH = parallel.make_mesh


@pytest.fixture(autouse=True)
def two_devices(monkeypatch):
    monkeypatch.setattr(parallel, "make_mesh", lambda: MAKE_MESH(jax.devices()[:2]))


def full(*args, **kwargs):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", ["log", "picture", "flush"])
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch, name):
    monkeypatch.setattr(f"jaxgan.train.run.record.Recorder.{name}", full)
    with pytest.raises(TrainingError, match=r"run cannot be written \(No space left on device\); training stopped"):
        toy.train(tmp_path / "run")


def test_closing_on_a_full_disk_hides_nothing(tmp_path, monkeypatch):
    close = Recorder.close
    monkeypatch.setattr(Recorder, "log", full)
    monkeypatch.setattr(Recorder, "close", lambda self: (close(self), full()))
    with pytest.raises(TrainingError, match="No space left"):
        toy.train(tmp_path / "run")


@pytest.mark.parametrize("error", [MemoryError(), jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")])
@pytest.mark.parametrize("where", ["jaxgan.game.parallel.parallelize", "jaxgan.train.loop.session.Session._digest"])
def test_too_little_memory_is_one_sentence(tmp_path, monkeypatch, where, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(where, fail)
    with pytest.raises(TrainingError, match="not enough memory; a smaller --batch-size, or a larger --accumulate"):
        toy.train(tmp_path / "run")


def test_other_errors_of_the_device_are_not_about_memory(tmp_path, monkeypatch):
    def fail(*args):
        raise jax.errors.JaxRuntimeError("INTERNAL: broken")

    monkeypatch.setattr("jaxgan.game.parallel.parallelize", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match="broken"):
        toy.train(tmp_path / "run")


def test_resume_checks_the_disk_first(tmp_path, monkeypatch):
    toy.train(tmp_path / "run", steps=5)
    with monkeypatch.context() as patch:
        patch.setattr("jaxgan.train.run.rundir.os.access", lambda path, mode: False)
        with pytest.raises(UserError, match=r"run cannot go on: .* cannot be read and written"):
            toy.train(tmp_path / "run", resume=True, steps=6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 10))
    with pytest.raises(UserError, match=r"0\.00 GB free, but 3 checkpoints"):
        toy.train(tmp_path / "run", resume=True, steps=6)


def test_pmap_of_several_processes_is_refused(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(UserError, match="--parallel pmap works within one process only; several take jit or shard_map"):
        parallel.parallelize(lambda state, batch, rng: (state, {}), "pmap", MAKE_MESH())
