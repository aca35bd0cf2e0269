"""Options of a run. Oracle: dataclass equality, and the sentences a user should read."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from jaxgan.errors import UserError
from jaxgan.train.run import config
from jaxgan.train.run.config import ResumeConfig, RunConfig


@pytest.mark.parametrize(
    "run", [RunConfig(), RunConfig(image_size=(48, 64), channels=3, steps_per_dispatch=7, out="x")]
)
def test_json_there_and_back(run):
    text = json.dumps(config.to_json(run))
    assert config.from_json(RunConfig, json.loads(text), "config.json") == run


def test_a_field_of_another_version_is_named():
    with pytest.raises(UserError, match=r"config\.json has wings, which this version"):
        config.from_json(RunConfig, {"wings": 2}, "config.json")


@pytest.mark.parametrize(
    "name", ["checkpoint_every", "keep", "sample_every", "samples", "log_every", "steps_per_dispatch"]
)
def test_counts_are_positive(name):
    with pytest.raises(UserError, match=f"--{name.replace('_', '-')} must be at least 1, got 0"):
        config.check_run(dataclasses.replace(RunConfig(), **{name: 0}))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_have_32_bits(seed):
    with pytest.raises(UserError, match="--seed takes a number from 0 to 4294967295"):
        config.check_run(RunConfig(seed=seed))
    config.check_run(RunConfig(seed=2**32 - 1))


def test_devices_share_a_batch_evenly():
    config.check_game(SimpleNamespace(steps=1, batch_size=6), rows=12, devices=4)
    with pytest.raises(UserError, match="--batch-size 6 makes 6 images a step, which 4 devices cannot share"):
        config.check_game(SimpleNamespace(steps=1, batch_size=6), rows=6, devices=4)
    with pytest.raises(UserError, match="--steps must be at least 1, got 0"):
        config.check_game(SimpleNamespace(steps=0, batch_size=6), rows=6, devices=1)
    with pytest.raises(UserError, match="whole number 'batch_size'"):
        config.check_game(SimpleNamespace(steps=1), rows=6, devices=1)


def test_a_device_cuts_its_own_share():
    """Oracle: 8 images on 2 devices are 4 each, which are cut in 4 and not in 8."""
    config.check_shares(SimpleNamespace(batch_size=8, accumulate=4), devices=2)
    config.check_shares(SimpleNamespace(batch_size=8), devices=8)
    sentence = r"--batch-size must be a multiple of 16 .* \(2 devices times --accumulate 8\), got 8"
    with pytest.raises(UserError, match=sentence):
        config.check_shares(SimpleNamespace(batch_size=8, accumulate=8), devices=2)


def test_groups_of_minibatch_statistics_lie_in_the_share_of_a_device():
    """Oracle: 16 images on 2 devices in 2 cuts are 4 each, or 2 packs of 2."""
    config.check_shares(SimpleNamespace(batch_size=16, accumulate=2, minibatch_std=4), devices=2)
    for packing, devices, share in ((2, 2, 2), (1, 4, 2), (8, 4, 0)):
        options = SimpleNamespace(batch_size=16, accumulate=2, minibatch_std=4, packing=packing)
        with pytest.raises(UserError, match=f"--minibatch-std must divide the {share} images or packs .* got 4"):
            config.check_shares(options, devices)


def test_a_picture_has_so_many_images():
    config.check_run(RunConfig(samples=4096))
    with pytest.raises(UserError, match="--samples must be at most 4096, got 4097"):
        config.check_run(RunConfig(samples=4097))


def test_what_may_change_are_options_of_a_run():
    fields = {field.name for field in dataclasses.fields(RunConfig)}
    assert {field.name for field in dataclasses.fields(ResumeConfig)} - fields == {"steps", "system"}
