"""Mirrored examples. Oracles: a run that nothing interrupted, one on other devices, and one without mirroring."""

import numpy as np
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.train.loop.plan import make_plans
from jaxgan.train.run.config import RunConfig
from jaxgan.train.screen.report import Report
from tests.train import toy


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return toy.train(tmp_path_factory.mktemp("mirror") / "run", mirror=True, steps=7).state


def test_it_is_exact_after_resuming_and_in_other_cuts(straight, tmp_path):
    toy.train(tmp_path / "run", mirror=True, steps=3)
    toy.assert_same(
        toy.train(tmp_path / "run", resume=True, mirror=True, steps=7, steps_per_dispatch=2).state, straight
    )
    plain = toy.train(tmp_path / "plain", steps=7).state
    with pytest.raises(AssertionError):
        toy.assert_close(plain, straight)


@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_all_devices_mirror_the_same(straight, tmp_path, mode):
    toy.assert_close(toy.train(tmp_path / "run", mirror=True, steps=7, parallel=mode).state, straight)


def test_what_has_no_left_and_right_is_refused(monkeypatch, tmp_path):
    def build(config, spec, axis_name=None):
        return toy.build(config, toy.SPEC, axis_name)._replace(batch={"label": spec["label"]})

    data = toy.of_arrays({"label": np.zeros(40, np.int32)}, {"label": fields.label(("a", "b"))})
    with pytest.raises(UserError, match=r"--mirror turns image, mask, .*; this system trains on label \(label\)\."):
        make_plans(build, toy.Config(), data, RunConfig(mirror=True), recipe=None, report=Report())
