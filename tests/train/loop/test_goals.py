"""States kept by a number of the system's own, and a system that acts. Oracles: numbers whose best step is known."""

import json
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import cli, fields, game
from jaxgan.errors import UserError
from jaxgan.train import load
from jaxgan.train.loop.plan import make_plans
from jaxgan.train.run import checkpoint
from jaxgan.train.run.record import read_metrics
from tests.train import toy


def wave(config, spec, axis_name=None):
    """The toy, with a metric that is smallest after step 6: |step - 6|."""
    system = toy.build(config, spec, axis_name)

    def step(state, batch, rng):
        new, metrics = system.step(state, batch, rng)
        return new, {**metrics, "distance": jnp.abs(new.step - 6.0)}

    return system._replace(step=step, goal=game.Goal("distance"))


def actor(config, spec, axis_name=None):
    """The toy that also acts: eight observations, and a return that is largest after step 8: -|step - 8| + row."""
    system = toy.build(config, spec, axis_name)

    def rollout(state, given, keys):
        noise = jax.vmap(lambda key: jax.random.uniform(key, (8, 2)))(keys)
        value = -jnp.abs(state.step - 8.0) + state.frozen["scale"]["one"] * noise[:, 0, 0]
        return {"observation": noise, "return": value}

    makes = {"observation": fields.Field("vector", (8, 2)), "return": fields.Field("number", ())}
    verbs = {**system.verbs, "rollout": game.Verb(rollout, makes)}
    frozen = lambda: {"scale": {"one": np.float32(1)}}  # noqa: E731
    return system._replace(verbs=verbs, goal=game.Goal("return", "higher"), frozen=frozen)


@pytest.mark.parametrize("mode", ["jit", "shard_map"])
def test_the_best_state_is_that_of_the_smallest_metric(tmp_path, mode):
    said = toy.Said()
    result = toy.train(tmp_path / "run", build=wave, eval_every=2, report=said, parallel=mode)
    rows = read_metrics(result.folder.evaluations)
    assert [(row["step"], row["value"]) for row in rows] == [(s, abs(s - 6)) for s in (2, 4, 6, 8, 10, 12, 13)]
    assert checkpoint.steps(result.folder.best) == [6]
    assert "Evaluation  every 2 steps, by distance (lower is better)" in said.lines
    assert "step 6  distance 0  (the best so far, kept)" in said.lines


def test_the_best_state_is_that_of_the_largest_return(tmp_path):
    """The mean of a uniform number of 20 examples, always of the same keys, is added to -|step - 8|."""
    said = toy.Said()
    result = toy.train(tmp_path / "run", build=actor, eval_every=4, eval_samples=20, report=said, steps=12)
    rows = read_metrics(result.folder.evaluations)
    assert [row["step"] for row in rows] == [4, 8, 12]
    assert rows[1]["value"] == pytest.approx(rows[0]["value"] + 4, abs=1e-6)
    assert rows[1]["value"] == pytest.approx(0.5, abs=0.25)
    assert (rows[1]["n"], rows[1]["better"]) == (20, "higher")
    assert checkpoint.steps(result.folder.best) == [8]


def test_a_resumed_run_goes_on_comparing(tmp_path):
    toy.train(tmp_path / "run", build=wave, eval_every=2, steps=7)
    result = toy.train(tmp_path / "run", build=wave, eval_every=2, resume=True)
    assert checkpoint.steps(result.folder.best) == [6]


@pytest.mark.parametrize("mode", ["jit", "shard_map"])
def test_a_goal_that_is_nowhere_is_one_sentence(mode):
    def build(config, spec, axis_name=None):
        return wave(config, spec, axis_name)._replace(goal=game.Goal("reward"))

    run = toy.run_config("x", eval_every=2, parallel=mode)
    with pytest.raises(UserError, match=r"^the system's goal reward is no number .* no metric of its step, .*distance"):
        make_plans(build, toy.Config(), toy.images(), run, recipe=None, report=toy.Said())
    make_plans(build, toy.Config(), toy.images(), toy.run_config("x"), recipe=None, report=toy.Said())


def test_a_system_that_acts_is_served_by_the_commands(tmp_path, capsys):
    """`jaxgan rollout` writes what it makes; `jaxgan evaluate` gives the mean return; what is frozen is loaded anew."""
    path = tmp_path / "actor.py"
    path.write_text(
        "'''Acts.'''\nfrom tests.train.loop.test_goals import actor\nfrom tests.train.toy import Config\n\n"
        "def build(config, spec, axis_name=None):\n    return actor(config, spec, axis_name)\n"
    )
    images, run = tmp_path / "data.npz", tmp_path / "run"
    np.savez(images, image=np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    args = ["--data", str(images), "--out", str(run), "--samples", "4", "--steps", "8", "--eval-every", "4"]
    assert cli.main(["train", str(path), *args]) == 0
    assert cli.main(["rollout", str(run), "--n", "5", "--out", str(tmp_path / "acts.npz")]) == 0
    made = np.load(tmp_path / "acts.npz")
    assert made["observation"].shape == (5, 8, 2)
    np.testing.assert_allclose(made["return"], made["observation"][:, 0, 0], rtol=1e-6)
    assert cli.main(["rollout", str(run), "--n", "5", "--out", str(tmp_path / "acts.png")]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", str(run), "--metrics", "fd", "--extractor", "pixels", "--n", "20"]) == 0
    assert re.search(r"return of 500 examples:\n\s+mean +0\.[45]\d+ \+- 0\.01\d", capsys.readouterr().out)
    number = json.loads((run / "evaluation.json").read_text())["last"]["numbers"]["return of 500 examples"]["mean"]
    assert number["better"] == "higher"
    assert number["value"] == pytest.approx(0.5, abs=0.05)
    assert number["stderr"] == pytest.approx(math.sqrt(1 / 12 / 500), rel=0.1)
    assert load(run, "best").state.frozen["scale"]["one"] == 1


def test_a_system_that_only_acts_is_measured_by_its_numbers(tmp_path, capsys):
    """It makes nothing of the kind of its data; one that makes no number either has nothing to measure."""
    path, images, run = tmp_path / "actor.py", tmp_path / "data.npz", tmp_path / "run"
    text = (
        "'''Acts.'''\nfrom tests.train.loop.test_goals import actor\nfrom tests.train.toy import Config\n\n"
        "def build(config, spec, axis_name=None):\n    system = actor(config, spec, axis_name)\n"
        "    return system._replace(verbs={'rollout': system.verbs['rollout']}, shows=())\n"
    )
    path.write_text(text)
    np.savez(images, image=np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    args = ["--data", str(images), "--samples", "4", "--steps", "2"]
    assert cli.main(["train", str(path), *args, "--out", str(run)]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", str(run)]) == 0
    assert "return of 500 examples" in capsys.readouterr().out
    path.write_text(text.replace("{'rollout': system.verbs['rollout']}", "{}"))
    assert cli.main(["evaluate", str(run), "--system", str(path)]) == 2
    assert "no number, so there is nothing to measure" in capsys.readouterr().err
