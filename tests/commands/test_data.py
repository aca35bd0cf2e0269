"""Oracle: arrays written here, whose ranges and counts are known."""

import dataclasses
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields, recipes
from jaxgan.commands import data as data_command
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

IMAGES = np.zeros((6, 4, 5, 3), np.uint8)
IMAGES[:, 0, 0] = 200
LABELS = [0, 1, 1, 2, 2, 2]


@pytest.fixture
def labelled(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=LABELS, label_names=np.array(["cat", "dog", "cow"]))
    return f"{tmp_path}/a.npz"


def test_fields_ranges_classes_and_counts(labelled, tmp_path, capsys):
    before = set(tmp_path.iterdir())
    assert data_command.command(labelled, []) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{labelled}: 6 images 4x5x3, 3 classes: cat, dog, cow",
        "  image: image 4x5x3, stored as uint8, from 0 to 200 in 6 examples",
        "  label: label, stored as int32, from 0 to 2 in 6 examples",
        "    3 classes: cat 1, dog 2, cow 3",
    ]
    assert set(tmp_path.iterdir()) == before  # nothing is written unless asked


def test_counts_are_of_all_rows_and_ranges_of_a_sample(monkeypatch):
    monkeypatch.setattr(data_command, "SAMPLE", 2)

    class Lazy:
        def __len__(self):
            return 6

        def __getitem__(self, row):
            return {"image": IMAGES[row], "label": np.int32(LABELS[row])}

    spec = {"image": fields.image(4, 5, 3), "label": fields.label(("cat", "dog", "cow"))}
    lazy = data.of_arrays({"image": IMAGES, "label": np.int32(LABELS)}, spec)._replace(
        tables=(data.Table(Lazy(), spec),)
    )
    told = list(data_command.lines(lazy))
    assert told[1].endswith("in 2 examples")
    assert told[3] == "    3 classes: cat 1, dog 2, cow 3"


def test_other_kinds_say_what_their_numbers_mean():
    spec = {
        "label_map": Field("label_map", (2, 2), ("sky", "sea")),
        "tokens": Field("tokens", (3,), ("", "?", *(f"w{i}" for i in range(30)))),
        "wave": Field("wave", (4,), rate=8000.0),
    }
    arrays = {
        "label_map": np.array([[[0, 0], [0, 1]]], np.int32),
        "tokens": np.array([[2, 1, 0]], np.int32),
        "wave": np.array([[-5, 0, 0, 7]], np.int16),
    }
    told = list(data_command.lines(data.of_arrays(arrays, spec)))
    assert told[1:3] == [
        "  label_map: label_map 2x2, stored as int32, from 0 to 1 in 1 example",
        "    2 classes, of the sample's pixels: sky 75.0%, sea 25.0%",
    ]
    assert told[4].startswith("    a vocabulary of 32 words: '', '?', 'w0', ")
    assert told[4].endswith("'w17' and 12 more")
    assert told[5] == "  wave: wave 4, 8000 a second, stored as int16, from -5 to 7 in 1 example"


def test_a_grid_of_images(labelled, tmp_path, capsys):
    data_command.command(labelled, ["--out", f"{tmp_path}/reals.png", "--channels", "1"])
    assert "Some examples: " in capsys.readouterr().out
    with Image.open(tmp_path / "reals.png") as image:
        assert image.mode == "L"
        assert np.asarray(image).max() == 255
        assert image.width > 5 * 2


def offer(monkeypatch, needs):
    """A recipe with these needs, whatever its name."""
    module = ModuleType("recipe")
    module.NEEDS, module.Config, module.build = needs, dataclasses.make_dataclass("Config", []), print
    monkeypatch.setattr(recipes, "load", lambda name: module)


def test_a_row_an_example_where_there_are_several_fields(tmp_path, monkeypatch, capsys):
    needs = Needs({"a": "image", "b": "image"}, apart=True)
    offer(monkeypatch, needs)
    np.savez(tmp_path / "a.npz", a=IMAGES, b=255 - IMAGES[:4])
    data_command.command(f"{tmp_path}/a.npz", ["--needs", "cyclegan", "--out", f"{tmp_path}/reals.png"])
    said = capsys.readouterr().out
    assert "  b: image 4x5x3, stored as uint8, from 55 to 255 in 4 examples" in said
    with Image.open(tmp_path / "reals.png") as image:
        assert image.height > 4 * 50
    offer(monkeypatch, Needs(needs.fields))
    with pytest.raises(UserError, match="must have one length"):
        data_command.command(f"{tmp_path}/a.npz", ["--needs", "pix2pix"])


def test_halves_are_handed_on(tmp_path, monkeypatch, capsys):
    needs = Needs({"source": "image", "target": "image"})
    offer(monkeypatch, needs)
    Image.new("RGB", (8, 4)).save(tmp_path / "1.png")
    data_command.command(str(tmp_path), ["--needs", "pix2pix", "--halves", "source", "target", "--image-size", "2"])
    assert "  target: image 2x2x3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--out", "a.jpg"], "--out takes a .png file, got a.jpg"),
        (["--out", "/no/such/a.png"], "--out /no/such/a.png: the folder /no/such does not exist"),
        (["--needs", "dcgam"], "dcgan"),
        (["--size", "3"], "jaxgan data SPEC has no option --size"),
    ],
)
def test_mistakes_are_one_sentence(labelled, args, message):
    with pytest.raises(UserError, match=message):
        data_command.command(labelled, args)


def test_needs_may_be_those_of_a_file_of_ones_own(tmp_path, capsys):
    """As `jaxgan train` takes it."""
    np.savez(tmp_path / "a.npz", speed=np.arange(6.0).reshape(3, 2))
    head = "import dataclasses\nfrom jaxgan.fields import Needs\nNEEDS = Needs({'speed': 'vector'})\n"
    (tmp_path / "mine.py").write_text(f"{head}Config = dataclasses.make_dataclass('Config', [])\nbuild = print\n")
    assert data_command.command(f"{tmp_path}/a.npz", ["--needs", f"{tmp_path}/mine.py"]) == 0
    assert "speed: vector 2, stored as float32, from 0 to 5 in 3 examples" in capsys.readouterr().out
