"""The run as a whole. Oracles: a run that was never interrupted, and a loop over the batches written by hand."""

import json
import os
import shutil
import signal

import jax
import jax.numpy as jnp
import pytest

from jaxgan import data as datasets
from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.train import TrainingError, fit
from jaxgan.train.loop.fit import described
from jaxgan.train.run import checkpoint
from jaxgan.train.run.record import read_metrics
from tests.train import toy

MAKE_MESH = parallel.make_mesh
pytestmark = pytest.mark.usefixtures("cheap")


def rows_of(result):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(result.folder.metrics)]


@pytest.fixture(scope="module")
def straight(cheap, tmp_path_factory):
    """Thirteen steps without interruption, steps per dispatch chosen by the clock."""
    return toy.train(tmp_path_factory.mktemp("straight") / "run")


def test_a_run_is_the_hand_written_loop(straight):
    data, system = toy.images(), toy.build(toy.Config(), toy.SPEC)
    state, key, step = system.init(jax.random.key(3)), jax.random.key(3), jax.jit(system.step)
    order = datasets.order(data.size, 3, 16)
    pixels = datasets.resident(data, toy.SPEC)[0]["image"]
    for t in range(13):
        state, _ = step(state, {"image": jnp.asarray(pixels[order[t]], jnp.float32) / 127.5 - 1}, key)
    toy.assert_close(straight.state, state)
    last = rows_of(straight)[-1]
    assert last["step"] == 12
    assert last["images"] == 12 * 16


@pytest.mark.parametrize(
    "changes",
    [
        {"steps_per_dispatch": 1},
        {"steps_per_dispatch": 5},  # 13 steps: the last chunk is ragged, and checkpoints and pictures cut others
        {"resident": "off"},
        {"resident": "off", "steps_per_dispatch": 4},
    ],
    ids=str,
)
def test_chunks_and_feeds_do_not_change_a_bit(straight, tmp_path, changes):
    other = toy.train(tmp_path / "run", **changes)
    toy.assert_same(other.state, straight.state)
    assert rows_of(other) == rows_of(straight)


def test_another_seed_is_another_run(straight, tmp_path):
    # Negative control of every test here that finds two runs equal.
    assert toy.differ(toy.train(tmp_path / "run", seed=4).state, straight.state)


@pytest.mark.parametrize("stop", [5, 7])  # on a checkpoint's step, and off
def test_resume_is_as_if_never_stopped(straight, tmp_path, stop):
    toy.train(tmp_path / "run", steps=stop)
    resumed = toy.train(tmp_path / "run", resume=True, steps_per_dispatch=3)
    toy.assert_same(resumed.state, straight.state)
    assert rows_of(resumed) == rows_of(straight)
    for path in straight.folder.samples.iterdir():
        assert (resumed.folder.samples / path.name).read_bytes() == path.read_bytes()
    seconds = [row["seconds"] for row in read_metrics(resumed.folder.metrics)]
    assert seconds == sorted(seconds)


def test_resume_before_the_first_checkpoint_begins_again(straight, tmp_path):
    toy.train(tmp_path / "run", steps=4)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    toy.assert_same(toy.train(tmp_path / "run", resume=True).state, straight.state)


