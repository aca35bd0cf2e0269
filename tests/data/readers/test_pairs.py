"""Oracle: the arrays that were saved, and Pillow's own nearest resize."""

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.data import encoded
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

RNG = np.random.default_rng(0)
PAIR = Needs({"source": "image|label_map|mask", "target": "image"})
SEGMENTED = Needs({"image": "image", "label_map": "label_map"})
MASKED = Needs({"image": "image", "mask": "mask"})


def save(path, pixels, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":
        image = Image.frombytes("P", image.size, pixels.tobytes())
        image.putpalette(RNG.integers(0, 256, 768, dtype=np.uint8).tobytes())
    image.save(path)
    return pixels


def colours(height=6, width=4):
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def whole(loaded):
    return data.resident(loaded, loaded.spec)[0]


@pytest.fixture
def pairs(tmp_path):
    """Two pairs; endings differ, and so do the places in the folder's listing."""
    root = tmp_path / "set"
    sources = [save(root / f"source/{name}", colours()) for name in ("1.bmp", "deep/2.png")]
    targets = [save(root / f"target/{name}", colours()) for name in ("1.png", "deep/2.tif")]
    return root, np.stack(sources), np.stack(targets)


@pytest.mark.parametrize("limit", [encoded.IN_MEMORY_BYTES, 0])
def test_sub_folders_are_paired_by_name(pairs, monkeypatch, limit):
    root, sources, targets = pairs
    expected = data.load(str(root), needs=PAIR)
    monkeypatch.setattr(encoded, "IN_MEMORY_BYTES", limit)
    loaded = data.load(str(root), needs=PAIR)
    assert isinstance(loaded.table("source").source, encoded.Encoded) == (limit == 0)
    assert loaded.fingerprint == expected.fingerprint
    assert loaded.spec == {"source": fields.image(6, 4, 3), "target": fields.image(6, 4, 3)}
    np.testing.assert_array_equal(whole(loaded)["source"], sources)
    np.testing.assert_array_equal(whole(loaded)["target"], targets)
    assert loaded.description == (
        f"{root}: 2 examples of source (image 6x4x3), target (image 6x4x3); source read as image"
    )
    save(root / "target/1.png", 255 - targets[0])
    assert data.load(str(root), needs=PAIR).fingerprint != expected.fingerprint


def test_a_zip_is_the_same_set(pairs, tmp_path):
    root, *_ = pairs
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in root.rglob("*.*"):
            archive.write(path, f"inside/{path.relative_to(root)}")
    zipped = data.load(f"{tmp_path}/a.zip", needs=PAIR)
    assert zipped.fingerprint == data.load(str(root), needs=PAIR).fingerprint


def test_other_sub_folders_are_left_out(pairs):
    root, *_ = pairs
    save(root / "sketches/9.png", colours())
    assert data.load(str(root), needs=PAIR).description.endswith("; sketches left out")


def test_all_pictures_of_a_pair_have_one_size(pairs):
    root, *_ = pairs
    shutil.rmtree(root / "source")
    grey = save(root / "source/1.png", colours(12, 8)[..., 0])
    save(root / "source/deep/2.png", colours(12, 8)[..., 0])
    loaded = data.load(str(root), needs=PAIR, image_size=(6, 4))
    assert loaded.spec == {"source": fields.image(6, 4, 1), "target": fields.image(6, 4, 3)}
    assert "2 sizes from 6x4 to 12x8 scaled and centre-cropped to 6x4" in loaded.description
    small = np.asarray(Image.fromarray(grey).resize((4, 6), Image.Resampling.LANCZOS))
    assert np.abs(whole(loaded)["source"][0, ..., 0].astype(int) - small).max() <= 1
    with pytest.raises(UserError, match="the images have 2 sizes from 6x4 to 12x8; --image-size"):
        data.load(str(root), needs=PAIR, image_size="own")


def test_names_that_do_not_match_are_named(pairs):
    root, *_ = pairs
    for number in range(3, 8):
        save(root / f"source/{number}.png", colours())
    save(root / "target/8.png", colours())
    with pytest.raises(UserError, match="6 files of source, target have no partner of the same name: ") as caught:
        data.load(str(root), needs=PAIR)
    assert str(caught.value).endswith("source/3, source/4, source/5, source/6, source/7 and 1 more.")


def test_two_files_of_one_name(pairs):
    root, *_ = pairs
    save(root / "source/1.png", colours())
    with pytest.raises(UserError, match="1 names stand for several files: source/1"):
        data.load(str(root), needs=PAIR)


def test_sub_folders_that_are_missing(tmp_path):
    save(tmp_path / "source/1.png", colours())
    save(tmp_path / "1.png", colours())
    with pytest.raises(UserError, match=r"for each of source, target, and lacks target; rename .* or --halves source"):
        data.load(str(tmp_path), needs=PAIR)


@pytest.mark.parametrize("name", ["1.png", "1.npy"])
@pytest.mark.parametrize("mode", ["P", "L", "I;16"])
def test_label_maps_are_the_numbers_of_the_file(tmp_path, name, mode):
    classes = RNG.integers(0, 7, (8, 6)).astype(np.uint16 if mode == "I;16" else np.uint8)
    classes[0, 0] = 6
    save(tmp_path / "image/1.png", colours(8, 6))
    if name.endswith(".npy"):
        (tmp_path / "label_map").mkdir()
        np.save(tmp_path / "label_map/1.npy", classes)
    else:
        save(tmp_path / f"label_map/{name}", classes, mode)
    loaded = data.load(str(tmp_path), needs=SEGMENTED)
    assert loaded.spec["label_map"] == Field("label_map", (8, 6), tuple("0123456"))
    np.testing.assert_array_equal(whole(loaded)["label_map"][0], classes)
    assert "label_map holds classes 0 to 6" in loaded.description
    half = data.load(str(tmp_path), needs=SEGMENTED, image_size=(4, 3))
    nearest = Image.fromarray(classes.astype(np.int32)).resize((3, 4), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(whole(half)["label_map"][0], np.asarray(nearest))


def test_names_of_classes_limit_a_label_map(tmp_path):
    save(tmp_path / "image/1.png", colours())
    save(tmp_path / "label_map/1.png", np.full((6, 4), 2, np.uint8))
    (tmp_path / "names.txt").write_text("sky\nsea\nsand\n\n")
    loaded = data.load(str(tmp_path), needs=SEGMENTED)
    assert loaded.spec["label_map"].names == ("sky", "sea", "sand")
    (tmp_path / "names.txt").write_text("sky\nsea\n")
    with pytest.raises(
        UserError, match=r"1 of 1 pairs .* 1 \(label_map/1.png: it holds class 2, .* names for 0 to 1\)"
    ):
        data.load(str(tmp_path), needs=SEGMENTED)


def test_numbers_of_things_have_other_names_than_labels(tmp_path):
    """Thing 7 is none of the two labels; in its own folder a list names it."""
    needs = fields.Needs({"source": "label_map", "target": "image", "instance": "label_map?"})
    save(tmp_path / "source/1.png", np.ones((6, 4), np.uint8))
    save(tmp_path / "instance/1.png", np.full((6, 4), 7, np.uint8))
    save(tmp_path / "target/1.png", colours())
    (tmp_path / "names.txt").write_text("sky\nsea\n")
    spec = data.load(str(tmp_path), needs=needs).spec
    assert (spec["source"].names, len(spec["instance"].names)) == (("sky", "sea"), 8)
    (tmp_path / "instance/names.txt").write_text("".join(f"thing {i}\n" for i in range(9)))
    (tmp_path / "source/names.txt").write_text("air\nwater\nearth\n")
    spec = data.load(str(tmp_path), needs=needs).spec
    assert (spec["source"].names, spec["instance"].names[7]) == (("air", "water", "earth"), "thing 7")


def test_a_label_map_in_colours(tmp_path):
    save(tmp_path / "image/1.png", colours())
    save(tmp_path / "label_map/1.png", colours())
    with pytest.raises(UserError, match=r"label_map/1.png: a label map holds one class a pixel .*, not RGB"):
        data.load(str(tmp_path), needs=SEGMENTED)


def test_an_npy_that_is_no_label_map(tmp_path):
    save(tmp_path / "image/1.png", colours())
    (tmp_path / "label_map").mkdir()
    np.save(tmp_path / "label_map/1.npy", np.zeros((6, 4), np.float32))
    with pytest.raises(UserError, match=r"holds a label map \[h, w\] of whole numbers, not float32 \[6, 4\]"):
        data.load(str(tmp_path), needs=SEGMENTED)


@pytest.mark.parametrize(("mode", "kind"), [("P", "label_map"), ("L", "image")])
def test_a_field_of_several_kinds_is_guessed_and_said(tmp_path, mode, kind):
    save(tmp_path / "source/1.png", np.full((6, 4), 2, np.uint8), mode)
    save(tmp_path / "target/1.png", colours())
    loaded = data.load(str(tmp_path), needs=PAIR)
    assert loaded.spec["source"].kind == kind
    assert f"source read as {kind}" in loaded.description


@pytest.mark.parametrize(("top", "note"), [(1, "mask holds 0 and 1, taken as 0 and 255"), (255, "")])
def test_masks(tmp_path, top, note):
    mask = RNG.integers(0, 2, (6, 4), dtype=np.uint8)
    mask[:2, :2] = [[1, 0], [0, 1]]
    save(tmp_path / "image/1.png", colours())
    save(tmp_path / "mask/1.png", mask * top)
    loaded = data.load(str(tmp_path), needs=MASKED)
    assert loaded.spec["mask"] == Field("mask", (6, 4, 1))
    np.testing.assert_array_equal(whole(loaded)["mask"][0, ..., 0], mask * 255)
    assert loaded.description.endswith(f"mask (mask 6x4x1){'; ' if note else ''}{note}")
    # Of four pixels that become one, the mean.
    small = whole(data.load(str(tmp_path), needs=MASKED, image_size=(3, 2)))["mask"][0, ..., 0]
    means = mask.reshape(3, 2, 2, 2).mean((1, 3)) * 255
    assert np.abs(small - means).max() <= 1


def test_halves(tmp_path):
    both = save(tmp_path / "1.png", colours(6, 10))
    loaded = data.load(str(tmp_path), needs=PAIR, halves=("target", "source"))
    np.testing.assert_array_equal(whole(loaded)["target"][0], both[:, :5])
    np.testing.assert_array_equal(whole(loaded)["source"][0], both[:, 5:])
    assert data.load(str(tmp_path), needs=PAIR, halves=("source", "target")).fingerprint != loaded.fingerprint
    sized = data.load(str(tmp_path), needs=PAIR, halves=("target", "source"), image_size=(3, 3), channels=1)
    assert sized.spec["source"].shape == (3, 3, 1)
    save(tmp_path / "2.png", colours(6, 11))
    with pytest.raises(UserError, match=r"1 of 2 images .* 2.png \(its width of 11 pixels has no two halves\)"):
        data.load(str(tmp_path), needs=PAIR, halves=("target", "source"), image_size=4)


@pytest.mark.parametrize(
    ("halves", "needs", "message"),
    [
        (
            ("source", "source"),
            PAIR,
            r"--halves takes two fields of the recipe's \(source, target\), got source source",
        ),
        (("left", "right"), PAIR, "got left right"),
        (("image", "label_map"), SEGMENTED, "--halves takes fields that are images or masks; label_map is label_map"),
        (("image", "mask"), MASKED, "holds no images"),
    ],
)
def test_halves_that_cannot_be(tmp_path, halves, needs, message):
    (tmp_path / "empty").mkdir()
    if needs is not MASKED:
        save(tmp_path / "empty/1.png", colours())
    with pytest.raises(UserError, match=message):
        data.load(f"{tmp_path}/empty", needs=needs, halves=halves)


def test_a_set_of_label_maps_alone(tmp_path):
    classes = RNG.integers(0, 3, (6, 4))
    np.save(tmp_path / "1.npy", classes)
    loaded = data.load(str(tmp_path), needs=Needs({"map": "label_map"}))
    np.testing.assert_array_equal(whole(loaded)["map"][0], classes)
