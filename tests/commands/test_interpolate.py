"""`jaxgan interpolate`. Oracles: `jaxgan sample` of the ends, the closed form between them, Pillow for what moves."""

import jax
import numpy as np
import pytest
from PIL import Image, ImageSequence

import jaxgan
from jaxgan.cli import main
from jaxgan.game import parallel
from tests.train import toy

SMALL = {"network": "mlp", "g_widths": [6], "d_widths": [4], "z_dim": 5, "batch_size": 4, "steps": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A conditional GAN of one step on images of three classes."""
    make_mesh = parallel.make_mesh
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: make_mesh(devices or jax.devices()[:1]))
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        out = tmp_path_factory.mktemp("interpolate") / "run"
        return jaxgan.fit("cgan", toy.images(8, labels=True), out=out, report=toy.Said(), **SMALL)


def made(run, tmp_path, *args):
    out = tmp_path / f"{len(list(tmp_path.iterdir()))}.npz"
    assert main([args[0], str(run.folder), *map(str, args[1:]), "--out", str(out)]) == 0
    with np.load(out) as content:
        return content["images"].astype(int), content["labels"]


def test_ways_lead_from_sample_to_sample(run, tmp_path):
    found, labels = made(run, tmp_path, "interpolate", "--n", 2, "--steps", 3, "--label", "b", "--seed", 4)
    samples, _ = made(run, tmp_path, "sample", "--n", 3, "--label", "b", "--seed", 4)
    np.testing.assert_array_equal(found[[0, 2, 3, 5]], samples[[0, 1, 1, 2]])
    assert set(labels) == {1}
    a, b = run.make("draw", 2, seed=4)
    lengths = [np.linalg.norm(each) for each in (a, b)]
    half = a / lengths[0] + b / lengths[1]  # of two vectors of one length the middle direction is that of their sum
    z = (half / np.linalg.norm(half) * np.mean(lengths)).astype(np.float32)
    np.testing.assert_allclose(found[1], run.make("decode", 1, z=z, label="b")[0].astype(int), atol=1)
    assert np.abs(found[1] - found[0]).max() > 3


def test_classes_go_in_turn_from_way_to_way(run, tmp_path):
    found, labels = made(run, tmp_path, "interpolate", "--n", 4, "--steps", 2)
    np.testing.assert_array_equal(labels, [0, 0, 1, 1, 2, 2, 0, 0])
    np.testing.assert_array_equal(found[2], made(run, tmp_path, "sample", "--n", 2)[0][1])


def test_pictures(run, tmp_path, capsys):
    """A row for each way, with tiles of 56 and gaps of 2 pixels; in a film all ways at once, there and back."""
    args = ["interpolate", str(run.folder), "--n", "2", "--steps", "4", "--label", "a"]
    assert main(args) == 0
    out = run.folder / "interpolate-1-seed0-label-a.png"
    assert capsys.readouterr().out == f"2 ways of 4 images by step 1: {out}\n"
    with Image.open(out) as picture:
        still = np.asarray(picture)
    assert still.shape == (2 + 2 * 58, 2 + 4 * 58)
    rows = still[2:].reshape(2, 58, -1)[:, :56, 2:].reshape(2, 56, 4, 58)[..., :56]
    assert main([*args, "--out", str(tmp_path / "new" / "x.GIF")]) == 0
    with Image.open(tmp_path / "new" / "x.GIF") as film:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    for frame, step in zip(frames, (0, 1, 2, 3, 2, 1), strict=True):
        one_under_the_other = frame[2:].reshape(2, 58, -1)[:, :56, 2:58]
        np.testing.assert_array_equal(one_under_the_other, rows[:, :, step])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--n 0", "--n must be at least 1, got 0."),
        ("--steps 1", "--steps must be at least 2, got 1."),
        ("--seed -1", "--seed takes a number from 0"),
        ("--label d", "label takes a class from 0 to 2"),
        ("--out x.jpg", "--out takes a .png file, a .npz file or a folder, got x.jpg."),
    ],
)
def test_mistakes_are_one_sentence(run, options, sentence, capsys):
    assert main(["interpolate", str(run.folder), *options.split()]) == 2
    assert sentence in capsys.readouterr().err
