"""Measuring while training. Oracles: the judge called by hand on saved states, and a run that nothing interrupted."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.game.random import Stream
from jaxgan.metrics.numbers.frechet import frechet_distance
from jaxgan.metrics.seen_by import extractors
from jaxgan.metrics.seen_by.extractors import pixels
from jaxgan.show.given import nothing
from jaxgan.show.sampling import make_batches, make_sampler
from jaxgan.train import TrainingError
from jaxgan.train.loop import best
from jaxgan.train.loop.scoring import made_by, make_scorer
from jaxgan.train.run import checkpoint
from jaxgan.train.run.load import restore
from jaxgan.train.run.record import read_metrics
from jaxgan.train.screen import summary
from tests.train import toy

MAKE_MESH = parallel.make_mesh
WRITE_SUMMARY = summary.write_summary
OFTEN = {"eval_every": 4, "eval_samples": 30, "extractor": "pixels"}


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """Two devices instead of eight, and no summary pictures but in the test of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "write_summary", lambda path, *about: None)
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH(devices or jax.devices()[:2]))
        yield


@pytest.fixture(scope="module")
def straight(cheap, tmp_path_factory):
    report = toy.Said()
    result = toy.train(tmp_path_factory.mktemp("straight") / "run", report=report, **OFTEN)
    return result, report.lines


def curve(result):
    return [(row["step"], row["value"]) for row in read_metrics(result.folder.evaluations)]


def test_the_curve_and_what_is_said(straight):
    result, lines = straight
    assert [step for step, _ in curve(result)] == [4, 8, 12, 13]  # the last step too
    assert sum("FD[pixels-16, 16x16 resize, 40 vs 30]" in line for line in lines) == 4
    assert any(
        line.startswith("Evaluation  every 4 steps, 30 examples against 40, seen by pixels-16") for line in lines
    )
    row = read_metrics(result.folder.evaluations)[0]
    assert (row["name"], row["n"], row["extractor"], row["is_standard_fid"]) == ("FD", [40, 30], "pixels-16", False)


def test_the_number_is_the_distance_of_the_samples(straight):
    result, _ = straight
    verb, real = result.system.verbs["sample"], toy.images().tables[0].source.arrays["image"]
    fakes = np.concatenate(
        [batch["image"] for batch in make_batches(verb, 30, 3, nothing, Stream.MEASURE)(result.state)]
    )
    others = make_sampler(verb, 30, 3, nothing)(result.state)["image"]  # those of `jaxgan evaluate`
    assert not np.array_equal(fakes, others)
    means = [np.asarray(pixels().apply({}, images)["features"], np.float64) for images in (real, fakes)]
    assert curve(result)[-1] == (13, pytest.approx(frechet_distance(*means).value, rel=1e-6))


def test_the_best_state_is_kept(straight):
    result, _ = straight
    (kept,) = checkpoint.steps(result.folder.best)
    assert kept == min(curve(result), key=lambda point: point[1])[0]
    state, step = restore(result.folder.root, result.system, "best")
    assert step == kept
    data = toy.images()
    judge = make_scorer(made_by(result.system, data, data), data, pixels(), 30, 3)
    assert judge(state).value == pytest.approx(min(value for _, value in curve(result)), rel=1e-9)


def test_measuring_changes_no_bit_of_the_training(straight, tmp_path):
    toy.assert_same(toy.train(tmp_path / "run").state, straight[0].state)


def test_resume_goes_on_with_the_curve_and_the_best(straight, tmp_path):
    stop = 5  # between two measurements
    toy.train(tmp_path / "run", steps=stop, **OFTEN)
    # A crash after the last checkpoint: measurements of steps that the run will do again.
    with (tmp_path / "run" / "evaluations.jsonl").open("a") as file:
        file.write(json.dumps({"step": stop + 1, "value": 1e9}) + "\n")
    resumed = toy.train(tmp_path / "run", resume=True, **OFTEN)
    ends = [point for point in curve(resumed) if point[0] != stop]  # the end of the first part was measured too
    assert ends == [point for point in curve(straight[0]) if point[0] != stop]
    best_of = min(curve(resumed), key=lambda point: point[1])[0]
    assert checkpoint.steps(resumed.folder.best) == [best_of]


