"""Oracle: the arrays the images were made from, and the rules of the docstrings by example."""

import os
import shutil
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.data import encoded
from jaxgan.data.readers import files
from jaxgan.errors import UserError

RNG = np.random.default_rng(0)


def save(path: Path, height: int = 8, width: int = 6) -> np.ndarray:
    pixels = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture
def pets(tmp_path):
    """Two classes, three pictures, and what lies about on real disks."""
    root = tmp_path / "pets"
    pixels = [save(root / name) for name in ("cats/1.png", "cats/2.PNG", "dogs/deep/down/1.bmp")]
    for name in ("README.txt", ".DS_Store", "cats/Thumbs.db", "cats/._1.png", "__MACOSX/cats/1.png", ".git/x.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("no image")
    return root, np.stack(pixels)


def zipped(root: Path, below: str = "") -> Path:
    target = root.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*"), reverse=True):
            archive.write(path, below + path.relative_to(root).as_posix())
    return target


def listed(*paths):
    return files.listing([PurePosixPath(path) for path in paths], files.extensions())


@pytest.mark.parametrize("limit", [encoded.IN_MEMORY_BYTES, 0])
@pytest.mark.parametrize("form", [lambda root: root, zipped, lambda root: zipped(root, "pets/")])
def test_a_folder_and_its_zip_are_the_same_set(pets, monkeypatch, form, limit):
    root, pixels = pets
    expected = data.load(str(root)).fingerprint
    monkeypatch.setattr(encoded, "IN_MEMORY_BYTES", limit)
    loaded = data.load(str(form(root)))
    (arrays,) = data.resident(loaded, loaded.spec)
    np.testing.assert_array_equal(arrays["image"], pixels)
    np.testing.assert_array_equal(arrays["label"], [0, 0, 1])
    assert loaded.spec == {"image": fields.image(8, 6, 3), "label": fields.label(("cats", "dogs"))}
    assert loaded.fingerprint == expected
    assert loaded.description == f"{form(root)}: 3 images 8x6x3, 2 classes: cats, dogs"


def test_a_large_folder_is_decoded_on_demand(pets, monkeypatch):
    monkeypatch.setattr(encoded, "IN_MEMORY_BYTES", 0)
    loaded = data.load(str(pets[0]))
    assert isinstance(loaded.table("image").source, encoded.Encoded)
    assert next(data.stream(loaded, loaded.spec, 3, 0))["image"].shape == (3, 8, 6, 3)


@pytest.mark.parametrize(
    ("paths", "labels", "names"),
    [
        (["b/1.png", "a/1.png"], (0, 1), ("a", "b")),
        (["x/b/1.png", "x/a/1.png"], (0, 1), ("a", "b")),  # one folder around them all is not a class
        (["a/1.png", "a/2.png"], None, ()),
        (["1.png", "2.png"], None, ()),
        (["1.png", "a/1.png", "b/1.png"], None, ()),
        (["a/train/1.png", "b/test/1.png"], (0, 1), ("a", "b")),
        (["a/1.txt"], None, ()),
    ],
)
def test_labels(paths, labels, names):
    found = listed(*paths)
    assert (found.labels, found.class_names) == (labels, names)


def test_only_pictures_are_listed_and_phones_pictures_are_not_passed_over():
    names = ["a.jpg", "a.JPEG", "a.webp", "a.gif", "a.tif", "a.heic", "a.json", "a.pdf", "a.mpg", "a", "Thumbs.db"]
    assert {path.name for path in listed(*names).paths} == {"a.jpg", "a.JPEG", "a.webp", "a.gif", "a.tif", "a.heic"}


def test_mixed_sizes_start_at_64_and_say_so(tmp_path):
    save(tmp_path / "a.png", 10, 20)
    save(tmp_path / "b.png", 90, 80)
    loaded = data.load(str(tmp_path))
    assert loaded.spec["image"].shape == (64, 64, 3)
    assert "2 sizes from 10x20 to 90x80" in loaded.description
    assert "--image-size" in loaded.description
    assert data.load(str(tmp_path), image_size=(12, 16), resize="pad").spec["image"].shape == (12, 16, 3)


def test_all_broken_files_are_named_together(pets):
    root, _ = pets
    whole = (root / "cats/1.png").read_bytes()
    broken = {
        "cats/half.png": (whole[: len(whole) // 2], "truncated"),
        "cats/text.png": (b"hello", "not an image"),
        "cats/zero.jpg": (b"", "not an image"),
        "dogs/phone.HEIC": (b"\0\0\0\x18ftypheic", "not an image"),
        # A header alone, of 60,000 x 60,000 pixels.
        "dogs/bomb.png": (bomb(), "too large"),
    }
    for name, (content, _) in broken.items():
        (root / name).write_bytes(content)
    os.symlink("nowhere", root / "cats/link.png")
    with pytest.raises(UserError, match="6 of 9 images") as caught:
        data.load(str(root))
    for name, (_, reason) in broken.items():
        assert f"{name} ({reason}" in str(caught.value)
    assert "cats/link.png (No such file" in str(caught.value)


def bomb() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_long_list_of_broken_files_is_cut(tmp_path):
    for number in range(13):
        (tmp_path / f"{number:02}.png").write_text("x")
    with pytest.raises(UserError, match=r"13 of 13 images.* 09.png \(.*\) and 3 more"):
        data.load(str(tmp_path))


def test_damaged_zips(pets, tmp_path):
    path = zipped(pets[0])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="not a zip file"):
        data.load(str(path))
    # One member's bytes are flipped: the archive opens, its checksum fails.
    at = content.index(b"cats/1.png") + 60
    path.write_bytes(content[:at] + bytes(255 - byte for byte in content[at : at + 40]) + content[at + 40 :])
    with pytest.raises(UserError, match=r"1 of 3 images .* cats/1.png \(damaged"):
        data.load(str(path))


def test_a_link_in_a_circle_ends(pets):
    root, pixels = pets
    (root / "cats" / "again").symlink_to(root)
    assert len(data.load(str(root)).table("image").source) == len(pixels)


@pytest.mark.parametrize("name", ["empty", "missing/", "words.txt"])
def test_nothing_to_load(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("x")
    with pytest.raises(UserError, match=name):
        data.load(f"{tmp_path}/{name}")


def test_one_image_and_grey_images(tmp_path):
    Image.fromarray(RNG.integers(0, 256, (5, 7), dtype=np.uint8)).save(tmp_path / "a.png")
    loaded = data.load(str(tmp_path))
    assert loaded.description.endswith("1 image 5x7x1, no labels")
    assert data.load(str(tmp_path), channels=3).spec["image"].shape == (5, 7, 3)


def test_fingerprint_knows_pixels_labels_and_settings_but_not_the_place(pets, tmp_path):
    root, pixels = pets
    prints = [data.load(str(root)).fingerprint]
    moved = shutil.copytree(root, tmp_path / "elsewhere")
    assert data.load(str(moved)).fingerprint == prints[0]
    prints += [data.load(str(root), image_size=size).fingerprint for size in (4, (8, 7))]
    prints += [data.load(str(root), image_size=4, resize=resize).fingerprint for resize in ("pad", "stretch")]
    prints += [data.load(str(root), channels=1).fingerprint]
    pixels[0, 0, 0, 0] ^= 1
    Image.fromarray(pixels[0]).save(moved / "cats/1.png")
    prints += [data.load(str(moved)).fingerprint]
    (moved / "cats/1.png").unlink()
    shutil.move(root / "cats/2.PNG", root / "dogs/0.png")
    prints += [data.load(str(root)).fingerprint]
    assert len(set(prints)) == len(prints)


def test_a_run_is_no_data(pets):
    """Its pictures are grids and curves."""
    root, _ = pets
    (root / "config.json").touch()
    data.load(str(root))
    (root / "checkpoints").mkdir()
    with pytest.raises(UserError, match="pets is a run, whose pictures are no data"):
        data.load(str(root))