def test_a_save_cut_short_is_forgotten(straight, tmp_path):
    # What kill -9 leaves: Orbax's temporary folder, or a renamed folder without a manifest; and half a line of metrics.
    toy.train(tmp_path / "run", steps=10)
    folder = tmp_path / "run" / "checkpoints"
    shutil.copytree(folder / "10", folder / "11.orbax-checkpoint-tmp")
    shutil.copytree(folder / "10", folder / "12")
    (folder / "12" / checkpoint.MANIFEST).unlink()
    with (tmp_path / "run" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 12, "images')
    resumed = toy.train(tmp_path / "run", resume=True)
    toy.assert_same(resumed.state, straight.state)
    assert rows_of(resumed) == rows_of(straight)
    assert sorted(path.name for path in folder.iterdir()) == ["10", "13"]


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(straight, tmp_path):
    toy.train(tmp_path / "run", steps=10)
    broken = next((tmp_path / "run" / "checkpoints" / "10" / "state" / "d").iterdir())
    broken.write_bytes(broken.read_bytes()[:-1])
    said = toy.Said()
    resumed = toy.train(tmp_path / "run", resume=True, report=said)
    assert any("checkpoints/10 is damaged" in line and broken.name in line for line in said.lines)
    toy.assert_same(resumed.state, straight.state)
    assert rows_of(resumed) == rows_of(straight)


def test_resume_on_another_number_of_devices(straight, tmp_path):
    toy.train(tmp_path / "run", steps=10)

    def train_on(n, steps):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parallel, "make_mesh", lambda: MAKE_MESH(jax.devices()[:n]))
            state = toy.train(tmp_path / "run", resume=True, steps=steps).state
        assert {leaf.sharding.num_devices for leaf in jax.tree.leaves(state)} == {n}
        return state

    train_on(1, 11)
    toy.assert_close(train_on(8, 13), straight.state)


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_parallel_modes_agree(straight, tmp_path, mode):
    other = toy.train(tmp_path / "run", parallel=mode)
    toy.assert_close(other.state, straight.state)


def test_a_signal_saves_and_the_run_goes_on(straight, tmp_path):
    class Interrupting(toy.Said):
        def progress(self, step, rate, images, metrics):
            if step == 1:
                os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    stopped = toy.train(tmp_path / "run", report=Interrupting(), steps_per_dispatch=1)
    assert stopped.signal == signal.SIGTERM
    assert stopped.step < 5  # before the first regular checkpoint
    assert checkpoint.steps(stopped.folder.checkpoints) == [stopped.step]
    assert signal.getsignal(signal.SIGTERM) is before
    toy.assert_same(toy.train(tmp_path / "run", resume=True).state, straight.state)
    log = stopped.folder.log.read_text()
    assert log.count("--- ") == 2  # the run, and its going on
    assert "SIGTERM     stopping, saving ..." in log.partition("Stopped by a signal")[0]


def broken_build(change):
    def build(config, spec, axis_name):
        system = toy.build(config, spec, axis_name)

        def step(state, batch, rng):
            new, metrics = system.step(state, batch, rng)
            return change(state.step + 1, new, metrics)

        return system._replace(step=step)

    return build


def test_a_metric_that_is_not_finite_stops_the_run(tmp_path):
    build = broken_build(lambda t, new, m: (new, {**m, "d/loss": jnp.where(t == 7, jnp.nan, m["d/loss"])}))
    with pytest.raises(TrainingError, match=r"step 7 d/loss is nan; .* last good checkpoint is .*checkpoints/5\."):
        toy.train(tmp_path / "run", build=build)
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == [5]
    text = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert "NaN" not in text
    assert [json.loads(line)["step"] for line in text.splitlines()] == [1, 2, 4, 6]


def test_a_metric_that_breaks_at_the_step_of_a_checkpoint_is_not_saved(tmp_path):
    build = broken_build(lambda t, new, m: (new, {**m, "g/loss": jnp.where(t == 5, jnp.inf, m["g/loss"])}))
    with pytest.raises(TrainingError, match=r"step 5 g/loss is inf; .* no checkpoint yet"):
        toy.train(tmp_path / "run", build=build)
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == []


def test_a_state_that_is_not_finite_is_not_saved(tmp_path):
    # The update of step 10 breaks the state; no metric shows it before step 11.
    def poison(t, new, metrics):
        return jax.tree.map(lambda x: jnp.where(t == 10, jnp.nan, x) if x.dtype == jnp.float32 else x, new), metrics

    with pytest.raises(TrainingError, match=r"after step 10 the state is not finite .*checkpoints/5\."):
        toy.train(tmp_path / "run", build=broken_build(poison), sample_every=100)
    assert checkpoint.steps(tmp_path / "run" / "checkpoints") == [5]


def test_one_compilation_serves_all_chunks(tmp_path):
    traced = []
    build = broken_build(lambda t, new, m: (traced.append(1), (new, m))[1])
    toy.train(tmp_path / "run", build=build, steps_per_dispatch=5)
    assert len(traced) == 2  # once for the metrics' shapes, once for the loop


