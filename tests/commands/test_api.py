"""Runs from Python. Oracles: the command line's sampler on the same folder, NumPy on what a run is given, sentences."""

import subprocess
import sys
import warnings

import jax
import numpy as np
import pytest

import jaxgan
from jaxgan import fields
from jaxgan.cli import main
from jaxgan.commands.api import Run
from jaxgan.errors import UserError
from jaxgan.game import Verb, normal, parallel
from jaxgan.recipes import pix2pix
from jaxgan.show.sampling import example_keys
from tests.train import toy

MAKE_MESH = parallel.make_mesh
RNG = np.random.default_rng(0)
CLOTHES = ("shirt", "shoe", "bag")
TINY = {"batch_size": 4, "checkpoint_every": 10, "sample_every": 10, "samples": 4}
MLP = {**TINY, "network": "mlp", "g_widths": (4,), "d_widths": (4,)}


@pytest.fixture(autouse=True, scope="module")
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH(devices or jax.devices()[:1]))
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def clothes(folder):
    """Twelve grey images of three classes with names, in a file."""
    path = folder / "clothes.npz"
    image = RNG.integers(0, 256, (12, 8, 8), dtype=np.uint8)
    np.savez(path, image=image, label=np.arange(12) % 3, label_names=np.array(CLOTHES))
    return path


@pytest.fixture(scope="module")
def conditional(cheap, folder, clothes):
    return jaxgan.fit("cgan", clothes, steps=2, out=folder / "cgan", report=toy.Said(), **MLP)


@pytest.fixture(scope="module")
def translator(folder):
    """pix2pix before training, with weights so large that its pictures are no plain grey."""
    spec = dict.fromkeys(("source", "target"), fields.image(8, 8, 1))
    config = pix2pix.Config(batch_size=4, g_width=2, d_width=2, d_layers=0, depth=2, norm="instance")
    system = pix2pix.build(config, spec)
    state = jax.jit(system.init)(jax.random.key(0))
    large = jax.tree.map(lambda leaf: 30 * leaf, state.players["g"].ema)
    players = {**state.players, "g": state.players["g"].replace(ema=large)}
    return Run(folder / "pix2pix", 0, system, state.replace(players=players))


def test_fit_on_arrays(folder):
    """A run of the original GAN: what it makes, and what its folder says of the data."""
    said = toy.Said()
    nets = {"g_widths": [4], "d_widths": [4]}
    run = jaxgan.fit("gan", toy.images(), steps=np.int64(3), out=folder / "gan", report=said, **TINY, **nets)
    made = run.sample(5)
    assert run.step == 3
    assert made.shape == (5, 8, 8, 1)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(run.sample(3), made[:3])
    assert np.any(run.sample(3, seed=1) != made[:3])
    assert repr(run).startswith(f"Run({folder / 'gan'}, step 3, System(Config")
    assert "\n" not in repr(run)
    assert '"data": "toy"' in (folder / "gan" / "config.json").read_text()
    assert any("toy: 40 images 8x8x1" in line for line in said.lines)


def test_samples_by_the_name_of_a_class(conditional, folder, clothes):
    """As the command makes them, where all are of one class and where classes go in turn."""
    run = jaxgan.load(folder / "cgan")
    assert main(["sample", str(run.folder), "--n", "4", "--label", "shoe", "--out", str(folder / "shoes.npz")]) == 0
    with np.load(folder / "shoes.npz") as commanded:
        by_name = run.sample(4, label="shoe")
        np.testing.assert_array_equal(by_name, commanded["images"])
    for same in (1, np.int32(1), np.array(1)):
        np.testing.assert_array_equal(conditional.sample(4, label=same), by_name)
    in_turn = run.sample(4)
    np.testing.assert_array_equal(in_turn[1], by_name[1])
    assert np.any(in_turn[[0, 2]] != by_name[[0, 2]])
    assert f'"data": "{clothes.resolve()}"' in (run.folder / "config.json").read_text()


