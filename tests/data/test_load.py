"""The door itself: what a word may mean, and what importing costs."""

import subprocess
import sys

import pytest
from PIL import Image

from jaxgan import data
from jaxgan.data import bundles
from jaxgan.data.readers import tfds
from jaxgan.errors import UserError
from jaxgan.fields import Needs


def test_importing_is_light():
    code = "import sys, jaxgan.data; print([m for m in ('tensorflow_datasets', 'grain', 'PIL') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("spec", ["", "./nosuch", "/no/such", "~/nosuch", "nosuch/", "nosuch.zip", "nosuch.npz"])
def test_missing_paths(spec):
    with pytest.raises(UserError, match="does not exist"):
        data.load(spec)


def test_a_folder_here_goes_before_tfds_but_not_before_the_bundled_set(tmp_path, monkeypatch, fashion):
    monkeypatch.chdir(tmp_path)
    for name in ("mnist", "fashion_mnist_10k"):
        (tmp_path / name).mkdir()
        with pytest.raises(UserError, match=r"--data \./.* holds no images"):
            data.load(f"./{name}")
    with pytest.raises(UserError, match="--data mnist holds no images"):
        data.load("mnist")
    monkeypatch.setattr(tfds, "load", lambda spec, needs, settings, data_dir: fashion)
    assert data.load("fashion_mnist_10k") is fashion


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
