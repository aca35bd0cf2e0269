"""`jaxgan translate` of pictures that files go with: masks, maps. Oracle: the toy pastes by a mask, read by Pillow."""

import dataclasses
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxgan import fields, game
from jaxgan.cli import main
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


def build(config, spec, axis_name=None):
    """The toy that fills the hole of a mask with grey 77, and can paste another picture there."""
    system = toy.translator(config, spec, axis_name)
    source, mask = fields.any_size(spec["source"]), fields.Field("mask", (None, None, 1))

    def fill(state, given, keys):
        return {"target": jnp.where(given["mask"] > 0.5, 77 / 127.5 - 1, given["source"])}

    def paste(state, given, keys):
        return {"target": jnp.where(given["mask"] > 0.5, given["other"], given["source"])}

    verbs = {
        "translate": game.Verb(fill, {"target": source}, {"source": source, "mask": mask}),
        "paste": game.Verb(paste, {"target": source}, {"source": source, "mask": mask, "other": source}),
    }
    return system._replace(verbs={**system.verbs, **verbs}, shows=system.shows[:1])


RECIPE = ModuleType("toy")
vars(RECIPE).update(Config=Config, NEEDS=Needs({}), build=build)


@pytest.fixture(autouse=True, scope="module")
def cheap():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda devices=None: MAKE_MESH(devices or jax.devices()[:1]))
        patch.setattr("jaxgan.recipes.load", lambda name: RECIPE)
        patch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
        yield


@pytest.fixture(scope="module")
def run(cheap, tmp_path_factory):
    out = tmp_path_factory.mktemp("beside") / "run"
    return fit(build, Config(steps=1), toy.pairs(20), toy.run_config(out), recipe="toy", report=toy.Said()).folder.root


def picture(seed, *size):
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def save(path, pixels):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def said(capsys, *args):
    code = main(list(map(str, args)))
    return code, capsys.readouterr().err.strip()


def test_a_mask_for_all_and_a_mask_for_each(run, tmp_path):
    """Every grey of a mask from the half on is hole; what is known comes back bit for bit."""
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    for i, name in enumerate(("a", "b")):
        save(photos / f"{name}.png", picture(i, 9, 7))
        save(masks / f"{name}.bmp", picture(5 + i, 9, 7))
    for option, of in ((masks, lambda name: masks / f"{name}.bmp"), (masks / "b.bmp", lambda _: masks / "b.bmp")):
        out = tmp_path / f"by-{option.stem}"
        assert main(["translate", str(run), str(photos), str(out), "--mask", str(option), "--sheet"]) == 0
        for name in ("a", "b"):
            truth, hole = read(photos / f"{name}.png"), read(of(name)) >= 128
            np.testing.assert_array_equal(read(out / f"{name}.png"), np.where(hole, 77, truth))


def test_transparent_pixels_are_the_hole(run, tmp_path):
    grey, alpha = picture(0, 12, 10), picture(1, 12, 10)
    alpha[:, :6] = 255
    save(tmp_path / "a.png", np.stack([grey, grey, grey, alpha], -1))
    assert main(["translate", str(run), str(tmp_path / "a.png"), str(tmp_path / "x.png")]) == 0
    np.testing.assert_array_equal(read(tmp_path / "x.png"), np.where(alpha < 255, 77, grey))


def test_tiles_cut_what_goes_with_a_picture_alike(run, tmp_path):
    source, other, mask = picture(0, 70, 45), picture(1, 70, 45), picture(2, 70, 45)
    for name, pixels in (("source", source), ("other", other), ("mask", mask)):
        save(tmp_path / f"{name}.png", pixels)
    tiles = ["--tile", "32", "--overlap", "4", "--verb", "paste"]
    beside = [f"--{name}={tmp_path}/{name}.png" for name in ("mask", "other")]
    assert main(["translate", str(run), str(tmp_path / "source.png"), str(tmp_path / "x.png"), *beside, *tiles]) == 0
    np.testing.assert_array_equal(read(tmp_path / "x.png"), np.where(mask >= 128, other, source))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--mask", "none"], "--mask takes a file or a folder of them, but {0}/none does not exist."),
        (
            ["--mask", "full.png"],
            "--mask {0}/full.png leaves nothing known: all of its pixels have 128 of 255, or more.",
        ),
        (["--mask", "dark.png"], "--mask {0}/dark.png has no hole: none of its pixels has 128 of 255, or more."),
        (["--mask", "wide.png"], "--mask {0}/wide.png has 9 x 8 pixels, but {0}/a.png has 8 x 8."),
        (
            ["--mask", "others"],
            "--mask takes a folder with one file for each picture, but {0}/others has none for {0}/a.png.",
        ),
        (
            ["--mask", "twice"],
            "--mask takes a folder with one file for each picture, but {0}/twice has 2 files for {0}/a.png.",
        ),
        (["--mask", "text"], "--mask takes an image file, but {0}/text cannot be read: it is no image"),
        ([], "--mask takes a file or a folder of them, unless pictures have transparent pixels; {0}/a.png has none."),
        (["--other", "a.png"], "this verb takes --mask; got --other."),
        (["--verb", "paste", "--mask", "a.png"], "this verb takes --other too: a file, or a folder of them."),
    ],
)
def test_a_mistake_is_one_sentence(run, tmp_path, capsys, options, sentence):
    save(tmp_path / "a.png", picture(0, 8, 8))
    save(tmp_path / "full.png", np.full((8, 8), 128, np.uint8))
    save(tmp_path / "dark.png", np.full((8, 8), 127, np.uint8))
    save(tmp_path / "wide.png", picture(0, 8, 9))
    save(tmp_path / "others" / "b.png", picture(0, 8, 8))
    for ending in ("png", "bmp"):
        save(tmp_path / "twice" / f"a.{ending}", picture(0, 8, 8))
    (tmp_path / "text").write_text("mine")
    names = {path.name for path in tmp_path.iterdir()} | {"none"}
    given = [str(tmp_path / word) if word in names else word for word in options]
    code, err = said(capsys, "translate", run, tmp_path / "a.png", tmp_path / "x.png", *given)
    assert (code, err.count("\n")) == (2, 0)
    assert err.startswith(f"jaxgan: {sentence.format(tmp_path)}")
    assert not (tmp_path / "x.png").exists()
