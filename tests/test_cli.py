"""The command line as a user meets it. Oracles: exit codes, sentences, files, and a run that nothing interrupted."""

import json
import os
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan.cli import main
from jaxgan.game import parallel
from jaxgan.train import load
from jaxgan.train.monitor import samples
from jaxgan.train.run import checkpoint
from tests.train import toy

TINY = "--z-dim 4 --g-widths 8 --d-widths 8 --batch-size 8 --samples 4 --resize stretch"


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    make = parallel.make_mesh
    monkeypatch.setattr(parallel, "make_mesh", lambda devices=None: make(devices or jax.devices()[:1]))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of images of mixed sizes, in two sub-folders."""
    folder = tmp_path_factory.mktemp("photos") / "photos"
    rng = np.random.default_rng(0)
    for i in range(12):
        path = folder / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8 + i, 8), dtype=np.uint8)).save(path)
    return folder


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    """A run of 6 steps."""
    out = tmp_path_factory.mktemp("cli") / "run"
    with pytest.MonkeyPatch.context() as patch:
        make = parallel.make_mesh
        patch.setattr(parallel, "make_mesh", lambda devices=None: make(devices or jax.devices()[:1]))
        assert main(f"train gan --data {photos} --image-size 8 --steps 6 --out {out} {TINY}".split()) == 0
    return out


def said(capsys, text):
    """The exit code and the one sentence on stderr."""
    code = main(text.split())
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return code, captured.err.strip()


@pytest.mark.parametrize("error", [MemoryError(), jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")])
def test_no_memory_is_one_sentence(error, monkeypatch, capsys):
    def fail(run, args):
        raise error

    monkeypatch.setattr("jaxgan.commands.sample.command", fail)
    assert said(capsys, "sample runs/x") == (
        1,
        "jaxgan: this command needs more memory than the device or this machine has.",
    )


def test_errors_that_are_no_lack_of_memory_stay_errors(monkeypatch):
    def fail(run, args):
        raise RuntimeError("a bug")

    monkeypatch.setattr("jaxgan.commands.sample.command", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["sample", "runs/x"])


MISTAKES = {
    "fly": "there is no command 'fly'; the commands are train, sample, interpolate, translate, rollout, data, "
    "evaluate, fid, stats, import, weights, recipes.",
    "recipes now": "jaxgan recipes takes no arguments, got now.",
    "train": "jaxgan train takes a recipe (",
    "train gam": "there is no recipe 'gam'",
    "train gan --stepz 3": "jaxgan train gan has no option --stepz; did you mean --steps?",
    "train gan --batch-size 0": "--batch-size must be",
    "train gan --steps -1": "--steps must be",
    "train gan --steps many": "--steps takes a whole number, got many.",
    "train gan --parallel foo": "--parallel takes one of jit, pmap, shard_map, got foo.",
    "train gan --keep 0": "--keep must be at least 1, got 0.",
    "train gan --seed -1": "--seed takes a number from 0",
    "train gan --on-collapse pray": "--on-collapse takes one of warn, stop, rollback, got pray.",
    "train gan --out {file}": "--out takes a folder, but",
    "train gan --out {full}": "--out takes a new or empty folder, but",
    "train gan --data {photos} --out /proc/nothing/run": "/proc/nothing/run ",
    "train gan --data /no/such/folder": "--data '/no/such/folder' does not exist",
    "train dcgan --data {photos} --image-size 29": "image size 29x29 does not suit this network",
    "train --resume": "--resume takes the folder of a run, got nothing.",
    "train --resume=": "--resume takes the folder of a run, got an empty text.",
    "train gan --data=": "--data takes a text, got an empty one.",
    "train gan --out=": "--out takes a text, got an empty one.",
    "train --steps 5 dcgan": "the recipe comes first: jaxgan train dcgan [options].",
    "train gan stray": "jaxgan train gan takes options alone, got stray;",
    "sample {run} --n 99999999999": "--n must be at most",
    "sample {run} --n 99999999": "--n 99999999 makes 5.96 GiB of images",
    "sample {run} --out grid.jpg": "--out takes a .png file, a .npz file or a folder, got grid.jpg.",
    "sample {run} --out=": "--out takes a text, got an empty one.",
    "train --resume {full}": "{full} is not a run: it has no config.json.",
    "train --resume {run} --z-dim 3": "--z-dim belongs to what",
    "train --resume {run} --seed 3": "--seed belongs to what",
    "train --resume {run} --stepz 3": "jaxgan train --resume RUN has no option --stepz; did you mean --steps?",
    "train --resume {run}": "{run} has 6 steps; --steps takes a larger total, got 6.",
    "train dcgan --resume {run}": "{run} is a run of gan, not of dcgan; leave the recipe out.",
    "train --resume {run} --steps 9 --data {photos}/a": "the data are not those that the run began with",
    "sample": "jaxgan sample takes the folder of a run first, got nothing.",
    "sample /no/such/run": "/no/such/run is not a run: there is no such folder.",
    "sample {run} --n 0": "--n must be at least 1, got 0.",
    "sample {run} --label 3": "has no option --label",  # of an unconditional run
    "rollout {run}": "this system has no verb 'rollout'; it has sample, draw, decode.",
    "rollout": "jaxgan rollout takes the folder of a run first, got nothing.",
    "interpolate {run} --steps 1": "--steps must be at least 2, got 1.",
    "interpolate": "jaxgan interpolate takes the folder of a run first, got nothing.",
    "translate {run} {photos} x": "{run} has no verb translate that takes pictures; those that do (--verb): none.",
    "translate {run} {photos}": "jaxgan translate takes the folder of a run first, got {run} {photos} alone.",
    "sample {run} --seed -1": "--seed takes a number from 0",
    "train gan --hold-out -1": "--hold-out must be at least 0, got -1.",
    "train gan --data {photos} --hold-out 12": "--hold-out takes 0 to 11 of the 12 examples of {photos}, got 12.",
    "sample {run} --step 3": "--step takes one of 6, got 3.",
    "sample {run} --out {full}": "--out takes a file, or a new or empty folder, but",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(capsys, mistake, run, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = {"run": run, "photos": photos, "full": tmp_path / "full", "file": tmp_path / "full" / "file"}
    places["full"].mkdir()
    places["file"].touch()
    before = sorted(run.rglob("*"))
    code, sentence = said(capsys, mistake.format(**places))
    assert code == 2
    assert sentence.startswith("jaxgan: ")
    assert MISTAKES[mistake].format(**places) in sentence
    assert sentence[-1] in ".?"
    assert not (tmp_path / "runs").exists()  # nothing is left behind
    assert sorted(run.rglob("*")) == before


def test_a_run_leaves_what_it_promises(run):
    assert sorted(path.name for path in run.iterdir() if path.name != ".lock") == [
        "checkpoints",
        "config.json",
        "log.txt",
        "metrics.jsonl",
        "monitor.jsonl",
        "reals.png",
        "samples",
        "summary.png",
        "tensorboard",
    ]
    about = json.loads((run / "config.json").read_text())
    assert about["recipe"] == "gan"
    assert about["data"]["fields"]["label"]["names"] == ["a", "b"]


def test_samples_as_grid_folder_and_arrays(run, tmp_path, capsys):
    for out in ("x.png", "x.npz", "x"):
        assert main(["sample", str(run), "--n", "5", "--seed", "1", "--out", str(tmp_path / out)]) == 0
        assert f"5 images of step 6: {tmp_path / out}" in capsys.readouterr().out
    images = np.load(tmp_path / "x.npz")["images"]
    assert images.shape == (5, 8, 8, 1)
    assert images.dtype == np.uint8
    files = sorted((tmp_path / "x").iterdir())
    for file, image in zip(files, images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), image[..., 0])
    assert main(["sample", str(run), "--n", "3", "--seed", "1", "--out", str(tmp_path / "y.npz")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["images"], images[:3])


def test_a_healthy_checkpoint_is_sampled(run, photos, tmp_path, capsys):
    assert main(["sample", str(run), "--step", "healthy"]) == 2  # six steps have no regular checkpoint
    assert "has no healthy checkpoint" in capsys.readouterr().err
    out = tmp_path / "run"
    options = f"--data {photos} --image-size 8 --steps 3 --checkpoint-every 2 {TINY}"
    assert main(f"train gan --out {out} {options} --on-collapse rollback".split()) == 0
    assert json.loads((out / "config.json").read_text())["run"]["on_collapse"] == "rollback"
    assert main(f"sample {out} --step healthy --out {tmp_path / 'x.npz'}".split()) == 0
    assert "images of step 2" in capsys.readouterr().out


def test_a_collapse_ends_with_one_sentence(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(samples, "PATIENCE", 1)
    monkeypatch.setattr(samples, "ALIKE", 100.0)  # whatever it makes is too little
    out, often = tmp_path / "run", "--steps 9 --checkpoint-every 100 --sample-every 2 --on-collapse stop"
    code, sentence = said(capsys, f"train gan --data {photos} --image-size 8 --out {out} {TINY} {often}")
    assert code == 1
    assert sentence.startswith("jaxgan: training stopped after step 4, as --on-collapse stop asks: the generator has")
    assert "there is no healthy one" in sentence
    assert checkpoint.steps(out / "checkpoints") == [4]
    often = "--on-collapse warn --checkpoint-every 100"
    assert main(f"train --resume {out} {often}".split()) == 0


def test_samples_go_into_the_run_by_default(run):
    assert main(["sample", str(run), "--n", "2"]) == 0
    (path,) = run.glob("sample-6-seed0.png")
    path.unlink()


def test_conditional_recipes_have_one_column_a_class(photos, tmp_path, capsys):
    out = tmp_path / "run"
    options = "--batch-size 8 --samples 4 --z-dim 4 --g-width 4 --d-width 4"
    assert main(f"train cgan --data {photos} --image-size 8 --steps 1 --out {out} {options}".split()) == 0
    with Image.open(out / "samples" / "00000001.png") as picture:
        assert picture.size == (2 * 58 + 2, 2 * 58 + 2)  # two classes, two rows, magnified seven times
    assert main(f"sample {out} --n 3 --label 1 --out {tmp_path / 'x.npz'}".split()) == 0
    assert np.load(tmp_path / "x.npz")["labels"].tolist() == [1, 1, 1]
    assert main(f"sample {out} --n 3 --label b --out {tmp_path / 'y.npz'}".split()) == 0
    x, y = (np.load(tmp_path / name) for name in ("x.npz", "y.npz"))
    np.testing.assert_array_equal(x["images"], y["images"])
    assert y["labels"].tolist() == [1, 1, 1]
    assert main(f"sample {out} --n 3 --out {tmp_path / 'z.npz'}".split()) == 0
    z = np.load(tmp_path / "z.npz")
    assert z["labels"].tolist() == [0, 1, 0]  # in turn
    assert [np.array_equal(*pair) for pair in zip(x["images"], z["images"], strict=True)] == [False, True, False]
    assert main(f"sample {out} --n 3 --label b".split()) == 0
    assert (out / "sample-1-seed0-label-b.png").exists()
    capsys.readouterr()
    for label in ("2", "c", "-1"):
        takes = "--label takes a class from 0 to 1, or one of a, b"
        assert said(capsys, f"sample {out} --label {label}") == (2, f"jaxgan: {takes}; got {label}.")
    assert said(capsys, f"sample {out} --label=") == (2, "jaxgan: --label takes a text, got an empty one.")
    assert "has no option --lable; did you mean --label?" in said(capsys, f"sample {out} --lable b")[1]
    with pytest.raises(SystemExit):
        main(["sample", str(out), "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Class of all examples, by name or number (a, b); None: all in turn." in text


def test_a_code_is_chosen_by_number(photos, tmp_path, capsys):
    out = tmp_path / "run"
    options = "--batch-size 8 --samples 4 --z-dim 4 --g-width 2 --d-width 2 --units 4 --categories 3"
    assert main(f"train infogan --data {photos} --image-size 8 --steps 1 --out {out} {options}".split()) == 0
    for n, code in enumerate(("", " --code 2")):
        assert main(f"sample {out} --n 6 --out {tmp_path / f'{n}.npz'}{code}".split()) == 0
    turn, two = (np.load(tmp_path / name) for name in ("0.npz", "1.npz"))
    assert (turn["labels"].tolist(), two["labels"].tolist()) == ([0, 1, 2] * 2, [2] * 6)
    np.testing.assert_array_equal(turn["images"][2::3], two["images"][2::3])
    capsys.readouterr()
    for code in ("3", "x"):
        assert said(capsys, f"sample {out} --code {code}") == (
            2,
            f"jaxgan: --code takes a class from 0 to 2; got {code}.",
        )


def start(*args):
    """A jaxgan process with one device."""
    environment = {**os.environ, "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=1"}
    code = "import sys; from jaxgan.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition, process):
    for _ in range(3000):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("nothing happened")


def test_terminated_then_killed_then_resumed_is_as_if_never_stopped(photos, tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    options = f"--data {photos} --image-size 8 {TINY} --checkpoint-every 40 --sample-every 1000000".split()
    process = start("train", "gan", "--out", run, "--steps", 1_000_000, *options)
    wait_for(lambda: checkpoint.steps(run / "checkpoints"), process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert f"jaxgan train --resume {run}" in out
    stopped = checkpoint.steps(run / "checkpoints")[-1]
    assert f"after step {stopped}, which is saved" in out

    process = start("train", "--resume", run)
    wait_for(lambda: checkpoint.steps(run / "checkpoints")[-1] > stopped + 40, process)
    process.kill()
    process.communicate(timeout=60)
    killed = checkpoint.steps(run / "checkpoints")[-1]

    total = killed + 50
    assert main(["train", "--resume", str(run), "--steps", str(total)]) == 0
    assert main(["train", "gan", "--out", str(other), "--steps", str(total), *options]) == 0
    toy.assert_same(load(run).state, load(other).state)
    logged = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert logged == [1, *range(10, total + 1, 10)]