def test_translates_arrays(translator, monkeypatch):
    """Each example as the verb makes it of this example alone, of any size, in parts of two."""
    monkeypatch.setattr("jaxgan.commands.api.BATCH", 2)
    examples = RNG.integers(0, 256, (3, 16, 8, 1), dtype=np.uint8)
    made = translator.translate(examples)
    verb = translator.system.verbs["translate"]
    draw = jax.jit(lambda taken, keys: verb(translator.state, {"source": taken / 127.5 - 1}, keys)["target"])
    wanted = [draw(examples[i : i + 1].astype(np.float32), example_keys(0, 1, i))[0] for i in range(3)]
    assert made.shape == (3, 16, 8, 1)
    assert made.dtype == np.uint8
    np.testing.assert_allclose(made, (np.array(wanted) + 1) * 127.5, atol=0.51)  # rounded
    assert np.abs(made[1].astype(int) - made[0]).max() > 20
    alone = translator.make("translate", 1, source=examples[0])
    np.testing.assert_allclose(alone[0], (wanted[0] + 1) * 127.5, atol=0.51)


def test_translates_latents_of_a_class(conditional, monkeypatch):
    """What is drawn and decoded is what is sampled, in parts of two."""
    monkeypatch.setattr("jaxgan.commands.api.BATCH", 2)
    made = conditional.translate(conditional.make("draw", 3, seed=2), verb="decode", label="shoe")
    np.testing.assert_array_equal(made, conditional.sample(3, seed=2, label="shoe"))
    with pytest.raises(UserError, match=r"decode takes z, label, and translate gives one field beside those named\."):
        conditional.translate(np.zeros((1, 100), np.float32), verb="decode")


def test_noise_of_a_translation(translator, monkeypatch):
    """Example i has the same noise as the i-th that `make` makes, in parts of any size."""
    monkeypatch.setattr("jaxgan.commands.api.BATCH", 2)
    given, made = (translator.system.batch[name] for name in ("source", "target"))

    def noise(state, taken, keys):
        return {"target": 0 * taken["source"] + normal(keys, (1, 1, 1)) / 3}

    noisy = translator.system._replace(verbs={"translate": Verb(noise, {"target": made}, {"source": given})})
    run = Run(translator.folder, 0, noisy, translator.state)
    of_arrays = run.translate(np.zeros((5, 8, 8, 1), np.uint8), seed=4)
    np.testing.assert_array_equal(of_arrays, run.make("translate", 5, 4, source=np.zeros((8, 8, 1), np.uint8)))
    assert len(np.unique(of_arrays)) == 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": "many"}, "steps takes a whole number, got 'many'."),
        ({"steps": 10.5}, "steps takes a whole number, got 10.5."),
        ({"steps": 0}, "--steps must be above 0, got 0."),
        ({"remat": 1}, "remat takes True or False, got 1."),
        ({"g_widths": ["4"]}, "g_widths takes whole numbers, got ('4',)."),
        ({"parallel": "all"}, "parallel takes one of jit, pmap, shard_map, got 'all'."),
        ({"stepz": 1}, "there is no option 'stepz'; did you mean steps?"),
        ({"preset": "large"}, "preset takes one of none: this recipe has no presets; got 'large'."),
        ({"data": np.zeros((4, 8, 8))}, "data takes a name, a path or what jaxgan.data.of_arrays makes, got ndarray"),
        ({"data": toy.images(), "image_size": 8}, "image_size would do nothing: data that are given as arrays"),
        ({"data": "./nowhere"}, "--data './nowhere' does not exist"),
    ],
    ids=str,
)
def test_wrong_options(options, sentence):
    with pytest.raises(UserError) as raised:
        jaxgan.fit("gan", **options)
    assert str(raised.value).startswith(sentence)


