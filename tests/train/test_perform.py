"""`jaxgan translate`, and verbs that take rows of the data. Oracles: the verb itself on arrays read by Pillow."""

import functools
import shutil

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan import data as datasets
from jaxgan.cli import main
from jaxgan.data import hold_out
from jaxgan.errors import UserError
from jaxgan.fields import only
from jaxgan.game import parallel
from jaxgan.recipes import pix2pix
from jaxgan.show.sampling import example_keys
from jaxgan.train import fit, load, perform
from tests.train import toy

MAKE_MESH = parallel.make_mesh
CONFIG = pix2pix.Config(steps=1, batch_size=4, g_width=2, d_width=2, d_layers=0)


def pairs():
    data = toy.pairs(20)
    table = data.tables[0]
    return data._replace(tables=(table._replace(spec=only(table.spec, "source", "target")),))


@pytest.fixture(autouse=True, scope="module")
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH(devices or jax.devices()[:1]))
        patch.setattr("jaxgan.train.pictures.write_summary", lambda path, *about: None)
        patch.setitem(perform.ABOUT, "translate", "As if it were a command without files.")
        yield


@pytest.fixture(scope="module")
def run(cheap, tmp_path_factory):
    """A translator of one step; two pairs are held out."""
    out = tmp_path_factory.mktemp("perform") / "run"
    return fit(pix2pix.build, CONFIG, pairs(), toy.run_config(out), recipe="pix2pix", report=toy.Said()).folder.root