def test_a_worse_state_is_not_kept(tmp_path, monkeypatch):
    """Scores 5, 3, 4, 2 at steps 4, 8, 12, 13."""
    values = iter([5.0, 3.0, 4.0])
    real = best.make_scorer

    def fake(*args):
        judge = real(*args)
        return lambda state: dataclasses.replace(judge(state), value=next(values))

    monkeypatch.setattr(best, "make_scorer", fake)
    result = toy.train(tmp_path / "run", steps=12, **OFTEN)
    assert checkpoint.steps(result.folder.best) == [8]
    assert checkpoint.metadata_of(result.folder.best, 8)["score"]["value"] == 3.0
    values = iter([2.0])
    toy.train(tmp_path / "run", resume=True, **OFTEN)
    assert checkpoint.steps(result.folder.best) == [13]


def test_a_damaged_best_state_is_passed_over(tmp_path):
    report = toy.Said()
    first = toy.train(tmp_path / "run", steps=8, **OFTEN)
    (kept,) = checkpoint.steps(first.folder.best)
    for file in (first.folder.best / str(kept) / "state").rglob("*"):
        if file.is_file():
            file.write_bytes(b"x")
    resumed = toy.train(tmp_path / "run", resume=True, report=report, **OFTEN)
    assert any("is damaged" in line and "passed over" in line for line in report.lines)
    (again,) = checkpoint.steps(resumed.folder.best)
    assert checkpoint.damage_of(resumed.folder.best, again) is None


def test_a_damaged_best_state_is_replaced(tmp_path):
    """A run that goes on from before it measures the same step again."""
    first = toy.train(tmp_path / "run", steps=6, eval_every=6, eval_samples=30, extractor="pixels")
    shutil.rmtree(first.folder.checkpoints / "6")
    next((first.folder.best / "6" / "state" / "d").iterdir()).write_bytes(b"")
    resumed = toy.train(tmp_path / "run", steps=6, resume=True, eval_every=6, eval_samples=30, extractor="pixels")
    assert checkpoint.steps(resumed.folder.best) == [6]
    assert checkpoint.damage_of(resumed.folder.best, 6) is None


def test_measuring_may_begin_on_resume_and_then_stays_what_it_is(tmp_path):
    toy.train(tmp_path / "run", steps=5)
    result = toy.train(tmp_path / "run", steps=9, resume=True, **OFTEN)
    assert [step for step, _ in curve(result)] == [8, 9]
    for change in ({"eval_samples": 20}, {"extractor": "fashion-cnn"}):
        with pytest.raises(UserError, match="when the run began and cannot change now"):
            toy.train(tmp_path / "run", resume=True, **{**OFTEN, **change})


@pytest.mark.parametrize(("metric", "kept"), [("fd", 8), ("is", 4), ("density", 8)])
def test_better_is_what_the_metric_says(tmp_path, monkeypatch, metric, kept):
    """Scores 5, 3, 4 at steps 4, 8, 12: a distance falls, a quality rises."""
    real, values = best.make_scorer, iter([5.0, 3.0, 4.0])

    def fake(*args):
        judge = real(*args)

        def score(state):
            found = judge(state)
            protocol = dataclasses.replace(found.protocol, metric=metric)
            return dataclasses.replace(found, value=next(values), protocol=protocol)

        return score

    monkeypatch.setattr(best, "make_scorer", fake)
    assert checkpoint.steps(toy.train(tmp_path / "run", steps=12, **OFTEN).folder.best) == [kept]


def silent(config, spec, axis_name=None):
    """The toy that does nothing for users, and declares no duel."""
    return toy.build(config, spec, axis_name)._replace(verbs={}, shows=(), duels=(), cures={})


