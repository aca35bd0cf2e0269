"""Oracle: vocabularies and numbers written out by hand from the docstrings' rules."""

import json

import numpy as np
import pytest
from PIL import Image

from jaxgan import data, fields
from jaxgan.data.readers import text
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

NEEDS = Needs({"image": "image", "tokens": "tokens", "label": "label?"})
CAPTIONS = {"1.png": "A red cat, a red hat.", "2.png": "The dog's red!"}
VOCABULARY = ("", "?", "red", "a", "cat", "dog's", "hat", "the")
TOKENS = [[3, 2, 4, 3, 2, 6], [7, 5, 2, 0, 0, 0]]


def save(root, names=("1.png", "2.png")):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 5), "red").save(root / name)


def beside(root):
    for name, caption in CAPTIONS.items():
        (root / name).with_suffix(".txt").write_text(f"{caption}\nanother caption\n")


def tabs(root):
    (root / "captions.txt").write_text("".join(f"{name}\t{caption}\n" for name, caption in CAPTIONS.items()))


def commas(root):
    lines = [f'{name},"{caption}"\n' for name, caption in CAPTIONS.items()]
    (root / "captions.csv").write_text("image,caption\n" + "".join(lines) + "1,not the first one\n")


def plain(root):
    (root / "captions.txt").write_text("".join(f"{name},{caption}\n\n" for name, caption in CAPTIONS.items()))


def lines(root):
    rows = [json.dumps({"file_name": name, "text": caption}) for name, caption in CAPTIONS.items()]
    (root / "captions.jsonl").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("write", [beside, tabs, commas, plain, lines])
def test_captions(tmp_path, write):
    save(tmp_path)
    write(tmp_path)
    loaded = data.load(str(tmp_path), needs=NEEDS)
    assert loaded.spec == {"image": fields.image(5, 4, 3), "tokens": Field("tokens", (6,), VOCABULARY)}
    (arrays,) = data.resident(loaded, loaded.spec)
    np.testing.assert_array_equal(arrays["tokens"], TOKENS)
    assert arrays["image"].shape == (2, 5, 4, 3)


def test_captions_and_labels(tmp_path):
    save(tmp_path, ("x/1.png", "y/2.png"))
    tabs(tmp_path)
    loaded = data.load(str(tmp_path), needs=NEEDS)
    assert loaded.spec["label"].names == ("x", "y")
    assert [loaded.tables[0].source[i]["label"] for i in (0, 1)] == [0, 1]


def test_captions_that_may_be_missing(tmp_path):
    save(tmp_path)
    needs = Needs({"image": "image", "tokens": "tokens?"})
    assert set(data.load(str(tmp_path), needs=needs).spec) == {"image"}
    beside(tmp_path)
    assert set(data.load(str(tmp_path), needs=needs).spec) == {"image", "tokens"}


def test_long_captions_are_cut_and_rare_words_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "WORDS", 4)
    save(tmp_path, ["1.png"])
    (tmp_path / "1.txt").write_text("b a c " * 20)
    loaded = data.load(str(tmp_path), needs=NEEDS)
    assert loaded.spec["tokens"] == Field("tokens", (32,), ("", "?", "a", "b"))
    assert "captions cut to 32 of up to 60 words" in loaded.description
    np.testing.assert_array_equal(loaded.tables[0].source[0]["tokens"], np.tile([3, 2, 1], 11)[:32])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("1.txt", "a cat", r"1 of 2 images have no caption \(x.txt beside x.jpg, or captions.txt.*\): 2.png"),
        ("captions.txt", "1.png\ta\n2.png\t \n", "1 of 2 images have no caption .*: 2.png"),
        ("captions.txt", "1.png\ta\n3.png\tb\n4.png\tc\n", "captions.txt in .*: 2 lines name no image: 3.png, 4.png"),
        ("captions.txt", "1.png\ta\n2.png\n", "line 2 of captions.txt should be a name and a caption, got '2.png'"),
        ("captions.jsonl", '{"file_name": "1.png"}\n', "each line of captions.jsonl should be like .* got"),
        ("captions.jsonl", "hello\n", "each line of captions.jsonl should be like .* got 'hello'"),
        ("captions.jsonl", "[1]\n", "each line of captions.jsonl should be like"),
    ],
)
def test_captions_that_cannot_be_used_are_one_sentence(tmp_path, name, content, message):
    save(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        data.load(str(tmp_path), needs=NEEDS)


def test_no_images(tmp_path):
    (tmp_path / "captions.txt").write_text("a\tb\n")
    with pytest.raises(UserError, match="holds no images"):
        data.load(str(tmp_path), needs=NEEDS)
