"""The door itself: what a word may mean, and what importing costs."""

import subprocess
import sys

import pytest

from jaxgan import data
from jaxgan.data.readers import tfds
from jaxgan.errors import UserError


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
