"""Runs of recipes read back. Oracle: the state that training returned."""

import shutil

import jax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.recipes import gan
from jaxgan.train import fit, load, restore
from jaxgan.train.run import checkpoint
from tests.train import toy


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    config = gan.Config(steps=7, batch_size=16, z_dim=4, g_widths=(8,), d_widths=(8,))
    run = toy.run_config(tmp_path_factory.mktemp("load") / "run")
    with pytest.MonkeyPatch.context() as patch:
        make = parallel.make_mesh
        patch.setattr(parallel, "make_mesh", lambda: make(jax.devices()[:2]))
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        return fit(gan.build, config, toy.images(), run, recipe="gan", report=toy.Said())


def test_the_newest_state_comes_back_on_one_device(trained):
    found = load(trained.folder.root)
    toy.assert_same(found.state, trained.state)
    assert found.step == 7
    assert found.spec == toy.SPEC
    assert found.system.config == trained.system.config
    assert {leaf.sharding.num_devices for leaf in jax.tree.leaves(found.state)} == {1}


def test_an_older_checkpoint(trained):
    found = load(trained.folder.root, step=5)
    assert found.step == int(found.state.step) == 5
    with pytest.raises(UserError, match="--step takes one of 5, 7, got 6"):
        load(trained.folder.root, step=6)


def test_a_system_of_ones_own(trained):
    state, step = restore(trained.folder.root, trained.system)
    assert step == 7
    toy.assert_same(state, trained.state)


def test_damage_is_told(trained, tmp_path):
    run = shutil.copytree(trained.folder.root, tmp_path / "run")
    (run / "checkpoints" / "7" / "state" / "_METADATA").unlink()
    said = []
    assert load(run, say=said.append).step == 5
    assert "checkpoints/7 is damaged (state/_METADATA is missing)" in said[0]
    with pytest.raises(UserError, match=r"is damaged .* choose another --step"):
        load(run, step=7)


def test_what_cannot_be_loaded_is_one_sentence(trained, tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        load(tmp_path / "nothing")
    run = shutil.copytree(trained.folder.root, tmp_path / "run")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(UserError, match="has no checkpoint yet"):
        load(run)
    text = (run / "config.json").read_text()
    (run / "config.json").write_text(text.replace('"recipe": "gan"', '"recipe": null'))
    with pytest.raises(UserError, match=r"system of your own; read it with jaxgan\.train\.restore"):
        load(run)
    assert checkpoint.steps(run / "checkpoints") == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"z_dim": 4', '"z_dim": 5', r"checkpoint .*checkpoints/7 does not fit"),
        ('"z_dim": 4', '"z_dim": "4"', r"config\.json gives 'z_dim' as '4', which it cannot be"),
        ('"z_dim": 4', '"z_dim": -4', r"--z-dim must be"),
        ('"recipe"', '"recipes"', r"config\.json has no 'recipe'"),
        ('"z_dim": 4', '"z_dims": 4', r"config\.json has z_dims, which this version"),
    ],
)
def test_a_changed_config_is_one_sentence(trained, tmp_path, old, new, sentence):
    run = shutil.copytree(trained.folder.root, tmp_path / "run")
    text = (run / "config.json").read_text()
    assert old in text
    (run / "config.json").write_text(text.replace(old, new))
    with pytest.raises(UserError, match=sentence):
        load(run)
