"""`jaxgan import`. Oracle: what PyTorch's networks made of the same input (goldens/make_published_golden.py)."""

import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import jaxgan
from jaxgan import recipes
from jaxgan.cli import main
from jaxgan.commands import import_
from jaxgan.nets.patch import PatchDiscriminator
from jaxgan.recipes import cyclegan, pix2pix
from jaxgan.weights.pth import read_pth

FOLDER = Path(__file__).parents[1] / "weights" / "fixtures" / "published"
GOLDEN = dict(np.load(FOLDER / "published.npz"))
PARTS = {"cyclegan": cyclegan.IMPORTS.parts, "pix2pix": pix2pix.IMPORTS.parts}


def imported(tmp_path, *args):
    out = tmp_path / "run"
    assert main(["import", *map(str, args), "--out", str(out)]) == 0
    return jaxgan.load(out)


def made(run, verb, case, source, target):
    """What a run makes of a golden input, in the units of networks."""
    x = jnp.asarray(GOLDEN[f"{case}/x"], jnp.float32)
    return jax.jit(lambda x: run.system.verbs[verb](run.state, {source: x}, jax.random.split(jax.random.key(0), 1)))(x)[
        target
    ]


@pytest.mark.parametrize("case", ["unet_batch", "unet_instance", "resnet_batch_dropout"])
def test_pix2pix_translates_as_the_public_code(case, tmp_path, capsys):
    run = imported(tmp_path, FOLDER / f"{case}.pth", "--as", "pix2pix", "--image-size", "32")
    y = made(run, "translate", case, "source", "target")
    np.testing.assert_allclose(y, GOLDEN[f"{case}/y"], atol=1e-4)
    assert np.ptp(GOLDEN[f"{case}/y"]) > 0.5
    said = capsys.readouterr().out
    assert f"--network {case.split('_')[0]} --g-width 1" in said
    assert "Begin anew  d\n" in said
    assert run.system.config.dropout == 0.5


def test_cyclegan_takes_files_by_their_names_and_ignores_old_statistics(tmp_path, capsys):
    """An instance-normalised file with statistics and `module.`; the public D_A judges b."""
    names = {"resnet_instance": "latest_net_G_A.pth", "patch_instance": "latest_net_D_A.pth"}
    for case, name in names.items():
        (tmp_path / name).write_bytes((FOLDER / f"{case}.pth").read_bytes())
    files = [tmp_path / name for name in names.values()]
    run = imported(tmp_path, *files, "--as", "cyclegan", "--image-size", "16")
    said = capsys.readouterr().out
    assert "model.10.conv_block.2.running_mean" in said
    assert "Begin anew  b2a, d_a" in said
    np.testing.assert_allclose(made(run, "a2b", "resnet_instance", "a", "b"), GOLDEN["resnet_instance/y"], atol=1e-4)
    d = {"params": run.state.players["d"].params["b"]}
    logits = jax.jit(lambda d, x: PatchDiscriminator(2, 1, "instance").apply(d, x, train=False))(
        d, jnp.asarray(GOLDEN["patch_instance/x"], jnp.float32)
    )
    np.testing.assert_allclose(logits, GOLDEN["patch_instance/y"][..., 0], atol=1e-4)


@pytest.mark.parametrize(("case", "layers", "width"), [("patch_batch", 3, 1), ("pixel_batch", 0, 2)])
def test_discriminators_judge_as_the_public_code(case, layers, width):
    file = import_.read_file(str(FOLDER / f"{case}.pth"), PARTS["pix2pix"])
    assert (file.part, file.found.about["layers"], file.found.about["width"]) == ("d", layers, width)
    variables = {}
    for path, array in file.arrays.items():
        kind, layer, leaf = path.split("/")
        variables.setdefault(kind, {}).setdefault(layer, {})[leaf] = array
    net = PatchDiscriminator(width, layers, "batch")
    logits = jax.jit(lambda v, x: net.apply(v, x, train=False))(
        variables, jnp.asarray(GOLDEN[f"{case}/x"], jnp.float32)
    )
    np.testing.assert_allclose(logits, GOLDEN[f"{case}/y"][..., 0], atol=1e-4)