def test_wrong_data_for_a_recipe():
    with pytest.raises(UserError, match=r"needs source \(image or mask or label_map\), but toy has image"):
        jaxgan.fit("pix2pix", toy.images())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n": 0}, "n takes a whole number from 1 on, got 0."),
        ({"seed": -1}, "--seed takes a number from 0 to"),
        ({"label": 3}, "label takes a class from 0 to 2, or one of shirt, shoe, bag; got 3."),
        ({"label": -1}, "label takes a class from 0 to 2"),
        ({"label": np.int64(7)}, "label takes a class from 0 to 2"),
        ({"label": "hat"}, "label takes a class from 0 to 2, or one of shirt, shoe, bag; got hat."),
        ({"label": 1.5}, "label takes whole numbers from 0 to 2"),
        ({"label": [0, 1]}, "label takes numbers of shape [], got [2]."),
        ({"label": None}, "label takes an array of numbers, got NoneType."),
        ({"text": "a shoe"}, "sample takes label, got text."),
    ],
    ids=str,
)
def test_wrong_samples(conditional, given, sentence):
    with pytest.raises(UserError) as raised:
        conditional.sample(**given)
    assert str(raised.value).startswith(sentence)


def test_wrong_verbs(conditional, translator):
    for make, sentence in (
        (lambda: translator.sample(4), "no verb 'sample'; it has translate"),
        (lambda: translator.make("translate", 4), "translate takes source too"),
        (lambda: translator.make("translate", 1, source=np.full((8, 8, 1), 0.5)), "whole numbers from 0 to 255"),
        (lambda: conditional.translate(np.zeros((1, 8, 8, 1), np.uint8), verb="sample"), "label as int32 .n., got"),
    ):
        with pytest.raises(UserError, match=sentence):
            make()


@pytest.mark.parametrize("shape", [(8, 8, 1), (0, 8, 8, 1), (2, 8, 8, 3)], ids=str)
def test_wrong_translations(translator, shape):
    with pytest.raises(UserError, match=r"translate takes source as uint8 \[n, any, any, 1\], got uint8"):
        translator.translate(np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match="got float64"):
        translator.translate(np.zeros((1, 8, 8, 1)))


def test_wrong_runs(folder, conditional):
    for make, sentence in (
        (lambda: jaxgan.load(folder / "none"), "is not a run: there is no such folder"),
        (lambda: jaxgan.load(conditional.folder, step=7), "--step takes one of 2, got 7"),
        (lambda: jaxgan.load(conditional.folder, step="newest"), "'best' or 'healthy', got 'newest'"),
        (lambda: jaxgan.load(conditional.folder, step="best"), "has no best checkpoint"),
    ):
        with pytest.raises(UserError, match=sentence):
            make()


def test_warnings_stay_on():
    """The libraries below are silenced during a run; a caller's own warnings are not."""
    with pytest.raises(UserError):
        jaxgan.fit("gan", "./nowhere")
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", stacklevel=1)
    assert "ignore" not in {each[0] for each in warnings.filters if each[1:] == (None, Warning, None, 0)}


def test_types_that_annotations_forbid(conditional):
    """In a script nobody checks annotations: these reach the package, each ends in one sentence."""
    script = f"""
import jaxgan
run = jaxgan.load({str(conditional.folder)!r})
for wrong in (lambda: run.sample("many"), lambda: run.sample(2.5), lambda: run.sample(True),
              lambda: run.sample(2, seed="s"), lambda: run.sample(2, seed=0.5), lambda: run.make(3, 2),
              lambda: jaxgan.load(3), lambda: jaxgan.fit(3), lambda: jaxgan.load(run.folder, step=1.5)):
    try:
        wrong()
    except jaxgan.errors.UserError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 9, said
    starts = ("n takes", "n takes", "n takes", "seed takes", "seed takes", "this system has no verb 3", "run takes")
    assert all(line.startswith(start) for line, start in zip(said, starts, strict=False)), said
