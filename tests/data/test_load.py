"""The door itself: what a word may mean, and what importing costs."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from jaxgan import data
from jaxgan.data import bundles
from jaxgan.data.readers import tfds
from jaxgan.data.source import ArraySource
from jaxgan.errors import UserError
from jaxgan.fields import Needs
from jaxgan.made.outlines import chalk, negatives


def test_importing_is_light():
    code = "import sys, jaxgan.data; print([m for m in ('tensorflow_datasets', 'grain', 'PIL') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("spec", ["", "./nosuch", "/no/such", "~/nosuch", "nosuch/", "nosuch.zip", "nosuch.npz"])
def test_missing_paths(spec):
    with pytest.raises(UserError, match="does not exist"):
        data.load(spec)


@pytest.mark.parametrize(
    "name",
    [
        "mnist",
        "mnist:3.0.1",
        "mnist[test]",
        "mnist[train[:5]]",
        "cycle_gan/facades",
        "fashion_mnist_10k",
        "furniture_16",
    ],
)
def test_no_folder_here_goes_before_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for folder in (name, name.partition("[")[0]):
        (tmp_path / folder / "test").mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "test" / "a.txt").touch()
    with pytest.raises(UserError, match=r"--data \./.* holds no images"):
        data.load(f"./{name}" if "[" not in name else f"./{name.partition('[')[0]}")
    assert data.absolute(name) == name

    def load(spec, needs, settings, data_dir):
        raise UserError("as TFDS says.")

    monkeypatch.setattr(tfds, "load", load)
    if name not in bundles.MADE:
        hint = "" if name == "fashion_mnist_10k" else rf" \./{re.escape(name)} is the one here\."
        with pytest.raises(UserError, match=f"^as TFDS says\\.{hint}$"):
            data.load(name)


def test_what_is_no_name_is_a_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("photos", "mnist/mine", "a[b]"):
        (tmp_path / folder).mkdir(parents=True)
    assert data.absolute("photos") == str(tmp_path / "photos")
    assert data.absolute("photos[val]") == str(tmp_path / "photos[val]")
    assert data.absolute("./mnist") == data.absolute("mnist/") == str(tmp_path / "mnist")
    assert data.absolute("mnist/mine") == str(tmp_path / "mnist" / "mine")  # TFDS has no such config
    assert data.absolute("a[b]") == str(tmp_path / "a[b]")
    assert data.absolute("elsewhere") == "elsewhere"


def test_options_are_checked_first():
    with pytest.raises(UserError, match="--image-size"):
        data.load("nosuch", image_size=0)


def test_sets_that_are_made_go_by_their_name(fashion, monkeypatch):
    monkeypatch.setitem(bundles.MADE, "drawn", lambda images: fashion)
    assert data.load("drawn") is fashion
    with pytest.raises(
        UserError, match=r"this recipe needs mask \(mask\), but --data drawn has image \(image\), label"
    ):
        data.load("drawn", needs=Needs({"image": "image", "mask": "mask"}))


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (
            {"observation": "vector", "action": "label"},
            r"cannot give observation \(vector\), action \(label\); an .npz",
        ),
        ({"image": "image", "label": "label"}, r"this recipe needs label \(label\), but --data .* has image \(image\)"),
    ],
)
def test_needs_that_a_folder_lacks(tmp_path, needs, message):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=message):
        data.load(str(tmp_path), needs=Needs(needs))


def test_other_files_are_named_where_images_are_wanted(tmp_path):
    (tmp_path / "a.WAV").write_bytes(b"")
    (tmp_path / "b.txt").write_text("b")
    with pytest.raises(UserError, match=r"holds no images: .*; they end in \.txt, \.wav\. --needs RECIPE reads other"):
        data.load(str(tmp_path))


@pytest.mark.parametrize(("name", "drawn"), [("fashion_negatives", negatives), ("fashion_chalk", chalk)])
def test_sets_apart_are_one_half_and_what_is_drawn_of_the_other(name, drawn, fashion):
    pixels = fashion.tables[0].source.arrays["image"]
    small = fashion._replace(tables=(fashion.tables[0]._replace(source=ArraySource({"image": pixels[:20]})),))
    made = bundles.MADE[name](lambda: small)
    tables = {field: made.table(field).source.arrays[field] for field in "ab"}
    np.testing.assert_array_equal(tables["a"], pixels[:10])
    np.testing.assert_array_equal(tables["b"], drawn(pixels[10:20]))
    assert made.name == name
    assert name in made.description
