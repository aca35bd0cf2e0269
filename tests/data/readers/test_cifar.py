"""CIFAR as it is downloaded. Oracle: files of the published formats, written here; the python ones by protocol 2."""

import io
import pickle
import tarfile

import numpy as np
import pytest

from jaxgan import data
from jaxgan.data.readers import cifar
from jaxgan.errors import UserError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 3072), dtype=np.uint8)
NAMES = ["airplane", "automobile", "bird"]


def python_files(hundred):
    """Ten rows to train on and two to test on."""
    labels = "fine_labels" if hundred else "labels"

    def part(rows, text):
        held = {"data": PIXELS[rows], labels: [i % 3 for i in range(12)][rows]}
        return pickle.dumps(held if text else {key.encode(): value for key, value in held.items()}, protocol=2)

    if hundred:
        meta = pickle.dumps({b"fine_label_names": [name.encode() for name in NAMES]}, protocol=2)
        return {"train": part(slice(0, 10), False), "test": part(slice(10, 12), True), "meta": meta}
    batches = {f"data_batch_{i + 1}": part(slice(2 * i, 2 * i + 2), i % 2 == 0) for i in range(5)}
    meta = pickle.dumps({"label_names": NAMES}, protocol=2)
    return {**batches, "test_batch": part(slice(10, 12), False), "batches.meta": meta}


def binary_files(hundred):
    def part(rows):
        labels = np.arange(12, dtype=np.uint8)[:, None] % 3
        ahead = [np.full((12, 1), 9, np.uint8), labels] if hundred else [labels]
        return np.concatenate([*ahead, PIXELS], 1)[rows].tobytes()

    names = "\n".join(NAMES).encode() + b"\n\n"
    if hundred:
        return {"train.bin": part(slice(0, 10)), "test.bin": part(slice(10, 12)), "fine_label_names.txt": names}
    batches = {f"data_batch_{i + 1}.bin": part(slice(2 * i, 2 * i + 2)) for i in range(5)}
    return {**batches, "test_batch.bin": part(slice(10, 12)), "batches.meta.txt": names}


def place(tmp_path, members, form):
    if form == "folder":
        for name, content in members.items():
            (tmp_path / name).write_bytes(content)
        return str(tmp_path)
    with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(tmp_path / "cifar.tar.gz")


@pytest.mark.parametrize("form", ["folder", "tar"])
@pytest.mark.parametrize("hundred", [False, True])
@pytest.mark.parametrize("make", [python_files, binary_files])
def test_all_versions(tmp_path, make, hundred, form):
    spec = place(tmp_path, make(hundred), form)
    loaded, test = data.load(spec), data.load(f"{spec}[test]")
    images = PIXELS.reshape(12, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(loaded.table("image").source.arrays["image"], images[:10])
    np.testing.assert_array_equal(test.table("image").source.arrays["image"], images[10:])
    assert loaded.table("label").source.arrays["label"].tolist() == [i % 3 for i in range(10)]
    assert loaded.spec["label"].names == tuple(NAMES)
    assert "classes: airplane, automobile, bird; CIFAR-1" in loaded.description
    assert data.load(f"{spec}[all]").size == 12


@pytest.mark.parametrize(
    "strange",
    [b"cos\nsystem\n(S'touch pwned'\ntR.", b"cbuiltins\neval\n(S'1'\ntR.", b"cnumpy\nload\n(S'x'\ntR.", b"\x80"],
)
def test_nothing_is_executed(tmp_path, strange, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"data_batch_3 is not a file of CIFAR that can be read"):
        data.load(place(tmp_path, {**python_files(False), "data_batch_3": strange}, "folder"))
    assert not (tmp_path / "pwned").exists()


def test_what_is_missing_or_damaged(tmp_path):
    members = binary_files(False)
    with pytest.raises(UserError, match=r"data_batch_2\.bin is cut short"):
        data.load(place(tmp_path, {**members, "data_batch_2.bin": b"x" * 99}, "folder"))
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(UserError, match=r"lacks test_batch\.bin"):
        data.load(f"{tmp_path}[test]")
    with pytest.raises(UserError, match=r"splits train, test, or all; got 'val'"):
        data.load(f"{tmp_path}[val]")
    (tmp_path / "x.tar.gz").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"not a \.tar\.gz"):
        data.load(f"{tmp_path}/x.tar.gz")
    with pytest.raises(UserError, match="of which CIFAR"):
        data.load(place(tmp_path, {"a.png": b""}, "tar"))


def test_arrays_of_objects_are_refused():
    with pytest.raises(pickle.UnpicklingError, match="asks for"):
        cifar.Reader(io.BytesIO(pickle.dumps(np.array([print], object), protocol=2)), encoding="bytes").load()
