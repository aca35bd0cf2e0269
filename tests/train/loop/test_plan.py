"""Plans. Oracle: the arguments they are made from."""

import warnings

import jax
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.recipes import wgan_gp
from jaxgan.train import RunConfig
from jaxgan.train.loop.plan import make_plans
from tests.train import toy


def plan(config=None, data=None, **run):
    config, data = config or toy.Config(), data or toy.images()
    return make_plans(toy.build, config, data, RunConfig(**run), recipe=None, report=toy.Said())[0]


def test_shape_and_classes_come_from_the_data():
    asked = []

    def build(config, spec, axis_name=None):
        asked.append(spec)
        return toy.build(config, spec, axis_name)

    make_plans(build, toy.Config(), toy.images(channels=3, labels=True), RunConfig(), recipe=None, report=toy.Said())
    assert asked == [{**toy.LABELLED, "image": fields.image(8, 8, 3)}]


def test_the_state_is_described_without_computing_it():
    made = plan()
    state = made.system.init(jax.random.key(0))
    assert jax.tree.structure(made.abstract) == jax.tree.structure(state)
    for shape, leaf in zip(jax.tree.leaves(made.abstract), jax.tree.leaves(state), strict=True):
        assert (shape.shape, shape.dtype) == (leaf.shape, leaf.dtype)
        assert shape.sharding.is_fully_replicated


def test_paths_mean_the_same_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    run = plan(data_dir="tf", weights="~/w.pth", out="~/run").description()["run"]
    assert (run["data_dir"], run["weights"]) == (f"{tmp_path}/tf", f"{tmp_path}/home/w.pth")
    assert run["out"] == f"{tmp_path}/home/run"


def test_a_batch_that_the_devices_cannot_share(monkeypatch):
    make = parallel.make_mesh
    monkeypatch.setattr(parallel, "make_mesh", lambda: make(jax.devices()[:3]))
    with pytest.raises(UserError, match="--batch-size 16 makes 16 images a step, which 3 devices"):
        plan()


def test_a_share_that_cannot_be_cut(monkeypatch):
    make = parallel.make_mesh
    monkeypatch.setattr(parallel, "make_mesh", lambda: make(jax.devices()[:2]))
    uneven = wgan_gp.Config(batch_size=3, n_critic=2, g_width=4, d_width=4)
    for mode in ("pmap", "shard_map"):
        with pytest.raises(UserError, match="--batch-size must be a multiple of 2 with --parallel pmap or shard_map"):
            make_plans(wgan_gp.build, uneven, toy.images(), RunConfig(parallel=mode), recipe=None, report=toy.Said())
    make_plans(wgan_gp.build, uneven, toy.images(), RunConfig(), recipe=None, report=toy.Said())


def test_impossible_options_are_found_here():
    with pytest.raises(UserError, match="--keep must be at least 1"):
        plan(keep=0)
    with pytest.raises(UserError, match="--steps must be at least 1"):
        plan(config=toy.Config(steps=0))


@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        (toy.LABELLED, r"this system trains on label \(label\), but toy has image\."),
        (
            {"image": fields.Field("mask", (8, 8, 1))},
            r"trains on image \(mask\), but toy has it as image\.",
        ),
    ],
    ids=str,
)
def test_a_batch_that_the_data_lack(batch, sentence):
    def build(config, spec, axis_name=None):
        return toy.build(config, spec, axis_name)._replace(batch=batch)

    with pytest.raises(UserError, match=sentence):
        make_plans(build, toy.Config(), toy.images(), RunConfig(), recipe=None, report=toy.Said())


def test_a_builder_without_a_docstring_has_a_name(monkeypatch):
    monkeypatch.setattr(toy, "__doc__", None)
    assert plan().summary == "build"


def test_what_a_recipe_doubts_is_a_line_of_the_plan():
    def build(config, spec, axis_name=None):
        warnings.warn("--d-norm batch suits this game ill.", UserWarning, stacklevel=2)
        return toy.build(config, spec, axis_name)

    made = make_plans(build, toy.Config(), toy.images(), RunConfig(), recipe=None, report=toy.Said())[0]
    assert "Warning     --d-norm batch suits this game ill." in made.lines()