@pytest.fixture
def photos(tmp_path):
    """Pictures of two sizes; a text and a hidden file are no pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (8, 8)), ("b.bmp", (16, 8)), ("b.png", (8, 8))):
        Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)).save(folder / name)
    (folder / "notes.txt").touch()
    (folder / ".hidden.png").touch()
    return folder


@functools.cache
def translator(run):
    trained = load(run)
    return functools.partial(jax.jit(trained.system.verbs["translate"].run), trained.state)


def translated(run, file, i=0):
    source = np.asarray(Image.open(file), np.float32)[None, :, :, None] / 127.5 - 1
    made = translator(run)({"source": source}, example_keys(0, 1, i))
    return np.round((np.asarray(made["target"])[0, ..., 0] + 1) * 127.5)


def said(capsys, *args):
    code = main(list(map(str, args)))
    return code, capsys.readouterr().err.strip()


def test_a_file(run, photos, tmp_path, capsys):
    out = "new/x.PNG"
    assert main(["translate", str(run), str(photos / "a.png"), str(tmp_path / out)]) == 0
    assert capsys.readouterr().out == f"1 translated by step 1: {tmp_path / out}\n"
    with Image.open(tmp_path / out) as made:
        np.testing.assert_allclose(np.asarray(made, float), translated(run, photos / "a.png"), atol=1)


def test_a_file_into_a_folder(run, photos, tmp_path):
    assert main(["translate", str(run), str(photos / "b.bmp"), str(tmp_path / "new.v2")]) == 0
    assert [path.name for path in (tmp_path / "new.v2").iterdir()] == ["b.png"]


def test_a_folder_of_pictures_of_any_size(run, photos, tmp_path):
    """Pictures that differ in their endings alone keep them."""
    assert main(["translate", str(run), str(photos), str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.bmp.png", "b.png.png"]
    for i, name in enumerate(("a.png", "b.bmp", "b.png")):
        with Image.open(tmp_path / "out" / (name if name == "a.png" else f"{name}.png")) as made:
            np.testing.assert_allclose(np.asarray(made, float), translated(run, photos / name, i), atol=1)


def listed(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("none", "x", "IN takes an image file or a folder of them, but {}/none does not exist."),
        ("empty", "x", "IN takes an image file or a folder of them, but {}/empty holds no images."),
        ("notes.txt", "x", "IN takes an image file, but {}/notes.txt cannot be read"),
        ("photos", "x.png", "OUT takes a folder where IN is one, got the file {}/x.png."),
        ("photos", "notes.txt", "OUT takes a .png file or a folder, got {}/notes.txt."),
        ("photos", "file", "OUT takes a new file or a folder, but {}/file is a file of another kind."),
        ("photos", "photos", "OUT takes a new or empty folder where IN is one, but {}/photos has files."),
        ("photos/a.png", "photos/a.png", "OUT takes another file than IN, got {}/photos/a.png for both."),
        ("photos/a.png", "photos", "OUT takes another folder than that of IN, got {}/photos."),
        ("photos/a.png", "x.jpg", "OUT takes a .png file or a folder, got {}/x.jpg."),
        ("photos/a.png", "folder.png", "OUT takes a file, but {}/folder.png is a folder."),
        ("photos/a.png", "file/x.png", "OUT {}/file/x.png cannot be written"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_file_is_lost(run, photos, tmp_path, capsys, source, target, sentence):
    for name in ("empty", "folder.png"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("mine")
    shutil.copy(photos / "notes.txt", tmp_path)
    before = listed(tmp_path)
    code, err = said(capsys, "translate", run, tmp_path / source, tmp_path / target)
    assert code == 2
    assert err.startswith(f"jaxgan: {sentence.format(tmp_path)}")
    assert err.count("\n") == 0
    assert listed(tmp_path) == before


def test_options_that_do_not_fit(run, photos, tmp_path, capsys):
    for options, sentence in (
        (["--verb", "a2b"], f"{run} has no verb a2b that takes one image; those that do (--verb): translate."),
        (["--seed", "-1"], "--seed takes a number from 0"),
        (["--step", "7"], "--step takes one of 1, got 7."),
        (["--sed", "7"], "has no option --sed; did you mean --seed?"),
    ):
        code, err = said(capsys, "translate", run, photos, tmp_path / "x", *options)
        assert code == 2
        assert sentence in err
    code, err = said(capsys, "sample", run)
    assert (code, err) == (2, "jaxgan: this system has no verb 'sample'; it has translate.")


def test_without_a_file_rows_that_were_held_out_are_given(run, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "load", lambda *args, **how: pairs())
    _, held = hold_out(pairs(), 2)
    source = held.tables[0].source.arrays["source"]
    made = translator(run)({"source": source / np.float32(127.5) - 1}, example_keys(0, 2))
    assert perform.command("translate", str(run), ["--n", "2", "--out", str(tmp_path / "x.npz")]) == 0
    with np.load(tmp_path / "x.npz") as found:
        np.testing.assert_allclose(found["images"], np.round((np.asarray(made["target"]) + 1) * 127.5), atol=1)


def test_a_file_for_all_and_data_that_are_gone(run, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(perform, "open_data", lambda *args, **how: pytest.fail("the data were read"))
    args = ["--source", str(photos / "a.png"), "--n", "2", "--out", str(tmp_path / "x.npz")]
    assert perform.command("translate", str(run), args) == 0
    with np.load(tmp_path / "x.npz") as found:
        np.testing.assert_allclose(found["images"][1, ..., 0], translated(run, photos / "a.png", 1), atol=1)
    monkeypatch.undo()
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))

    def gone(*args, **how):
        raise UserError("--data '/moved' does not exist.")

    monkeypatch.setattr(datasets, "load", gone)
    sentence = "rows of the run's data are taken unless --source is given, but: --data '/moved' does not exist."
    with pytest.raises(UserError, match=sentence):
        perform.command("translate", str(run), ["--n", "2", "--out", str(tmp_path / "y.npz")])


def test_help_of_a_run_lists_what_its_verb_takes(run, capsys):
    with pytest.raises(SystemExit):
        perform.command("translate", str(run), ["--help"])
    text = capsys.readouterr().out
    assert "--source" in text
    assert "rows of the data" in " ".join(text.replace("│", " ").split())
