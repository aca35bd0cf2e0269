"""`jaxgan train srgan` and `translate`, both stages. Oracles: the checkpoints of the stages, and Pillow's opacity."""

import numpy as np
import pytest
from PIL import Image

from jaxgan.cli import main
from jaxgan.game import parallel
from jaxgan.train.run.load import load

MAKE_MESH = parallel.make_mesh
TINY = "--g-width 2 --blocks 0 --d-width 2 --halvings 1 --d-units 2 --batch-size 2 --image-size 16 --samples 4"
STEPS = "--steps 2 --pixel-steps 1 --learning-rate 0.05 --pixel-learning-rate 0.01 --perceptual-weight 0 --hold-out 16"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of one step in each stage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH((devices or parallel.jax.devices())[:1]))
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        out = tmp_path_factory.mktemp("enlarge") / "run"
        assert main(["train", "srgan", *TINY.split(), *STEPS.split(), "--out", str(out)]) == 0
    return out


def enlarged(run, photo, *options):
    out = photo.with_name("large.png")
    assert main(["translate", str(run), str(photo), str(out), *options]) == 0
    with Image.open(out) as picture:
        return np.asarray(picture).astype(int)


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 14, 4), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_file_becomes_twice_as_large_and_keeps_its_opacity(run, photo):
    made = enlarged(run, photo)
    with Image.open(photo) as given:
        alpha = given.getchannel("A").resize((28, 18), Image.Resampling.BICUBIC)
    assert made.shape == (18, 28, 4)
    np.testing.assert_array_equal(made[..., 3], np.asarray(alpha))


def test_networks_between_the_stages_are_chosen_when_pictures_are_made(run, photo, capsys):
    first = enlarged(run, photo, "--step", "1")
    ends = [enlarged(run, photo, "--interpolate", share) for share in ("0", "1")]
    np.testing.assert_array_equal(ends[0], first)
    np.testing.assert_array_equal(ends[1], enlarged(run, photo))
    assert np.abs(ends[0] - ends[1]).max() > 0
    own, start = (load(run, step).state.players["g"].ema for step in (2, 1))
    assert np.abs(np.asarray(own["last"]["kernel"]) - np.asarray(start["last"]["kernel"])).max() > 0
    assert main(["translate", str(run), str(photo), str(photo.with_name("x.png")), "--interpolate", "2"]) == 2
    assert "--interpolate" in capsys.readouterr().err


def test_tiles_have_no_seam_where_half_the_margin_is_as_wide_as_what_the_network_sees(run, tmp_path):
    """It sees 8 pixels around one: 4 and 1 before it doubles, 1 there, and 4 of the large ones."""
    photo = tmp_path / "wide.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 34, 3), np.uint8)).save(photo)
    whole, tiled = (enlarged(run, photo, *how) for how in ((), ("--tile", "44", "--overlap", "16")))
    inside = slice(16, -16)  # at the picture's edges the whole has zeros outside, tiles have the mirrored picture
    assert np.abs(whole[inside, inside] - tiled[inside, inside]).max() <= 1
    assert np.abs(whole - tiled).max() > 1