def test_what_makes_nothing_of_the_datas_kind_cannot_be_measured(tmp_path):
    with pytest.raises(UserError, match=r"--eval-every compares what a system makes with the data, which have nothing"):
        toy.train(tmp_path / "run", build=silent, **OFTEN)
    assert not (tmp_path / "run").exists()


def test_what_makes_nothing_trains_nevertheless(straight, tmp_path):
    result = toy.train(tmp_path / "run", build=silent)
    toy.assert_same(result.state, straight[0].state)
    assert list(result.folder.samples.iterdir()) == []
    assert read_metrics(result.folder.monitor) == []


@pytest.mark.parametrize("resume", [False, True])
def test_what_takes_no_time_is_checked_before_the_data_are_seen(tmp_path, monkeypatch, resume):
    """A folder with files for a new run; a run that has all its steps already."""
    toy.train(tmp_path / "run", steps=5)
    monkeypatch.setattr(best, "make_scorer", lambda *args: pytest.fail("the data were looked at first"))
    with pytest.raises(UserError, match="has 5 steps" if resume else "new or empty folder"):
        toy.train(tmp_path / "run", steps=5, resume=resume, **OFTEN)


def test_data_that_cannot_be_measured_leave_no_folder(tmp_path):
    with pytest.raises(UserError, match="--eval-every cannot measure these images: toy holds 1 image"):
        toy.train(tmp_path / "run", data=toy.images(n=1), **OFTEN)
    assert not (tmp_path / "run").exists()


def test_an_older_step_may_become_the_best(tmp_path):
    """A run that goes back to an older checkpoint may find a better state before the one that was kept."""
    for step in (8, 4):
        checkpoint.save(tmp_path, step, {"x": np.float32(step)}, {"score": {"value": step}}, keep=1)
    assert checkpoint.steps(tmp_path) == [4]


def test_the_summary_shows_the_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "write_summary", WRITE_SUMMARY)
    result = toy.train(tmp_path / "run", **OFTEN)
    from PIL import Image

    without = toy.train(tmp_path / "other")
    with Image.open(result.folder.summary) as wide, Image.open(without.folder.summary) as narrow:
        assert wide.width == narrow.width * 4 // 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"eval_every": 0}, "--eval-every must be at least 1"),
        ({"eval_every": 4, "eval_samples": 1}, "--eval-samples must be at least 2"),
        ({"eval_every": 4, "extractor": "inception"}, "6726825d"),
        ({"eval_every": 4, "extractor": "inception", "weights": "nowhere.pth"}, r"nowhere\.pth"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(tmp_path, monkeypatch, changes, words):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("TORCH_HOME", "JAXGAN_CACHE", "JAXGAN_INCEPTION_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=words):
        toy.train(tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()


def test_what_is_at_hand_is_kept_for_the_whole_curve(tmp_path, monkeypatch):
    """Without Inception's weights a run is measured on pixels, and goes on so where they are found later."""
    monkeypatch.setattr(extractors, "_small", lambda images: False)  # as if the toy's images were photographs
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("TORCH_HOME", "JAXGAN_CACHE", "JAXGAN_INCEPTION_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    report = toy.Said()
    toy.train(tmp_path / "run", steps=4, report=report, **(OFTEN | {"extractor": "auto"}))
    assert [line for line in report.lines if line.startswith("Warning     Inception's weights are not")]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["run"]["extractor"] == "pixels"


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*args, **how):
        raise OSError(28, "No space left on device")

    def save(folder, *args, **how):
        return full() if folder.name == "best" else real(folder, *args, **how)

    real = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", save)
    with pytest.raises(
        TrainingError, match=r"No space left on device.*last good checkpoint|No space left.*no checkpoint"
    ):
        toy.train(tmp_path / "run", **OFTEN)


def test_no_best_without_measurements(tmp_path):
    toy.train(tmp_path / "run")
    with pytest.raises(UserError, match="no best checkpoint; --eval-every keeps one"):
        restore(tmp_path / "run", toy.build(toy.Config(), toy.SPEC), "best")