def test_a_run_of_files_translates_goes_on_and_is_begun_from(tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "data.npz",
        **{name: rng.integers(0, 256, (20, 32, 32, 1), np.uint8) for name in ("source", "target")},
    )
    files = [FOLDER / "unet_batch.pth", FOLDER / "patch_batch.pth"]
    data = ["--data", str(tmp_path / "data.npz"), "--image-size", "32"]
    run = imported(tmp_path, *files, "--as", "pix2pix", *data)
    out = str(run.folder)
    Image.fromarray(rng.integers(0, 256, (20, 25), dtype=np.uint8)).save(tmp_path / "x.png")
    assert main(["translate", out, str(tmp_path / "x.png"), str(tmp_path / "y.png")]) == 0
    with Image.open(tmp_path / "y.png") as picture:
        assert picture.size == (25, 20)
    assert main(["train", "--resume", out, "--steps", "1", "--resident", "off"]) == 0
    options = json.loads((run.folder / "config.json").read_text())["config"]
    chosen = [
        f"--{name.replace('_', '-')}={options[name]}" for name in ("network", "g_width", "depth", "d_width", "d_layers")
    ]
    begun = ["train", "pix2pix", *data, "--from", out, *chosen, "--steps", "1", "--out", str(tmp_path / "new")]
    capsys.readouterr()
    assert main(begun) == 0
    assert " 0 begin anew, 0 have no place" in capsys.readouterr().out


def said(capsys, *args):
    code = main(list(map(str, args)))
    return code, capsys.readouterr().err


def damaged(state, change):
    """Names and shapes of a file, changed."""
    state = {name: np.asarray(x) for name, x in state.items()}
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop("model.model.3.bias"), "x.pth lacks model.model.3.bias, which does not fit"),
        (lambda s: s.update(extra=np.zeros(2)), "x.pth has extra too, which does not fit"),
        (lambda s: s.update({"model.model.3.bias": np.zeros(2)}), r"model.model.3.bias is \(2,\), wanted \(1,\)"),
        (lambda s: s.clear(), "is none of a U-Net of pix2pix, a residual network"),
    ],
)
def test_a_wrong_or_partial_file_is_refused_with_its_names(change, sentence, tmp_path, monkeypatch, capsys):
    state = damaged(read_pth((FOLDER / "unet_batch.pth").read_bytes(), "x"), change)
    monkeypatch.setattr(import_, "read_pth", lambda content, source: state)
    (tmp_path / "x.pth").touch()
    code, err = said(
        capsys, "import", tmp_path / "x.pth", "--as", "pix2pix", "--image-size", "32", "--out", tmp_path / "o"
    )
    assert code == 2
    assert re.search(sentence, err)
    assert not (tmp_path / "o").exists()


def test_mistakes_are_one_sentence(tmp_path, capsys):
    unet, d = FOLDER / "unet_batch.pth", FOLDER / "patch_batch.pth"
    able = ", ".join(name for name in recipes.names() if hasattr(recipes.load(name), "IMPORTS"))
    for args, sentence in (
        ((), "takes a file of weights first, got nothing"),
        ((unet,), f"--as takes a recipe that published weights are known of: {able}; got nothing"),
        ((unet, "--as", "gan"), "got gan."),
        ((tmp_path / "no.pth", "--as", "pix2pix"), "no.pth cannot be read: No such file"),
        ((d, "--as", "pix2pix"), "takes the file of a generator too"),
        ((unet, unet, "--as", "pix2pix"), "are both g"),
        ((FOLDER / "unet_instance.pth", d, "--as", "pix2pix"), "d has norm batch, another one instance"),
        ((FOLDER / "resnet_instance.pth", d, "--as", "pix2pix"), "d takes 2 channels, g takes and makes 3 and 3"),
        ((f"b2a={d}", "--as", "cyclegan"), "is none of a U-Net of pix2pix, a residual network of CycleGAN"),
    ):
        code, err = said(capsys, "import", *args, "--out", tmp_path / "out") if args else said(capsys, "import")
        assert code == 2
        assert sentence in err
        assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_translation_is_chosen_by_what_it_leads_to(tmp_path, capsys):
    """`--to b` and `--verb a2b` are one; the way there and back makes b too, and is another."""
    run = imported(tmp_path, f"b2a={FOLDER / 'unet_instance.pth'}", "--as", "cyclegan", "--image-size", "24")
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(tmp_path / "x.png")
    pictures = {}
    for name, options in {"to": ["--to", "a"], "verb": ["--verb", "b2a"], "other": ["--to", "b"]}.items():
        assert (
            main(["translate", str(run.folder), str(tmp_path / "x.png"), str(tmp_path / f"{name}.png"), *options]) == 0
        )
        with Image.open(tmp_path / f"{name}.png") as picture:
            pictures[name] = np.asarray(picture)
    np.testing.assert_array_equal(pictures["to"], pictures["verb"])
    assert (pictures["to"] != pictures["other"]).any()
    for options in (["--to", "c"], ["--to", "a", "--verb", "b2a"]):
        code, err = said(capsys, "translate", run.folder, tmp_path / "x.png", tmp_path / "y.png", *options)
        assert code == 2
        assert "--to takes one of a, b, without --verb" in err
