"""The commands that measure, as a user meets them. Oracles: NumPy on the same pixels, exit codes, sentences, files."""

import json
import zipfile

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan.cli import main
from jaxgan.data import some_rows
from jaxgan.game import parallel
from jaxgan.metrics.numbers.frechet import frechet_distance
from jaxgan.metrics.seen_by.extractors import pixels

SEEN = "--extractor pixels"
TINY = "--z-dim 4 --g-widths 8 --d-widths 8 --batch-size 8 --samples 4"


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    make = parallel.make_mesh
    monkeypatch.setattr(parallel, "make_mesh", lambda devices=None: make(devices or jax.devices()[:1]))


def write(folder, n, seed, shape=(12, 12), colour=False):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, *shape, 3) if colour else (n, *shape), dtype=np.uint8)
    folder.mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03d}.png")
    return images


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Two folders, one of them as a zip, an npz of images, and statistics as pytorch-fid writes them, too."""
    root = tmp_path_factory.mktemp("sets")
    a, b = write(root / "a", 30, 1), write(root / "b", 25, 2)
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        for file in sorted((root / "a").iterdir()):
            archive.write(file, file.name)
    np.savez(root / "a_images.npz", images=a)
    features = features_of(a)
    np.savez(root / "a_stats.npz", mu=features.mean(0), sigma=np.cov(features.T))
    write(root / "colour", 20, 3, colour=True)
    write(root / "mixed", 4, 4)
    Image.fromarray(a[0][:9]).save(root / "mixed" / "small.png")
    write(root / "one", 1, 5)
    write(root / "broken", 3, 6)
    (root / "broken" / "002.png").write_bytes((root / "broken" / "001.png").read_bytes()[:60])
    np.savez(root / "floats.npz", images=a.astype(np.float32))
    (root / "empty").mkdir()
    return root, features, features_of(b)


def features_of(images):
    return np.asarray(jax.jit(pixels().apply)({}, images[..., None])["features"], np.float64)


def run(text, capsys, code=0):
    assert main(text.split()) == code, capsys.readouterr().err
    return capsys.readouterr()


@pytest.mark.parametrize("left", ["a", "a.zip", "a_images.npz", "a_stats.npz"])
def test_fid_of_anything(sets, capsys, left):
    root, real, fake = sets
    found = json.loads(run(f"fid {root / left} {root / 'b'} {SEEN} --json", capsys).out)
    exact = frechet_distance(real, fake)
    assert found["value"] == pytest.approx(exact.value, rel=1e-5)
    assert found["mean_term"] == pytest.approx(exact.mean_term, rel=1e-4)
    assert found["mean_term"] + found["covariance_term"] == pytest.approx(found["value"], rel=1e-12)
    assert found["n"] == ([0, 25] if left == "a_stats.npz" else [30, 25])
    assert found["extractor"] == ("unknown" if left == "a_stats.npz" else "pixels-16")
    assert found["is_standard_fid"] is False


def test_words_and_warnings(sets, capsys):
    root = sets[0]
    said = run(f"fid {root / 'a'} {root / 'b'} {SEEN}", capsys)
    assert said.out.startswith("FD[pixels-16, 16x16 resize, 30 vs 25] ")
    assert said.out.endswith(" -- not comparable with FID\n")
    assert said.err.count("\n") == 2
    assert "fewer than 10000 images (25)" in said.err
    assert "rank-deficient" in said.err


def test_equal_sets(sets, capsys):
    root = sets[0]
    assert json.loads(run(f"fid {root / 'a'} {root / 'a.zip'} {SEEN} --json", capsys).out)["value"] < 1e-9


def test_the_default_for_small_grey_images_needs_no_download(sets, capsys):
    root = sets[0]
    found = json.loads(run(f"fid {root / 'a'} {root / 'b'} --json", capsys).out)
    assert found["extractor"] == "fashion-cnn"
    assert len(found["weights_sha256"]) == 64


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    """Whatever lies on this machine, Inception's weights do not, and nothing is fetched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JAXGAN_OFFLINE", "1")
    for name in ("TORCH_HOME", "JAXGAN_CACHE", "JAXGAN_INCEPTION_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)


def test_photographs_without_weights_are_seen_as_pixels(sets, capsys, no_weights):
    root = sets[0]
    said = run(f"fid {root / 'colour'} {root / 'colour'}", capsys)
    assert said.out.startswith("FD[pixels-16, 16x16 resize, 20 vs 20] ")
    assert "is no FID; for one, `jaxgan weights download` fetches them" in said.err
    for asked in ("--download", "--precision bfloat16", "--allow-unverified"):  # who asks for Inception gets no other
        assert "weights of Inception" in run(f"fid {root / 'colour'} {root / 'colour'} {asked}", capsys, 2).err
    assert "JAXGAN_OFFLINE=1 forbids" in run("weights download", capsys, 2).err
    # statistics outlive what is said while they are made
    assert "weights of Inception" in run(f"stats {root / 'colour'} -o {root / 'x.npz'}", capsys, 2).err


def test_statistics_written_here_know_themselves(sets, capsys, tmp_path):
    root, real, fake = sets
    said = run(f"stats {root / 'a'} -o {tmp_path / 's.npz'} {SEEN}", capsys).out
    assert "mean and covariance of 30 images, 256 features of pixels-16" in said
    with np.load(tmp_path / "s.npz") as file:
        np.testing.assert_allclose(file["mu"], real.mean(0), rtol=1e-5)
        np.testing.assert_allclose(file["sigma"], np.cov(real.T), rtol=1e-4, atol=1e-6)
    found = json.loads(run(f"fid {tmp_path / 's.npz'} {root / 'b'} --json", capsys).out)  # the same extractor by itself
    assert found["value"] == pytest.approx(frechet_distance(real, fake).value, rel=1e-5)
    assert found["extractor"] == "pixels-16"
    assert found["n"] == [30, 25]
    run(f"stats {root / 'b'} --out {tmp_path / 't.npz'} {SEEN}", capsys)
    both = json.loads(run(f"fid {tmp_path / 's.npz'} {tmp_path / 't.npz'} --json", capsys).out)
    assert both["value"] == pytest.approx(found["value"], rel=1e-5)


def test_trusting_statistics(sets, capsys):
    root = sets[0]
    found = json.loads(run(f"fid {root / 'a_stats.npz'} {root / 'b'} {SEEN} --trust-statistics --json", capsys).out)
    assert found["extractor"] == "pixels-16"


def test_bootstrap_limit_and_ddof(sets, capsys):
    root, real, fake = sets
    text = f"fid {root / 'a'} {root / 'b'} {SEEN} --bootstrap 4 --limit 20 --ddof 0 --json"
    found = json.loads(run(text, capsys).out)
    parts = real[some_rows(30, 20)], fake[some_rows(25, 20)]
    assert found["value"] == pytest.approx(frechet_distance(*parts, ddof=0).value, rel=1e-5)
    assert (found["n"], found["of"]) == ([20, 20], [30, 25])
    assert found["repeats"] == 4
    assert 0 < found["stderr"] < found["value"]


def test_different_shapes_are_named(sets, capsys):
    root = sets[0]
    said = run(f"fid {root / 'a'} {root / 'b'} {SEEN} --image-size 8", capsys)
    assert "a has images" not in said.err
    assert "crop to 8x8, 16x16 resize" in said.out
    write(root / "large", 6, 7, (14, 14))
    said = run(f"fid {root / 'a'} {root / 'large'} {SEEN}", capsys)
    assert "a has images of 12x12x1 and" in said.err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("fid", "jaxgan fid takes two sets of images or their statistics first, got nothing"),
        ("fid {a}", "first, got {a} alone"),
        ("fid --json {a}", "first, got --json"),
        ("fid {a} {root}/nowhere", "{root}/nowhere' does not exist"),
        ("fid {a} {root}/empty", "holds no images"),
        ("fid {a} {root}/one", "{root}/one holds 1 image, and a comparison takes at least 2"),
        ("fid {a} {root}/broken", "002.png (truncated)"),
        ("fid {a} {root}/floats.npz", "float32, from 0 to 255; it takes"),
        ("fid {a} {root}/colour --extractor pixels", "compares features of one kind, got 256 numbers an image and 768"),
        ("fid {a} {a} --image-size 0", "--image-size takes a positive number"),
        ("stats {a} -o {root}/empty/x.npz/y.npz --image-size 0", "--image-size"),
        ("stats {a} -o {a}/000.png/x.npz", "cannot be written"),
        ("fid {a} {a} --limit 1", "--limit must be at least 2, got 1"),
        ("fid {a} {a} --bootstrap 1", "--bootstrap takes 0 or at least 2"),
        ("fid {a} {root}/a_stats.npz --bootstrap 3", "holds statistics only"),
        ("fid {a} {a} --extractor vgg", "--extractor takes one of auto, fashion-cnn"),
        ("fid {a} {a} --extractor inception", "6726825d"),
        ("fid {a} {a} --jsn", "did you mean --json?"),
        ("stats {a}", "--out (-o) takes a .npz file"),
        ("stats {root}/a_stats.npz -o x.npz", "holds statistics already"),
        ("evaluate {root}/a", "is not a run"),
        ("evaluate", "jaxgan evaluate takes the folder of a run first, got nothing"),
        ("weights", "jaxgan weights takes: status"),
        ("weights convert {root}/nowhere.pth {root}/x.safetensors", "nowhere.pth"),
    ],
)
def test_a_mistake_is_one_sentence(sets, capsys, monkeypatch, tmp_path, command, words):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("TORCH_HOME", "JAXGAN_CACHE", "JAXGAN_INCEPTION_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)
    names = {"root": sets[0], "a": sets[0] / "a"}
    text = command.format(**names)
    assert main(text.split()) == 2
    err = capsys.readouterr().err
    assert words.format(**names) in err
    assert "Traceback" not in err


@pytest.fixture(scope="module")
def trained(sets, tmp_path_factory):
    """A run of 6 steps, measured at every third."""
    out = tmp_path_factory.mktemp("metrics") / "run"
    with pytest.MonkeyPatch.context() as patch:
        make = parallel.make_mesh
        patch.setattr(parallel, "make_mesh", lambda devices=None: make(devices or jax.devices()[:1]))
        text = f"train gan --data {sets[0] / 'a'} --steps 6 --eval-every 3 --eval-samples 20 --out {out} {TINY} {SEEN}"
        assert main(text.split()) == 0
    return out


def test_evaluate(trained, capsys):
    said = run(f"evaluate {trained} {SEEN} --n 40 --seeds 2", capsys).out
    assert "seen by pixels-16, 16x16 resize; 30 images vs 40 images" in said
    content = json.loads((trained / "evaluation.json").read_text())
    assert set(content) == {"run", "data", "seeds", "best", "last"}
    assert content["seeds"] == [0, 1]
    scores = content["best"]["scores"]
    assert set(scores) == {"fd", "kd", "precision", "recall", "density", "coverage", "mind", "vendi", "authenticity"}
    for score in scores.values():
        assert score["repeats"] == 2
        assert score["stderr"] is None or score["stderr"] > 0  # None: both seeds give the same
        assert score["value"] == pytest.approx(score["value"])
    assert f"{scores['fd']['value']:.4g}" in said


def test_evaluate_chooses(trained, capsys, tmp_path):
    text = f"evaluate {trained} {SEEN} --n 20 --metrics fd kd_full --step last --out {tmp_path / 'x.json'} --json"
    printed = json.loads(run(text, capsys).out)
    assert printed == json.loads((tmp_path / "x.json").read_text())
    assert printed["last"]["step"] == 6
    assert set(printed["last"]["scores"]) == {"fd", "kd_full"}
    # Near the number that training logged at this step, but not of the same noise.
    rows = [json.loads(line) for line in (trained / "evaluations.jsonl").read_text().splitlines()]
    assert rows[-1]["step"] == 6
    assert printed["last"]["scores"]["fd"]["value"] == pytest.approx(rows[-1]["value"], rel=0.2)
    assert printed["last"]["scores"]["fd"]["value"] != rows[-1]["value"]


def test_samples_of_the_best_state(trained, capsys, tmp_path):
    said = run(f"sample {trained} --step best --n 4 --out {tmp_path / 'best.png'}", capsys).out
    assert (tmp_path / "best.png").stat().st_size > 0
    assert said.endswith("best.png\n")
    assert run(f"sample {trained} --n 1 --out {tmp_path / 'best.png'}", capsys).out.endswith("best.png (replaced)\n")
    for name in ("sample-6-seed9.png", "sample-6-seed9-2.png"):  # a name of its own choosing is a free one
        assert run(f"sample {trained} --n 1 --seed 9", capsys).out.endswith(f"{name}\n")


def test_earlier_results_stay(trained, capsys, tmp_path):
    out = tmp_path / "y.json"
    run(f"evaluate {trained} {SEEN} --n 20 --metrics vendi --step last --out {out}", capsys)
    said = run(f"evaluate {trained} {SEEN} --n 20 --metrics fd --step last --out {out}", capsys).out
    assert said.endswith("y.json (beside earlier results)\n")
    assert set(json.loads(out.read_text())["last"]["scores"]) == {"vendi", "fd"}
    out.write_text("something else")
    assert run(f"evaluate {trained} {SEEN} --n 20 --metrics fd --out {out}", capsys).out.endswith("json (replaced)\n")


def test_images_of_several_sizes_are_each_resized_by_themselves(sets, capsys, tmp_path):
    """Oracle: what clean-FID does with Pillow, and the features of its result."""
    root = sets[0]
    alone = [clean(Image.open(file), 16) for file in sorted((root / "mixed").iterdir())]
    other = [clean(Image.open(file), 16) for file in sorted((root / "a").iterdir())]
    exact = frechet_distance(*(features_of(np.stack(each)) for each in (other, alone)))
    said = run(f"fid {root / 'a'} {root / 'mixed'} {SEEN}", capsys)
    assert said.out.startswith("FD[pixels-16, each clean to 16x16, 16x16 resize, 30 vs 5] ")
    assert "mixed has images of several sizes" in said.err
    found = json.loads(run(f"fid {root / 'a'} {root / 'mixed'} {SEEN} --json", capsys).out)
    assert found["value"] == pytest.approx(exact.value, rel=1e-4)
    run(f"stats {root / 'mixed'} -o {tmp_path / 'm.npz'} {SEEN}", capsys)
    same = json.loads(run(f"fid {tmp_path / 'm.npz'} {root / 'mixed'} --json", capsys).out)
    assert same["value"] < 1e-6
    assert main(f"fid {tmp_path / 'm.npz'} {root / 'a'}".split()) == 2
    assert "prepared is each clean to 16x16 in one and none in the other" in capsys.readouterr().err


def clean(image, side):
    """One channel as clean-FID resizes it: Pillow's bicubic filter on floats, clipped, not rounded (Parmar 2022)."""
    floats = Image.fromarray(np.asarray(image, np.float32))
    return np.clip(np.asarray(floats.resize((side, side), Image.Resampling.BICUBIC)), 0, 255)


def test_grey_saved_as_colour_is_named(sets, capsys):
    root = sets[0]
    folder = root / "grey_in_colour"
    folder.mkdir()
    for file in (root / "b").iterdir():
        Image.open(file).convert("RGB").save(folder / file.name)
    assert main(f"fid {root / 'b'} {folder} {SEEN}".split()) == 2
    assert f"{folder} has three equal channels, and --channels 1 takes as grey. As they" in capsys.readouterr().err
    assert json.loads(run(f"fid {root / 'b'} {folder} {SEEN} --channels 1 --json", capsys).out)["value"] < 1e-9
    assert main(f"fid {root / 'b'} {root / 'colour'} {SEEN}".split()) == 2
    assert "equal channels" not in capsys.readouterr().err  # negative control: these are colours


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--metrics is", "--metrics is takes an extractor with logits; pixels-16 has none"),
        ("--metrics fid", "--metrics takes some of fd"),
        ("--n 1", "--n must be at least 2"),
        ("--seeds 0", "--seeds must be at least 1"),
        ("--step 4", "--step takes one of 6, got 4"),
        ("--data nowhere/", "'nowhere/' does not exist"),
    ],
)
def test_evaluate_mistakes(trained, capsys, options, words):
    assert main(f"evaluate {trained} {SEEN} {options}".split()) == 2
    assert words in capsys.readouterr().err


def test_data_that_are_no_longer_the_same(trained, sets, capsys):
    folder = sets[0] / "a"
    file = folder / "000.png"
    kept = file.read_bytes()
    try:
        Image.fromarray(np.zeros((12, 12), np.uint8)).save(file)
        assert main(f"evaluate {trained} {SEEN}".split()) == 2
        assert "are not those that the run trained on" in capsys.readouterr().err
    finally:
        file.write_bytes(kept)
    said = run(f"evaluate {trained} {SEEN} --n 20 --data {sets[0] / 'b'} --metrics fd", capsys).out
    assert "25 images vs 20 images" in said


def test_weights_status(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("JAXGAN_INCEPTION_WEIGHTS", str(tmp_path / "nothing.pth"))
    monkeypatch.setenv("JAXGAN_CACHE", str(tmp_path))
    said = run("weights status", capsys).out
    assert "$JAXGAN_INCEPTION_WEIGHTS: nothing" in said
    assert f"{tmp_path}/weights/pt_inception-2015-12-05-6726825d.pth: nothing" in said
