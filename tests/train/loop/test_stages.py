"""Runs of several systems. Oracles: the first stage's checkpoint, and the run without an interruption, bit for bit."""

import dataclasses
import json
import os
import signal

import jax
import numpy as np
import pytest

from jaxgan import game
from jaxgan.errors import UserError
from jaxgan.train import fit, load
from jaxgan.train.loop import stages
from jaxgan.train.loop.declared import check_stages
from jaxgan.train.loop.plan import make_plans
from jaxgan.train.run import checkpoint
from jaxgan.train.run.record import read_metrics
from tests.train import staged, toy


def train(out, resume=False, report=None, steps=13, **changes):
    run = toy.run_config(out, **changes)
    return fit(staged.build, staged.Config(steps=steps), toy.images(), run, resume=resume, report=report or toy.Said())


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    said = toy.Said()
    return train(tmp_path_factory.mktemp("staged") / "run", report=said), said


def test_the_second_stage_begins_where_the_first_ended(straight):
    """Each stage has its own metrics, and the run counts on."""
    result, said = straight
    assert result.step == 13
    assert set(result.state.players) == {"g", "d"}
    assert int(result.state.step) == 6
    metrics = read_metrics(result.folder.metrics)
    assert [row["step"] for row in metrics if "error" in row] == [1, 2, 4, 6]
    assert [row["step"] for row in metrics if "d/loss" in row] == [8, 10, 12]
    errors = [row["error"] for row in metrics if "error" in row]
    assert errors[-1] < errors[0]
    lines = "\n".join(said.lines)
    assert "Stages      pixels until 7, game until 13; now pixels" in lines
    assert "Stage       game from step 7: 9 arrays taken over" in lines


def test_what_is_taken_over_is_the_first_stages(straight):
    result, _ = straight
    plans = make_plans(staged.build, staged.Config(), toy.images(), toy.run_config("x"), recipe=None, report=toy.Said())
    assert [plan.ends for plan in plans] == [7, 13]
    assert [stages.running(plans, step).stage.name for step in (0, 6, 7, 12)] == ["pixels", "pixels", "game", "game"]
    assert [stages.saved_in(plans, step).stage.name for step in (5, 7, 8)] == ["pixels", "pixels", "game"]
    train(result.folder.root.parent / "short", steps=8, checkpoint_every=20)
    (step, last) = checkpoint.steps(result.folder.root.parent / "short" / "checkpoints")
    assert (step, last) == (7, 8)
    before = checkpoint.restore(result.folder.root.parent / "short" / "checkpoints", 7, plans[0].abstract)
    opened = stages.opened(plans, dataclasses.replace(result.folder, root=result.folder.root.parent / "short"), 7, None)
    toy.assert_same(opened.players["g"], before.players["g"])
    assert int(opened.step) == 0
    assert opened.players["d"].params.shape == (64,)
    assert not np.array_equal(jax.random.key_data(plans[0].key()), jax.random.key_data(plans[1].key()))


@pytest.mark.parametrize("stop", [5, 7, 9])
def test_resume_is_bit_for_bit_in_every_stage(straight, tmp_path, stop):
    """Stopped by a signal in the first stage, at its very end, and in the second."""
    said = toy.Said()

    class Stops(toy.Said):
        def progress(self, step, rate, images, row):
            if step >= stop and not self.lines.count("sent"):
                self.lines.append("sent")
                os.kill(os.getpid(), signal.SIGINT)

    # Of jax 0.10 without optimisations, the program whose chunks hold one step rounds this system differently.
    first = train(tmp_path / "run", report=Stops(), steps_per_dispatch=2)
    assert first.signal == signal.SIGINT
    assert stop <= first.step < 13
    resumed = train(tmp_path / "run", resume=True, report=said)
    assert resumed.step == 13
    toy.assert_same(staged.rest(resumed.state), staged.rest(straight[0].state))


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_all_modes_agree(straight, tmp_path, mode):
    toy.assert_close(train(tmp_path / "run", parallel=mode).state.players, straight[0].state.players)


def test_a_run_goes_back_over_the_end_of_a_stage(tmp_path, monkeypatch):
    """The game breaks at its third step, once; the last healthy state is the end of the first stage."""
    real = staged.build

    def broken(config, spec, axis_name=None):
        system = real(config, spec, axis_name)
        plain = jax.random.key_data(jax.random.fold_in(jax.random.fold_in(jax.random.key(3), 0x73746167), 1))

        def step(state, batch, rng):
            new, metrics = system.step(state, batch, rng)
            bad = (state.step == 2) & (jax.random.key_data(rng) == plain).all()
            return new, {**metrics, "d/loss": jax.numpy.where(bad, jax.numpy.nan, metrics["d/loss"])}

        return system._replace(step=step)

    sequence = (game.Stage("pixels", staged.build_pixels, until=7), game.Stage("game", broken))
    monkeypatch.setattr(staged, "stages", lambda config: sequence)
    result = train(tmp_path / "run", on_collapse="rollback", checkpoint_every=7)
    marks = [row for row in read_metrics(result.folder.monitor) if row["kind"] == "rollback"]
    assert [(mark["step"], mark["to"]) for mark in marks] == [(10, 7)]
    assert result.step == 13
    assert int(result.state.step) == 6