def test_the_folder_describes_itself(straight):
    about = json.loads(straight.folder.config.read_text())
    assert about["recipe"] is None
    assert about["data"]["fields"] == {"image": {"kind": "image", "shape": [8, 8, 1], "names": [], "rate": None}}
    assert about["run"]["seed"] == 3
    assert about["data"]["fingerprint"] == toy.images().fingerprint
    assert checkpoint.steps(straight.folder.checkpoints) == [10, 13]
    assert sorted(path.name for path in straight.folder.samples.iterdir()) == [
        "00000000.png",
        "00000006.png",
        "00000012.png",
        "00000013.png",
    ]
    assert "13 steps" in straight.folder.summary.read_text()
    assert any(straight.folder.tensorboard.iterdir())


def test_a_heading_has_no_folders():
    for name, told in (("/home/me/photos", "photos: 3 images"), ("photos/cats", "photos/cats: 3 images")):
        data = toy.images()._replace(name=name, description=f"{name}: 3 images")
        assert described(data) == told


def test_other_images_are_refused(straight, tmp_path):
    shutil.copytree(straight.folder.root, tmp_path / "run")
    with pytest.raises(UserError, match="not those that the run began with"):
        toy.train(tmp_path / "run", resume=True, steps=20, data=toy.images(seed=1))


def test_what_changes_the_numbers_cannot_change(straight, tmp_path):
    shutil.copytree(straight.folder.root, tmp_path / "run")
    with pytest.raises(UserError, match="--seed was 3 when the run began and cannot change now; got 4"):
        toy.train(tmp_path / "run", resume=True, steps=20, seed=4)
    config, run = toy.Config(steps=20, z_dim=5), toy.run_config(tmp_path / "run")
    with pytest.raises(UserError, match="--z-dim was 4"):
        fit(toy.build, config, toy.images(), run, resume=True, report=toy.Said())


def test_a_run_older_than_an_option_had_its_default(straight, tmp_path):
    shutil.copytree(straight.folder.root, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    saved = json.loads(path.read_text())
    del saved["config"]["z_dim"], saved["run"]["image_size"], saved["run"]["parallel"]
    path.write_text(json.dumps(saved))
    with pytest.raises(UserError, match="--z-dim was 4 when the run began and cannot change now; got 5"):
        fit(toy.build, toy.Config(steps=20, z_dim=5), toy.images(), toy.run_config(tmp_path / "run"), resume=True)
    assert toy.train(tmp_path / "run", resume=True, steps=14).step == 14


def test_a_finished_run_wants_more_steps(straight, tmp_path):
    shutil.copytree(straight.folder.root, tmp_path / "run")
    with pytest.raises(UserError, match="has 13 steps; --steps takes a larger total, got 13"):
        toy.train(tmp_path / "run", resume=True)


def test_a_huge_dispatch_takes_no_memory(straight, tmp_path):
    other = toy.train(tmp_path / "run", steps_per_dispatch=10**9)
    toy.assert_same(other.state, straight.state)


def test_a_signal_at_the_end_is_no_stop(tmp_path):
    class Late(toy.Said):
        def progress(self, step, rate, images, metrics):
            if step == 12:  # told while step 13 is on its way
                os.kill(os.getpid(), signal.SIGTERM)

    result = toy.train(tmp_path / "run", report=Late(), steps_per_dispatch=1, sample_every=100)
    assert (result.step, result.signal) == (13, None)
    assert result.folder.summary.exists()


def test_callbacks_see_what_is_drawn_and_logged(tmp_path):
    """Every `sample_every` steps and at the end, with the state and the metrics of that step."""
    seen = []
    look = lambda step, state, metrics: seen.append((step, int(state.step), metrics["d/loss"]))  # noqa: E731
    run = toy.run_config(tmp_path / "run", log_every=1)
    result = fit(toy.build, toy.Config(), toy.images(), run, report=toy.Said(), callbacks=[look])
    logged = {row["step"]: row["d/loss"] for row in read_metrics(result.folder.metrics)}
    assert seen == [(step, step, logged[step]) for step in (6, 12, 13)]
