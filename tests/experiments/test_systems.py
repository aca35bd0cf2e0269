"""Systems as a stranger writes them, by commands alone. Oracles: files, a run that nothing stopped, the equations."""

import json
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan.cli import main
from jaxgan.game import parallel
from jaxgan.train import load
from jaxgan.train.run.record import read_metrics
from tests.train import toy

SYSTEMS = Path(__file__).parents[2] / "experiments" / "systems"
FILES = sorted(SYSTEMS.glob("*.py"))
OPTIONS = {
    "began": "--z-dim 4 --width 4 --gamma 0.7 --lambda-k 0.5 --eval-every 2",
    "bigan": "--z-dim 4 --width 8",
    "pairs": "--width 4",
}


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """One device, and no summary pictures (test_pictures has them)."""
    make = parallel.make_mesh
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: make(devices or jax.devices()[:1]))
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images and pairs of 8 x 8 pixels."""
    folder, rng = tmp_path_factory.mktemp("systems"), np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    np.savez(folder / "images.npz", image=image)
    np.savez(folder / "pairs.npz", source=image, target=255 - image)
    Image.fromarray(image[0, :, :, 0]).save(folder / "x.png")
    return folder


@pytest.fixture(scope="module")
def run(folder):
    """`run(name)`: a run of four steps, trained once."""
    home, runs = pytest.MonkeyPatch(), {}
    home.setenv("XDG_STATE_HOME", str(folder / "state"))

    def trained(name):
        if name not in runs:
            runs[name] = train(name, folder, folder / name)
        return runs[name]

    yield trained
    home.undo()


def train(name, folder, out):
    data = folder / ("pairs.npz" if name == "pairs" else "images.npz")
    options = "--batch-size 8 --samples 4 --log-every 1 --checkpoint-every 2 --steps 4"
    where = ["--data", str(data), "--out", str(out)]
    assert main(["train", str(SYSTEMS / f"{name}.py"), *where, *options.split(), *OPTIONS[name].split()]) == 0
    return out


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_system_is_short(file):
    assert len([line for line in file.read_text().splitlines() if line.strip()]) <= 50


def test_a_run_that_was_stopped_goes_on_bit_for_bit(run, tmp_path):
    """BEGAN, whose controller is in the state; the others add nothing to what tests/train asks of resuming."""
    stopped = shutil.copytree(run("began"), tmp_path / "run")
    shutil.rmtree(stopped / "checkpoints" / "4")
    assert main(["train", "--resume", str(stopped)]) == 0
    resumed, straight = load(stopped), load(run("began"))
    assert (resumed.step, straight.step) == (4, 4)
    toy.assert_same(resumed.state, straight.state)
    assert toy.differ(load(stopped, step=2).state.players, straight.state.players)


@pytest.mark.parametrize("name", ["began", "bigan"])
def test_samples_are_made(name, run, tmp_path):
    assert main(["sample", str(run(name)), "--n", "3", "--out", str(tmp_path / "made.npz")]) == 0
    with np.load(tmp_path / "made.npz") as made:
        (images,) = (made[key] for key in made.files)
    assert images.shape == (3, 8, 8, 1)
    assert (images[0] != images[1]).any()


def test_the_controller_of_began_moves_by_its_equation(run):
    """k and M by sections 3.3 and 3.4 from the losses that were logged, which all belong to the same weights of D.

    d/loss is L(x) - k L(G(z)); with k = 0, as in the first step, it is L(x), and M then gives L(G(z)).
    """
    first, second = read_metrics(run("began") / "metrics.jsonl")[:2]
    assert first["k"] == 0.0
    balance = first["convergence"] - first["d/loss"]  # its size; k grew, so it is above 0
    assert second["k"] == pytest.approx(0.5 * balance, rel=1e-4)
    assert 0 < second["k"] < 1
    assert json.loads((run("began") / "config.json").read_text())["config"]["gamma"] == 0.7


def test_the_best_state_of_began_is_kept_by_its_convergence(run):
    logged = {row["step"]: row["convergence"] for row in read_metrics(run("began") / "metrics.jsonl")}
    measured = {row["step"]: row["value"] for row in read_metrics(run("began") / "evaluations.jsonl")}
    assert measured == {step: logged[step] for step in (2, 4)}
    assert load(run("began"), "best").step == min(measured, key=lambda step: measured[step])


def test_bigan_encodes_and_reconstructs(run, folder, tmp_path):
    for verb, shape in (("reconstruct", (8, 8)), ("encode", (4,))):
        assert main(["translate", str(run("bigan")), str(folder / "x.png"), str(tmp_path / verb), "--verb", verb]) == 0
        (file,) = (tmp_path / verb).iterdir()
        found = np.asarray(Image.open(file)) if file.suffix == ".png" else np.load(file)
        assert found.shape == shape
    sheets = sorted(path.name for path in (run("bigan") / "samples").iterdir())
    assert {"00000000.png", "00000000-reconstruct.png"} <= set(sheets)


def test_pairs_translate_as_the_network_does(run, folder, tmp_path):
    assert main(["translate", str(run("pairs")), str(folder / "x.png"), str(tmp_path / "y.png")]) == 0
    found = load(run("pairs"))
    source = np.asarray(Image.open(folder / "x.png"), np.float32)[None, :, :, None] / 127.5 - 1
    made = found.system.verb("translate")(
        found.state, {"source": jnp.asarray(source)}, jax.random.split(jax.random.key(0), 1)
    )
    pixels = np.round((np.asarray(made["target"])[0, :, :, 0] + 1) * 127.5)
    assert abs(np.asarray(Image.open(tmp_path / "y.png"), np.float32) - pixels).max() <= 1


@pytest.mark.parametrize("name", ["bigan", "pairs"])
def test_systems_are_evaluated(name, run, tmp_path):
    out = tmp_path / "evaluation.json"
    options = ["--extractor", "pixels", "--metrics", "fd", "--n", "4"]
    assert main(["evaluate", str(run(name)), *options, "--out", str(out)]) == 0
    last = json.loads(out.read_text())["last"]
    assert (last["step"], list(last["scores"])) == (4, ["fd"])
    made = "image" if name == "bigan" else "target"
    assert f"{made} of 4 held-out examples" in last["numbers"]
