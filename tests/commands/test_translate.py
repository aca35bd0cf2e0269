"""`jaxgan translate`, and verbs that take rows of the data. Oracle: what the toy does to pictures read by Pillow."""

import dataclasses
import shutil
from types import ModuleType

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan import data as datasets
from jaxgan.cli import main
from jaxgan.commands.verbs import perform
from jaxgan.data import hold_out
from jaxgan.errors import UserError
from jaxgan.fields import Needs
from jaxgan.game import parallel
from jaxgan.recipes.common.base import RecipeConfig
from jaxgan.train import fit
from tests.train import toy

MAKE_MESH = parallel.make_mesh


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    batch_size: int = 16
    z_dim: int = 4
    rate: float = 0.05


RECIPE = ModuleType("toy")
ABOUT = "As if it were a command without files."
vars(RECIPE).update(Config=Config, NEEDS=Needs({}), build=toy.translator)


@pytest.fixture(autouse=True, scope="module")
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH(devices or jax.devices()[:1]))
        patch.setattr("jaxgan.recipes.load", lambda name: RECIPE)
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        yield


@pytest.fixture(scope="module")
def run(cheap, tmp_path_factory):
    """A translator of one step; two pairs are held out."""
    out = tmp_path_factory.mktemp("perform") / "run"
    how = {"recipe": "toy", "report": toy.Said()}
    return fit(toy.translator, Config(steps=1), toy.pairs(20), toy.run_config(out), **how).folder.root


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


def lighter(source):
    return np.minimum(np.asarray(source, np.int32) + toy.LIGHTER, 255)


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def said(capsys, *args):
    code = main(list(map(str, args)))
    return code, capsys.readouterr().err.strip()


def test_a_file(run, photos, tmp_path, capsys):
    out = "new/x.PNG"
    assert main(["translate", str(run), str(photos / "a.png"), str(tmp_path / out)]) == 0
    assert capsys.readouterr().out == f"1 translated by step 1: {tmp_path / out}\n"
    np.testing.assert_allclose(read(tmp_path / out), lighter(read(photos / "a.png")), atol=1)


def test_a_file_into_a_folder(run, photos, tmp_path):
    assert main(["translate", str(run), str(photos / "b.bmp"), str(tmp_path / "new.v2")]) == 0
    assert [path.name for path in (tmp_path / "new.v2").iterdir()] == ["b.png"]


def test_a_folder_of_pictures_of_any_size(run, photos, tmp_path):
    """Pictures that differ in their endings alone keep them."""
    assert main(["translate", str(run), str(photos), str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.bmp.png", "b.png.png"]
    for name in ("a.png", "b.bmp", "b.png"):
        made = read(tmp_path / "out" / (name if name == "a.png" else f"{name}.png"))
        np.testing.assert_allclose(made, lighter(read(photos / name)), atol=1)


def test_a_pattern_keeps_the_folders(run, photos, tmp_path, capsys):
    (photos / "in").mkdir()
    shutil.copy(photos / "a.png", photos / "in" / "a.png")
    assert main(["translate", str(run), str(photos / "**" / "a.*"), str(tmp_path / "out"), "--sheet"]) == 0
    names = [str(path.relative_to(tmp_path / "out")) for path in sorted((tmp_path / "out").rglob("*.png"))]
    assert names == ["a.png", "in/a.png", "sheet.png"]
    code, err = said(capsys, "translate", run, photos / "c*", tmp_path / "x")
    assert (code, err) == (
        2,
        f"jaxgan: IN takes an image file, a folder or a pattern of them, but {photos}/c* fits no image.",
    )


def test_several_translations_and_a_sheet(run, photos, tmp_path):
    out = tmp_path / "x.png"
    assert main(["translate", str(run), str(photos / "a.png"), str(out), "--n", "2", "--seed", "5", "--sheet"]) == 0
    assert sorted(path.name for path in tmp_path.glob("x*")) == ["x-5.png", "x-6.png", "x-sheet.png"]
    sheet, tile = read(tmp_path / "x-sheet.png"), read(tmp_path / "x-5.png")
    assert sheet.shape[1] > 3 * tile.shape[1]


def test_opacity_goes_around_the_translator(run, tmp_path):
    rng = np.random.default_rng(1)
    grey, alpha = (rng.integers(0, 256, (8, 6), dtype=np.uint8) for _ in range(2))
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]).save(tmp_path / "a.png")
    assert main(["translate", str(run), str(tmp_path / "a.png"), str(tmp_path / "x.png")]) == 0
    made = read(tmp_path / "x.png")
    np.testing.assert_array_equal(made[..., 3], alpha)
    white = np.rint(grey * (alpha / 255.0) + 255 * (1 - alpha / 255.0))
    np.testing.assert_allclose(made[..., 0], lighter(white), atol=2)


