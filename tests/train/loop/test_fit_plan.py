"""What a run says before it begins. Oracles: XLA's count of one step, and the sentences a user should read."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from jaxgan.train import RunConfig, fit
from tests.train import toy

pytestmark = pytest.mark.usefixtures("cheap")


def test_what_will_happen_is_said_first(tmp_path):
    said = toy.Said()
    toy.train(tmp_path / "run", report=said, steps=2)
    text = "\n".join(said.lines)
    for fact in ("toy: 40 images", "your own: A game small", "g 320 parameters", "2 x cpu", "2 steps of 16", "FLOP"):
        assert fact in text


def test_flops_are_those_of_one_step(tmp_path):
    # Oracle: XLA's count of the step alone, unsharded; the chunk adds the gather of the batch and the loop's counter.
    said = toy.Said()
    result = toy.train(tmp_path / "run", report=said, steps=1)
    batch = {"image": jnp.zeros((16, 8, 8, 1))}
    alone = jax.jit(result.system.step).lower(result.state, batch, jax.random.key(0)).compile().cost_analysis()["flops"]
    number, unit = next(line for line in said.lines if line.startswith("Cost")).split()[1:3]
    assert float(number) * {"kFLOP": 1e3, "MFLOP": 1e6}[unit] == pytest.approx(alone, rel=0.3)


def test_flops_are_told_in_every_mode(tmp_path):
    costs = []
    for mode in ("jit", "pmap", "shard_map"):
        said = toy.Said()
        toy.train(tmp_path / mode, report=said, steps=1, parallel=mode)
        number, unit = next(line for line in said.lines if line.startswith("Cost")).split()[1:3]
        costs.append(float(number) * {"kFLOP": 1e3, "MFLOP": 1e6}[unit])
    assert costs == pytest.approx([costs[0]] * 3, rel=0.2)


def test_no_count_where_the_step_has_a_loop(tmp_path):
    def build(config, spec, axis_name):
        return toy.build(dataclasses.replace(config, batch_size=16), spec, axis_name)._replace(microbatches=2)

    said = toy.Said()
    fit(build, toy.Config(steps=1, batch_size=8), toy.images(), toy.run_config(tmp_path / "run"), report=said)
    assert "Cost        not counted: XLA counts the body of a loop once" in said.lines
    assert not any("FLOP" in line for line in said.lines)


def test_out_defaults_to_the_first_free_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        result = fit(toy.build, toy.Config(steps=1), toy.images(), RunConfig(samples=1), report=toy.Said())
        assert str(result.folder.root) == f"runs/own-toy-{number}"
