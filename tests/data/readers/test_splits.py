"""Folders that are splits. Oracle: the rules of the docstrings by example."""

from pathlib import PurePosixPath

import pytest
from PIL import Image

from jaxgan import data
from jaxgan.data.readers import files, splits
from jaxgan.errors import UserError


def chosen(paths, split=None):
    tree = files.Tree("set", tuple(map(PurePosixPath, paths.split())), lambda path: None)
    found, note = splits.chosen(tree, split, {".png"})
    return " ".join(map(str, found.paths)), note


@pytest.mark.parametrize(
    ("paths", "kept", "note"),
    [
        ("train/a/1.png train/b/1.png val/a/1.png", "train/a/1.png train/b/1.png", "split train (left out: val 1)"),
        ("x/train/1.png x/test/1.png x/test/2.png", "x/train/1.png", "split train (left out: test 2)"),
        ("Training/1.png Testing/1.png", "Training/1.png", "split Training (left out: Testing 1)"),
        ("train2017/1.png val2017/1.png", "train2017/1.png", "split train2017 (left out: val2017 1)"),
        ("training_set/1.png test_set/1.png", "training_set/1.png", "split training_set (left out: test_set 1)"),
        ("seg_train/1.png seg_test/1.png seg_pred/1.png", "seg_train/1.png", "split seg_train (left out: seg_pred 1"),
        ("train/1.png dev/1.png eval/1.png", "train/1.png", "split train (left out: dev 1, eval 1)"),
        ("train/1.png hold-out/1.png", "train/1.png", "split train (left out: hold-out 1)"),
        ("train/1.png val/1.png demo.png", "train/1.png", "split train (left out: outside of them 1, val 1)"),
        ("train/1.png val/1.png demo/1.png", "train/1.png", "outside"),
        ("train/1.png val/1.png names.txt val/x.json", "train/1.png names.txt", "split train (left out: val 1)"),
        ("cat/train/1.png cat/test/1.png dog/train/1.png", "cat/train/1.png dog/train/1.png", "(left out: test 1)"),
    ],
)
def test_train_is_taken(paths, kept, note):
    found, said = chosen(paths)
    assert found == kept
    assert note in said or note == "outside"


@pytest.mark.parametrize(
    "paths",
    [
        "train/1.png car/1.png bus/1.png",  # a vehicle
        "train/1.png train/2.png",
        "a/1.png b/1.png",
        "trainA/1.png trainB/1.png testA/1.png",  # sets apart know these
        "tr/1.png te/1.png en/1.png",  # languages
        "cat/train/1.png dog/test/1.png",
        "a/val/1.png a/x/1.png b/train/1.png",
        "1.png 2.png",
    ],
)
def test_these_are_no_splits(paths):
    assert chosen(paths) == (paths, "")
    with pytest.raises(UserError, match="has no splits"):
        chosen(paths, "val")


@pytest.mark.parametrize(
    ("split", "kept"),
    [
        ("val", "valid/1.png"),
        ("VALID", "valid/1.png"),
        ("dev", "valid/1.png"),
        ("train+val", "train/1.png valid/1.png"),
        ("all", "train/1.png valid/1.png test/1.png"),
    ],
)
def test_others_are_named(split, kept):
    assert chosen("train/1.png valid/1.png test/1.png", split)[0] == kept


def test_what_cannot_be_chosen():
    with pytest.raises(UserError, match=r"has the splits test, train, valid, or all; got 'x'"):
        chosen("train/1.png valid/1.png test/1.png", "x")
    with pytest.raises(UserError, match=r"no split train, among test, val; .* --data 'set\[test\]'"):
        chosen("val/1.png test/1.png")
    with pytest.raises(UserError, match="several splits to train on"):
        chosen("train/1.png training/1.png val/1.png")


def test_labels_come_from_the_level_below(tmp_path):
    for name in ("train/cat", "train/dog", "val/cat", "val/dog", "val/emu"):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.new("L", (4, 4), 99 if "val" in name else 40).save(tmp_path / "set" / name / "1.png")
    loaded = data.load(f"{tmp_path}/set")
    assert loaded.description.endswith("set: 2 images 4x4x1, 2 classes: cat, dog; split train (left out: val 3)")
    held = data.load(f"{tmp_path}/set[val]")
    assert held.spec["label"].names == ("cat", "dog", "emu")
    assert held.table("image").source[0]["image"].max() == 99
    assert data.load(f"{tmp_path}/set[all]").size == 5