@pytest.mark.parametrize("most", [4095, 65535])
def test_sixteen_bits_stay(run, tmp_path, most):
    """In 12 bits too: what is white there is white after it."""
    deep = np.linspace(0, most, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "a.png")
    assert main(["translate", str(run), str(tmp_path / "a.png"), str(tmp_path / "x.png")]) == 0
    made = read(tmp_path / "x.png")
    assert made.dtype == np.uint16
    np.testing.assert_allclose(made, np.minimum(deep + most * toy.LIGHTER / 255, most), atol=1.5)


def test_of_deep_pictures_one_range_is_taken_and_told(run, tmp_path, capsys):
    """As in training data: a darker picture stays darker than the others."""
    (tmp_path / "in").mkdir()
    deep = {name: np.linspace(0, most, 64).astype(np.uint16).reshape(8, 8) for name, most in (("a", 4095), ("b", 200))}
    for name, picture in deep.items():
        Image.fromarray(picture).save(tmp_path / "in" / f"{name}.png")
    assert main(["translate", str(run), str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    first, _ = capsys.readouterr().out.splitlines()
    assert first == "IN: whole numbers from 0 to 4095 in 2 of the pictures taken as 0 (black) to 4095 (white): 12 bits"
    for name, picture in deep.items():
        expected = np.minimum(picture + 4095 * toy.LIGHTER / 255, 4095)
        np.testing.assert_allclose(read(tmp_path / "out" / f"{name}.png"), expected, atol=1.5)


def test_the_range_of_a_picture_that_an_option_gives_is_told(run, tmp_path, capsys):
    Image.fromarray(np.linspace(0, 4000, 64).astype(np.uint16).reshape(8, 8)).save(tmp_path / "a.png")
    args = ["--source", str(tmp_path / "a.png"), "--n", "1", "--out", str(tmp_path / "x.npz")]
    assert perform("translate", ABOUT, str(run), args) == 0
    told = f"--source {tmp_path}/a.png: whole numbers from 0 to 4000 in 1 of the pictures taken as 0 (black) to 4095"
    assert capsys.readouterr().err.startswith(told)


def test_a_picture_in_tiles(run, tmp_path, capsys):
    picture = np.random.default_rng(2).integers(0, 256, (70, 45), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    tiles = ["--tile", "32", "--overlap", "4"]
    assert main(["translate", str(run), str(tmp_path / "a.png"), str(tmp_path / "x.png"), *tiles]) == 0
    np.testing.assert_allclose(read(tmp_path / "x.png"), lighter(picture), atol=1)
    code, err = said(capsys, "translate", run, tmp_path / "a.png", tmp_path / "y.png", "--tile", "100")
    assert (code, err) == (2, "jaxgan: --tile must be above twice --overlap, 128, got 100; 0 takes pictures whole.")


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
        (["--verb", "a2b"], f"{run} has no verb a2b that takes pictures; those that do (--verb): translate."),
        (["--seed", "-1"], "--seed takes a number from 0"),
        (["--step", "7"], "--step takes one of 1, got 7."),
        (["--sed", "7"], "has no option --sed; did you mean --seed?"),
    ):
        code, err = said(capsys, "translate", run, photos, tmp_path / "x", *options)
        assert code == 2
        assert sentence in err
    code, err = said(capsys, "rollout", run)
    assert (code, err) == (2, "jaxgan: this system has no verb 'rollout'; it has sample, translate.")


def test_without_a_file_rows_that_were_held_out_are_given(run, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "load", lambda *args, **how: toy.pairs(20))
    source = hold_out(toy.pairs(20), 2)[1].tables[0].source.arrays["source"]
    assert perform("translate", ABOUT, str(run), ["--n", "3", "--out", str(tmp_path / "x.npz")]) == 0
    with np.load(tmp_path / "x.npz") as found:  # again from the first when all are taken
        np.testing.assert_allclose(found["images"], lighter(source[[0, 1, 0]]), atol=1)


def test_a_file_for_all_and_data_that_are_gone(run, photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("jaxgan.commands.verbs.open_data", lambda *args, **how: pytest.fail("the data were read"))
    args = ["--source", str(photos / "a.png"), "--n", "2", "--out", str(tmp_path / "x.npz")]
    assert perform("translate", ABOUT, str(run), args) == 0
    with np.load(tmp_path / "x.npz") as found:
        np.testing.assert_allclose(found["images"][1, ..., 0], lighter(read(photos / "a.png")), atol=1)
    monkeypatch.undo()

    def gone(*args, **how):
        raise UserError("--data '/moved' does not exist.")

    monkeypatch.setattr(datasets, "load", gone)
    sentence = "rows of the run's data are taken unless --source is given, but: --data '/moved' does not exist."
    with pytest.raises(UserError, match=sentence):
        perform("translate", ABOUT, str(run), ["--n", "2", "--out", str(tmp_path / "y.npz")])


def test_help_of_a_run_lists_what_its_verb_takes(run, capsys):
    with pytest.raises(SystemExit):
        perform("translate", ABOUT, str(run), ["--help"])
    text = capsys.readouterr().out
    assert "--source" in text
    assert "rows of the data" in " ".join(text.replace("│", " ").split())
