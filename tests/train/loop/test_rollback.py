"""What --on-collapse does. Oracles: a hand-written loop, and runs that nothing interrupted."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import data as datasets
from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.game.random import Stream
from jaxgan.show.given import nothing
from jaxgan.show.sampling import make_sampler
from jaxgan.train import TrainingError
from jaxgan.train.loop import best, rollback
from jaxgan.train.monitor import rules, samples
from jaxgan.train.run import checkpoint
from jaxgan.train.run.load import restore
from jaxgan.train.run.record import Recorder, read_metrics
from tests.train import toy

MAKE_MESH = parallel.make_mesh
KEY = jax.random.key_data(jax.random.key(3))


@pytest.fixture(autouse=True, scope="module")
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH(devices or jax.devices()[:2]))
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: path.write_text(str(about[4])))
        yield


def breaks_at(steps, only_at_first=True):
    """The toy whose loss is no number at some steps; `only_at_first`: with the key of a run that never went back."""

    def build(config, spec, axis_name):
        system = toy.build(config, spec, axis_name)

        def step(state, batch, rng):
            new, metrics = system.step(state, batch, rng)
            hit = jnp.isin(state.step + 1, jnp.array(steps))
            if only_at_first:
                hit &= jnp.array_equal(jax.random.key_data(rng), KEY)
            return new, {**metrics, "d/loss": jnp.where(hit, jnp.nan, metrics["d/loss"])}

        return system._replace(step=step)

    return build


BACK = {"build": breaks_at([12]), "steps": 20, "on_collapse": "rollback"}


@pytest.fixture(scope="module")
def back(cheap, tmp_path_factory):
    """Twenty steps; at step 12 the run goes back to step 10."""
    report = toy.Said()
    return toy.train(tmp_path_factory.mktemp("back") / "run", report=report, **BACK), report.lines


def marks(result):
    return [row for row in read_metrics(result.folder.monitor) if row["kind"] == "rollback"]


def logged(path):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(path)]


def test_a_run_goes_back_and_on_with_other_noise(back):
    result, _ = back
    data, system = toy.images(), toy.build(toy.Config(steps=20), toy.SPEC)
    state, step = system.init(jax.random.key(3)), jax.jit(system.step)
    order, pixels = datasets.order(data.size, 3, 16), datasets.resident(data, toy.SPEC)[0]["image"]
    first = jax.random.key(3)
    second = jax.random.fold_in(jax.random.fold_in(first, Stream.ROLLBACK), 1)
    for t in range(20):
        images = jnp.asarray(pixels[order[t]], jnp.float32) / 127.5 - 1
        state, _ = step(state, {"image": images}, first if t < 10 else second)
    toy.assert_close(result.state, state)


def test_what_is_left_behind(back):
    result, lines = back
    (mark,) = marks(result)
    assert (mark["step"], mark["to"], mark["cause"], mark["action"]) == (12, 10, "not_finite", "rollback")
    assert mark["sentence"] == "d/loss is nan; what usually helps: a lower --rate."  # of the system
    assert [row["step"] for row in logged(result.folder.metrics)] == [1, *range(2, 21, 2)]
    assert checkpoint.steps(result.folder.checkpoints) == [15, 20]
    assert any("step 12: d/loss is nan; what" in line for line in lines)
    assert any("back to checkpoint" in line and "(time 1 of 3)" in line for line in lines)
    assert result.folder.summary.read_text() == "[10]"  # the mark in the picture


def test_warn_and_stop_end_as_ever(tmp_path):
    for mode in ("warn", "stop"):
        with pytest.raises(
            TrainingError, match=r"step 12 d/loss is nan; .* last good checkpoint is .*checkpoints/10\."
        ):
            toy.train(tmp_path / mode, **{**BACK, "on_collapse": mode})
        assert read_metrics(tmp_path / mode / "monitor.jsonl")[-1]["action"] == "stop"


@pytest.mark.parametrize(
    ("stop", "changes"),
    [(11, {}), (12, {}), (17, {"steps_per_dispatch": 3}), (15, {"resident": "off"})],  # before, at and after going back
    ids=str,
)
def test_resume_is_as_if_never_stopped(back, tmp_path, stop, changes):
    toy.train(tmp_path / "run", **{**BACK, "steps": stop})
    resumed = toy.train(tmp_path / "run", resume=True, **BACK, **changes)
    toy.assert_same(resumed.state, back[0].state)
    assert logged(resumed.folder.metrics) == logged(back[0].folder.metrics)
    assert marks(resumed) == marks(back[0])
    regular = [row for row in logged(resumed.folder.monitor) if row["step"] != stop]  # the first part's last picture
    assert regular == [row for row in logged(back[0].folder.monitor) if row["step"] != stop]


@pytest.mark.parametrize(
    "where", ["jaxgan.train.run.record.Recorder.mark", "jaxgan.train.run.checkpoint.shutil.rmtree"]
)
def test_killed_while_going_back(back, tmp_path, monkeypatch, where):
    """Between the removal of checkpoints and the mark, and within the removal."""
    mark = Recorder.mark

    def kill(*args):
        if where.endswith("rmtree") or args[1]["kind"] == "rollback":
            raise KeyboardInterrupt
        mark(*args)

    toy.train(tmp_path / "run", **{**BACK, "steps": 11})  # leaves a checkpoint that has to go
    with monkeypatch.context() as patch:
        patch.setattr(where, kill)
        with pytest.raises(KeyboardInterrupt):
            toy.train(tmp_path / "run", resume=True, **BACK)
    resumed = toy.train(tmp_path / "run", resume=True, **BACK)
    toy.assert_same(resumed.state, back[0].state)
    assert marks(resumed) == marks(back[0])


def test_a_second_collapse_finds_a_further_checkpoint(tmp_path):
    def build(config, spec, axis_name):
        system = breaks_at([7])(config, spec, axis_name)
        other = breaks_at([12], only_at_first=False)(config, spec, axis_name)
        once = jax.random.key_data(jax.random.fold_in(jax.random.fold_in(jax.random.key(3), Stream.ROLLBACK), 1))

        def step(state, batch, rng):
            new, metrics = system.step(state, batch, rng)
            late = other.step(state, batch, rng)[1]["d/loss"]
            again = jnp.array_equal(jax.random.key_data(rng), once)
            return new, {**metrics, "d/loss": jnp.where(again, late, metrics["d/loss"])}

        return system._replace(step=step)

    result = toy.train(tmp_path / "run", build=build, steps=13, on_collapse="rollback")
    assert [(mark["step"], mark["to"]) for mark in marks(result)] == [(7, 5), (12, 10)]
    assert result.step == 13


def test_the_best_state_of_what_is_discarded_goes_too(tmp_path, monkeypatch):
    """Measured at step 11, before the run goes back from 12 to 10; what is measured then is worse."""
    real, values = best.make_scorer, iter([3.0, 4.0, 5.0])

    def judge_of(*args):
        judge = real(*args)
        return lambda state: dataclasses.replace(judge(state), value=next(values))

    monkeypatch.setattr(best, "make_scorer", judge_of)
    result = toy.train(tmp_path / "run", **{**BACK, "steps": 12}, eval_every=11, eval_samples=30, extractor="pixels")
    scores = [(row["step"], row["value"]) for row in read_metrics(result.folder.evaluations)]
    assert scores == [(11, 4.0), (12, 5.0)]
    assert checkpoint.steps(result.folder.best) == [11]
    assert checkpoint.metadata_of(result.folder.best, 11)["score"]["value"] == 4.0


@pytest.mark.parametrize(("at", "where"), [(12, r"checkpoint .*checkpoints/10"), (3, "the beginning")])
def test_three_times_are_enough(tmp_path, at, where):
    said = toy.Said()
    with pytest.raises(TrainingError, match=rf"step {at} d/loss is nan; .* went back 3 times to {where}, which is"):
        toy.train(tmp_path / "run", report=said, **{**BACK, "build": breaks_at([at], only_at_first=False)})
    assert [line.partition("(")[2] for line in said.lines if "on with other noise" in line] == [
        "time 1 of 3)",
        "time 2 of 3)",
        "time 3 of 3)",
    ]
    with pytest.raises(TrainingError, match="went back 3 times"):  # and no more after resuming
        toy.train(tmp_path / "run", resume=True, **{**BACK, "build": breaks_at([at], only_at_first=False)})


def test_a_damaged_healthy_checkpoint_is_passed_over(tmp_path):
    toy.train(tmp_path / "run", **{**BACK, "steps": 11}, keep=3)
    broken = next((tmp_path / "run" / "checkpoints" / "10" / "state" / "d").iterdir())
    broken.write_bytes(b"")
    said = toy.Said()
    result = toy.train(tmp_path / "run", resume=True, report=said, **BACK, keep=3)
    assert any("checkpoints/10 is damaged" in line and "passed over" in line for line in said.lines)
    assert [mark["to"] for mark in marks(result)] == [5]


def same_image(after):
    """The toy whose samples are all alike from step `after` on."""

    def build(config, spec, axis_name):
        system = toy.build(config, spec, axis_name)

        def sample(state, given, keys):
            made = system.verbs["sample"](state, given, keys)["image"]
            return {"image": jnp.where(state.step >= after, made[:1], made)}

        return system._replace(verbs={"sample": dataclasses.replace(system.verbs["sample"], run=sample)})

    return build


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(samples, "PATIENCE", 1)


def test_stop_saves_and_names_the_last_healthy_checkpoint(impatient, tmp_path):
    words = r"after step 12, as --on-collapse stop asks: the generator has collapsed: 4 samples .*/12 is saved but not "
    words += r"healthy, the last healthy one is .*checkpoints/5; with --on-collapse warn it goes on nevertheless\."
    with pytest.raises(TrainingError, match=words):
        toy.train(tmp_path / "run", build=same_image(10), steps=20, on_collapse="stop")
    # 5 is protected, though only the latest two are kept; 10 had already one bad picture.
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == [5, 10, 12]
    system = toy.build(toy.Config(), toy.SPEC)
    assert restore(tmp_path / "run", system, "healthy")[1] == 5
    assert restore(tmp_path / "run", system)[1] == 12
    with pytest.raises(TrainingError, match=r"after step 1[3-9], as --on-collapse stop asks"):
        toy.train(tmp_path / "run", resume=True, build=same_image(10), steps=20, on_collapse="stop")
    result = toy.train(tmp_path / "run", resume=True, build=same_image(10), steps=20, on_collapse="warn")
    assert result.step == 20
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == [5, 15, 20]


def test_a_collapse_of_samples_rolls_back(impatient, tmp_path):
    with pytest.raises(TrainingError, match=r"12 the generator has collapsed: .* went back 3 times to .*/5, which"):
        toy.train(tmp_path / "run", build=same_image(10), steps=20, on_collapse="rollback")


def test_a_last_picture_out_of_turn_decides_nothing(impatient, tmp_path):
    """Else a run that is resumed would have seen more than one that never stopped."""
    result = toy.train(tmp_path / "run", build=same_image(10), steps=11)  # one bad picture in turn, one out of turn
    assert {row["kind"] for row in logged(result.folder.monitor)} == {"samples"}
    assert not rollback.watch_of(result.folder, 11).well  # and is not forgotten


def test_how_a_run_is_cut_does_not_matter(impatient, tmp_path):
    rows = []
    for name, changes in (("a", {"steps_per_dispatch": 1}), ("b", {"steps_per_dispatch": 7}), ("c", {})):
        result = toy.train(tmp_path / name, build=same_image(10), steps=20, **changes)
        rows.append(logged(result.folder.monitor))
    assert rows[0] == rows[1] == rows[2]
    assert [row["step"] for row in rows[0] if row["kind"] == "collapse"] == [12]
    assert [row["step"] for row in rows[0] if row["kind"] == "samples"] == [0, 5, 6, 10, 12, 15, 18, 20]


def test_the_monitor_lies_in_every_checkpoint(back):
    folder = back[0].folder
    state = rollback.watch_of(folder, 20).to_json()
    assert state["healthy"] == 20
    assert len(state["rows"]) == 20 % rules.BLOCK
    assert len(state["blocks"]) == 1
    assert set(state["rows"][0]) >= {"d/loss", "g/grad_norm"}
    with (folder.checkpoints / "20" / "metadata" / "metadata").open() as file:
        assert json.load(file)[rollback.MONITOR] == state


def test_numbers_of_the_samples(back):
    """Oracle: NumPy, from the samples of the last state and the images of the data."""
    result, _ = back
    images = make_sampler(result.system.verbs["sample"], 4, 3, nothing)(result.state)["image"]
    real = toy.images().tables[0].source.arrays["image"][[0, 13, 26, 39]]

    def distances(x):
        x = x.reshape(4, -1).astype(np.float64) / 127.5
        return np.sqrt(((x[:, None] - x[None]) ** 2).mean(-1))[np.triu_indices(4, 1)]

    numbers = read_metrics(result.folder.monitor)[-1]["numbers"]
    assert numbers["diversity"] == pytest.approx(distances(images).mean() / distances(real).mean(), rel=1e-5)
    assert (numbers["samples"], numbers["images"], numbers["data_images"]) == (4, 20 * 16, 40)
    assert (numbers["near_duplicates"], numbers["support"]) == (0, None)


def test_no_healthy_checkpoint(tmp_path):
    toy.train(tmp_path / "run", steps=4)  # the last step only, which is no regular one
    with pytest.raises(UserError, match="run has no healthy checkpoint"):
        restore(tmp_path / "run", toy.build(toy.Config(), toy.SPEC), "healthy")


@pytest.mark.parametrize("samples", [1, 2])
def test_few_samples(tmp_path, samples):
    result = toy.train(tmp_path / "run", steps=6, samples=samples)
    assert len(read_metrics(result.folder.monitor)) == (0 if samples == 1 else 3)


def test_one_image_has_no_diversity(tmp_path):
    result = toy.train(tmp_path / "run", steps=6, data=toy.images(n=1))
    assert read_metrics(result.folder.monitor) == []