def test_a_stage_may_begin_by_its_own_rule(tmp_path, monkeypatch):
    """The generator's weights doubled."""

    def begin(old, new):
        weights = jax.tree.map(lambda leaf: 2 * leaf, old.players["g"].params)
        moved = dataclasses.replace(new.players["g"], params=weights)
        return dataclasses.replace(new, players={**new.players, "g": moved})

    sequence = (game.Stage("pixels", staged.build_pixels, until=7), game.Stage("game", staged.build, begin=begin))
    monkeypatch.setattr(staged, "stages", lambda config: sequence)
    said = toy.Said()
    result = train(tmp_path / "run", steps=8, checkpoint_every=20, report=said)
    plans = make_plans(staged.build, staged.Config(), toy.images(), toy.run_config("x"), recipe=None, report=said)
    before = checkpoint.restore(result.folder.checkpoints, 7, plans[0].abstract)
    opened = stages.opened(plans, result.folder, 7, None)
    np.testing.assert_array_equal(opened.players["g"].params["w"], 2 * np.asarray(before.players["g"].params["w"]))
    assert "Stage       game from step 7: begun by its own rule" in said.lines


def test_what_cannot_be_reached_is_one_sentence(tmp_path, straight):
    with pytest.raises(UserError, match=r"^stage game cannot be reached: it begins after step 7, and --steps is 7\.$"):
        train(tmp_path / "run", steps=7)
    assert not (tmp_path / "run").exists()
    first, second = game.Stage("a", toy.build, until=3), game.Stage("b", toy.build)
    for sequence, sentence in (
        ((first, first), "of different names"),
        ((), "of different names"),
        ((first, second._replace(until=5)), "every stage but the last"),
        ((second, first), "every stage but the last"),
        ((first, first._replace(name="c"), second), "stage c ends after step 3, where a ends after 3"),
        ((first._replace(until=0), second), "stage a ends after step 0, where the beginning ends after 0"),
    ):
        with pytest.raises(UserError, match=sentence):
            check_stages(sequence, 10)


def test_stages_stay_what_they_were(straight, tmp_path, monkeypatch):
    train(tmp_path / "run", steps=8)
    monkeypatch.setattr(
        staged,
        "stages",
        lambda config: (game.Stage("pixels", staged.build_pixels, until=6), game.Stage("game", staged.build)),
    )
    with pytest.raises(UserError, match=r"the stages of the run were pixels until 7, game until the end when it began"):
        train(tmp_path / "run", resume=True)


def test_a_checkpoint_is_loaded_with_the_system_of_its_stage(tmp_path):
    """Through a file of the user's own, as a command would."""
    from jaxgan import cli

    path = tmp_path / "mine.py"
    path.write_text(
        "from tests.train.staged import Config, build as _build, build_pixels\nfrom jaxgan.game import Stage\n"
        "def build(config, spec, axis_name=None):\n    '''A game.'''\n    return _build(config, spec, axis_name)\n"
        "def stages(config):\n"
        "    return (Stage('pixels', build_pixels, until=config.pixel_steps), Stage('game', build))\n"
    )
    images = tmp_path / "data.npz"
    np.savez(images, image=np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    run = tmp_path / "run"
    args = ["--data", str(images), "--out", str(run), "--checkpoint-every", "5", "--keep", "9", "--samples", "4"]
    assert cli.main(["train", str(path), *args]) == 0
    assert set(load(run).state.players) == {"g", "d"}
    for step, players in ((5, {"g"}), (7, {"g"}), (10, {"g", "d"})):
        assert set(load(run, step=step).state.players) == players
        assert cli.main(["sample", str(run), "--n", "2", "--step", str(step)]) == 0
    about = json.loads((run / "config.json").read_text())
    assert about["stages"] == [["pixels", 7], ["game", None]]
    assert about["stage"] == "game"


def test_a_run_may_begin_with_another_runs_state(straight, tmp_path):
    """Of another system: the toy's; all of the generator and of the discriminator fits."""
    from jaxgan import cli

    path = tmp_path / "mine.py"
    path.write_text("'''A game.'''\nfrom tests.train.toy import Config, build\n")
    images = tmp_path / "data.npz"
    np.savez(images, image=np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    often = ["--data", str(images), "--samples", "4", "--steps", "3"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert cli.main(["train", str(path), *often, "--out", str(first)]) == 0
    old = load(first).state
    said = toy.Said()
    from_ = toy.run_config(second, from_=str(first), steps_per_dispatch=1)
    plan = make_plans(toy.build, toy.Config(), toy.images(), from_, recipe=None, report=said)[0]
    origin = stages.origin_of(plan)
    toy.assert_same(origin.state.players, jax.device_get(old.players))
    assert int(origin.state.step) == 0
    assert len(origin.lines) == 1  # all of it was taken: nothing to name
    assert origin.lines[0].startswith(f"From        {first}, step 3: ")
    assert cli.main(["train", str(path), *often, "--out", str(second), "--from", str(first)]) == 0
    assert json.loads((second / "config.json").read_text())["run"]["from_"] == str(first)
    with pytest.raises(UserError, match=r"^--from: nosuch is not a run: there is no such folder\.$"):
        train(tmp_path / "x", from_="nosuch")
    with pytest.raises(UserError, match=r"--from .* has no array that fits this system"):
        stages.origin_of(dataclasses.replace(plan, system=_renamed(plan.system)))


def _renamed(system):
    def init(key):
        state = system.init(key)
        return dataclasses.replace(state, players={f"{name}2": player for name, player in state.players.items()})

    return system._replace(init=init)
