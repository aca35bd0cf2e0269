"""Which class a file has. Oracle: the rules of the docstrings by example, and pictures whose grey is their class."""

import io
import json
import warnings
import zipfile
from pathlib import PurePosixPath

import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.data.readers import classes, files
from jaxgan.errors import UserError

NEEDS = fields.Needs({"image": "image", "label": "label"})


def png(grey):
    content = io.BytesIO()
    Image.new("L", (4, 4), grey).save(content, "PNG")
    return content.getvalue()


def zipped(path, members):
    """A zip of {name: content}; names stand in it as they are given."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, content)
    return str(path)


def folder(root, members):
    for name, content in members.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return str(root)


def tree(paths, content=None):
    whole = json.dumps(content).encode()
    return files.Tree("set", tuple(map(PurePosixPath, paths)), lambda path: io.BytesIO(whole))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ("0 1 10 11 2", "0 1 2 10 11"),
        ("class_10 class_2", "class_2 class_10"),
        ("-1 -10 3 0", "-10 -1 0 3"),
        ("0.5 10 9", "0.5 9 10"),
        ("010 9 011", "9 010 011"),
        ("b a 10b 9b", "9b 10b a b"),
        ("a10c2 a10c11 a9c1", "a9c1 a10c2 a10c11"),
        ("x1 x x01", "x x01 x1"),
        ("x ٣", "٣ x"),  # a digit of another alphabet
    ],
)
def test_names_are_in_the_order_of_people(names, ordered):
    assert files.in_order(names.split()) == ordered.split()
    assert files.in_order(reversed(names.split())) == ordered.split()


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_numbered_folders(tmp_path, form):
    members = {f"{c}/a.png": png(20 * c) for c in range(12)}
    place = folder(tmp_path / "x", members) if form == "folder" else zipped(tmp_path / "x.zip", members)
    loaded = data.load(place)
    source = loaded.table("image").source
    assert loaded.spec["label"].names == tuple(map(str, range(12)))
    assert all(source[i]["image"].max() == 20 * source[i]["label"] for i in range(12))


SHARDS = ["00000/img0.png", "00000/img1.png", "00001/img2.png"]


@pytest.mark.parametrize(
    ("labels", "found", "names", "note"),
    [
        ([[name, i % 2] for i, name in enumerate(SHARDS)], (0, 1, 0), ("0", "1"), "labels of dataset.json"),
        ({name: i % 2 for i, name in enumerate(SHARDS)}, (0, 1, 0), ("0", "1"), "labels of dataset.json"),
        ([[name, 7 * i] for i, name in enumerate(SHARDS)], (0, 1, 2), ("0", "7", "14"), "labels of dataset.json"),
        ([[name, "ab"[i % 2]] for i, name in enumerate(SHARDS)], (0, 1, 0), ("a", "b"), "labels of dataset.json"),
        ([[name.replace("/", "\\"), i] for i, name in enumerate(SHARDS)], (0, 1, 2), ("0", "1", "2"), "labels of"),
        (None, None, (), "no labels in dataset.json"),
        ([], None, (), "no labels in dataset.json"),
        ([[name, 3] for name in SHARDS], None, (), "one class only"),
        ([[name, [0.0, 1.0]] for name in SHARDS], None, (), "vectors or fractions"),
        ([[SHARDS[0], 1], [SHARDS[1], 0]], None, (), "lacks a label for 1 of 3 files (00001/img2.png)"),
        ([[SHARDS[0], 1], [SHARDS[1], 0], [SHARDS[2], None]], None, (), "lacks a label for 1 of 3"),
    ],
)
def test_the_list_of_stylegan(labels, found, names, note):
    for root in ("", "ffhq/"):
        seen = classes.listing(tree([root + p for p in (*SHARDS, "dataset.json")], {"labels": labels}), {".png"})
        assert (seen.labels, seen.class_names) == (found, names)
        assert note in seen.note.replace("ffhq/", "")


def test_a_list_of_another_kind_leaves_the_folders(tmp_path):
    seen = classes.listing(tree([*SHARDS, "dataset.json"], {"name": "birds"}), {".png"})
    assert seen.class_names == ("00000", "00001")
    assert "left out" in seen.note
    for content, message in ((b"{", "not JSON"), (b'{"labels": [3]}', "should be a list")):
        place = folder(tmp_path / "x", {"a/1.png": png(0), "b/1.png": png(0), "dataset.json": content})
        with pytest.raises(UserError, match=rf"dataset\.json.*{message}|labels in dataset\.json {message}"):
            data.load(place)


def test_a_zip_of_stylegan(tmp_path):
    members = {name: png(100 * (i % 2)) for i, name in enumerate(SHARDS)}
    labels = [[name, 5 * (i % 2)] for i, name in enumerate(SHARDS)]
    loaded = data.load(zipped(tmp_path / "x.zip", {**members, "dataset.json": json.dumps({"labels": labels}).encode()}))
    assert "3 images 4x4x1, 2 classes: 0, 5; labels of dataset.json" in loaded.description
    source = loaded.table("image").source
    assert [int(source[i]["image"].max()) for i in range(3)] == [100 * int(source[i]["label"]) for i in range(3)]


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_backslashes_part_folders(tmp_path, form):
    """In a zip of Windows, and in the files that a careless unpacker makes of it."""
    members = {"pets\\cat\\1.png": png(0), "pets\\dog\\1.png": png(9), "pets\\dog\\": b""}
    if form == "folder":
        place = folder(tmp_path / "x", {name: content for name, content in members.items() if content})
    else:
        place = zipped(tmp_path / "x.zip", members)
    loaded = data.load(place, needs=NEEDS)
    assert loaded.spec["label"].names == ("cat", "dog")
    assert loaded.table("image").source[1]["image"].max() == 9


@pytest.mark.parametrize("names", [("1.png", "1.png"), ("a/1.png", "a\\1.png"), ("./1.png", "1.png")])
def test_a_zip_with_a_name_twice(tmp_path, names):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the module, which writes it none the less
        for name in names:
            archive.writestr(name, png(9))
    with pytest.raises(UserError, match=r"holds 1 names more than once: .*1\.png"):
        data.load(str(path))


def test_many_classes_are_counted(tmp_path):
    members = {f"c{c}/a.png": png(99 + c) for c in range(13)}
    assert data.load(folder(tmp_path / "x", members)).description.endswith(
        "13 classes: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 3 more"
    )
