"""Many examples in what `--out` names. Oracle: the files, read back by independent readers."""

import wave
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.fields import Field, image, label
from jaxgan.show import sets, sheets
from jaxgan.show.sets import Labels, check_out, slug, write_set
from tests.show.cases import FIELDS, batch

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 60, 60, 3), dtype=np.uint8)
SPEC = {"image": image(60, 60, 3)}


def batches(arrays):
    """In two parts, with a field that nobody asked for."""
    for part in (slice(0, 3), slice(3, None)):
        yield {**{name: array[part] for name, array in arrays.items()}, "other": np.zeros(9)}


def write(out, spec, arrays, **options):
    write_set(out, spec, batches(arrays), **options)
    return sorted(path.name for path in out.parent.rglob("*") if path.is_file())


def names(path):
    return sorted(each.name for each in path.iterdir())


@pytest.mark.parametrize("name", ["x.npz", "x.NPZ"])
@pytest.mark.parametrize("labels", [None, Labels(lambda i: i % 3)])
def test_npz_of_images(tmp_path, labels, name):
    assert write(tmp_path / "new" / name, SPEC, {"image": IMAGES}, labels=labels) == [name]
    with np.load(tmp_path / "new" / name) as content:
        np.testing.assert_array_equal(content["images"], IMAGES)
        assert sorted(content) == (["images", "labels"] if labels else ["images"])
        assert not labels or (content["labels"].dtype, content["labels"].tolist()) == (np.int32, [0, 1, 2, 0, 1])


def test_npz_of_any_fields(tmp_path):
    arrays = {kind: batch(field, 4) for kind, field in FIELDS.items()}
    write(tmp_path / "x.npz", FIELDS, arrays, labels=Labels(lambda i: 9))
    with np.load(tmp_path / "x.npz") as content:
        assert set(content) == set(FIELDS)
        for name, array in arrays.items():
            assert content[name].dtype == array.dtype
            np.testing.assert_array_equal(content[name], array)
    write(tmp_path / "y.npz", {"wave": FIELDS["wave"]}, arrays, labels=Labels(lambda i: i))
    with np.load(tmp_path / "y.npz") as content:
        assert sorted(content) == ["label", "wave"]
        assert content["label"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "columns"),
    [({}, 2), ({"labels": Labels(lambda i: i % 5)}, 5), ({"labels": Labels(lambda i: 3)}, 2), ({"columns": 4}, 4)],
)
def test_a_grid(tmp_path, options, columns):
    assert write(tmp_path / "x.png", SPEC, {"image": IMAGES}, **options) == ["x.png"]
    with Image.open(tmp_path / "x.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), sheets.grid(IMAGES, columns))


def test_a_sheet(tmp_path):
    spec = {"image": SPEC["image"], "label": label(("cat", "dog"))}
    arrays = {"image": IMAGES, "label": np.arange(5, dtype=np.int32) % 2}
    write(tmp_path / "x.png", spec, arrays)
    with Image.open(tmp_path / "x.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture)[-62:-2, 2:62], IMAGES[4])
        np.testing.assert_array_equal(np.asarray(picture), sheets.compare({"": (spec, arrays)}))


def test_a_folder(tmp_path):
    assert write(tmp_path / "x", SPEC, {"image": IMAGES}) == [f"00000{i}.png" for i in range(5)]
    write(tmp_path / "y", SPEC, {"image": IMAGES}, labels=Labels(lambda i: i))
    assert names(tmp_path / "y") == [f"00000{i}-{i}.png" for i in range(5)]
    with Image.open(tmp_path / "y" / "000004-4.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), IMAGES[4])


def test_a_folder_of_several_fields_has_a_folder_for_each(tmp_path):
    arrays = {kind: batch(field, 4) for kind, field in FIELDS.items()}
    write(tmp_path / "x", FIELDS, arrays)
    assert names(tmp_path / "x") == sorted(FIELDS)
    endings = {kind: {path.suffix for path in (tmp_path / "x" / kind).iterdir()} for kind in FIELDS}
    assert endings["wave"] == {".wav"}
    assert endings["tokens"] == {".txt"}
    assert names(tmp_path / "x" / "voxels") == [f"00000{i}.npy" for i in range(4)]
    np.testing.assert_array_equal(np.load(tmp_path / "x" / "voxels" / "000003.npy"), arrays["voxels"][3])


@pytest.mark.parametrize("name", ["x", "x.wav"])
def test_files_are_written_batch_by_batch(tmp_path, name):
    spec, waves = {"wave": FIELDS["wave"]}, batch(FIELDS["wave"], 5)

    def made():
        yield {"wave": waves[:2]}
        yield {"wave": waves[2:4]}
        assert len(list(tmp_path.rglob("*.wav"))) == 4  # the first are out before the next are made
        yield {"wave": waves[4:]}

    write_set(tmp_path / name, spec, made())
    assert len(list(tmp_path.rglob("*.wav"))) == 5


def test_classes_are_named_in_files(tmp_path):
    """As a file system can take them; an array of numbers has the names beside."""
    labels = Labels(lambda i: i, ("T-shirt", "a/b: c", "..", "日本", "x" * 99))
    write(tmp_path / "x", SPEC, {"image": IMAGES}, labels=labels)
    words = ["T-shirt", "a_b_c", "2", "日本", "x" * 40]
    assert names(tmp_path / "x") == [f"00000{i}-{word}.png" for i, word in enumerate(words)]
    write(tmp_path / "y.npz", SPEC, {"image": IMAGES}, labels=labels)
    with np.load(tmp_path / "y.npz") as content:
        assert tuple(content["label_names"]) == labels.names
        assert content["labels"].tolist() == [0, 1, 2, 3, 4]
    assert slug("../../etc/passwd") == "etc_passwd"


def test_a_series(tmp_path):
    spec, waves = {"wave": FIELDS["wave"]}, batch(FIELDS["wave"], 4)
    assert write(tmp_path / "a" / "x.wav", spec, {"wave": waves}) == [f"x-00000{i}.wav" for i in range(4)]
    assert write(tmp_path / "b" / "x.wav", spec, {"wave": waves[:1]}) == ["x.wav"]
    assert write(tmp_path / "c" / "x.WAV", spec, {"wave": waves[:2]}, labels=Labels(lambda i: 7 + i)) == [
        "x-000000-7.WAV",
        "x-000001-8.WAV",
    ]
    for path, expected in (("a/x-000003.wav", waves[3]), ("b/x.wav", waves[0]), ("c/x-000001-8.WAV", waves[1])):
        with wave.open(str(tmp_path / path)) as sound:
            np.testing.assert_array_equal(np.frombuffer(sound.readframes(800), "<i2"), expected)


@pytest.mark.parametrize("ending", [".glb", ".obj", ".stl"])
def test_meshes_of_the_one_field_of_voxels(tmp_path, ending):
    voxels = np.zeros((2, 8, 8, 8), np.uint8)
    voxels[0, 2:5, 2:5, 2:5] = voxels[1, 1:7, 1:7, 1:7] = 255
    spec = {"shape": Field("voxels", (8, 8, 8)), "label": label(("a",))}
    write_set(tmp_path / f"x{ending}", spec, [{"shape": voxels, "label": np.zeros(2, np.int32)}])
    sides = [trimesh.load(tmp_path / f"x-00000{i}{ending}", force="mesh").extents * 8 for i in range(2)]
    np.testing.assert_allclose(sides, [[3, 3, 3], [6, 6, 6]], atol=1e-5)


def test_gif_and_txt(tmp_path):
    arrays = {"video": batch(FIELDS["video"], 1), "tokens": np.array([[1, 2, 3, 0], [3, 0, 0, 0]], np.int32)}
    write_set(tmp_path / "x.gif", {"video": FIELDS["video"]}, [arrays])
    with Image.open(tmp_path / "x.gif") as picture:
        np.testing.assert_array_equal(np.asarray(picture.convert("L")), arrays["video"][0, 0, ..., 0])
    write_set(tmp_path / "x.txt", {"tokens": FIELDS["tokens"]}, [arrays])
    assert (tmp_path / "x.txt").read_text() == "a small bird\nbird\n"


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for name in ("x.png", "x.npz", "x"):
        with pytest.raises(UserError, match=r"--out .* cannot be written: (Not a directory|File exists)"):
            write_set(tmp_path / "file" / name, SPEC, [{"image": IMAGES}])
    with pytest.raises(UserError, match=r"--out .* cannot be written"):
        write_set(tmp_path / "file" / "x.wav", {"wave": FIELDS["wave"]}, [{"wave": batch(FIELDS["wave"], 1)}])
    (tmp_path / "x.png").mkdir()
    with pytest.raises(UserError, match=r"x\.png cannot be written"):
        write_set(tmp_path / "x.png", SPEC, [{"image": IMAGES}])
    assert names(tmp_path) == ["file", "x.png"]  # and nothing half written


def test_too_little_memory_is_one_sentence(tmp_path):
    def made():
        yield {"image": IMAGES}
        raise MemoryError

    with pytest.raises(UserError, match="needs more memory than there is; make fewer images, or a folder"):
        write_set(tmp_path / "x.npz", SPEC, made())


def test_more_than_can_be_held_is_refused():
    with pytest.raises(UserError, match=f"--n must be at most {2**31 - 64}, got 99999999999"):
        check_out(None, SPEC, 99999999999)
    small, limit = {"image": image(8, 8, 1)}, (4 << 30) // 64
    for name in ("x.png", "x.NPZ"):
        check_out(Path(name), small, limit)
        with pytest.raises(UserError, match=r"makes 4 GiB of images and .* takes up to 4 GiB; give --out a folder"):
            check_out(Path(name), small, limit + 1)
    check_out(Path("folder"), small, limit + 1)
    # of small vectors the tiles take most
    points = {"vector": Field("vector", (2,)), "label": label(())}
    check_out(Path("x.npz"), points, 10**6)
    with pytest.raises(UserError, match=r"GiB of examples and a \.png file"):
        check_out(Path("x.png"), points, 10**6)
    check_out(Path("x.png"), {"image": image(None, None, 3)}, 10)


@pytest.mark.parametrize("name", ["x.jpg", "x.JPEG", "x.gif", "x.webp", "x.npy", "x.zip", "x.tiff", "x.bmp", "x.glb"])
def test_other_files_are_refused(tmp_path, name):
    sentence = r"--out takes a \.png file, a \.npz file or a folder, got .*x\."
    with pytest.raises(UserError, match=sentence):
        check_out(Path(name), SPEC, 1)
    with pytest.raises(UserError, match=sentence):
        write_set(tmp_path / name, SPEC, [{"image": IMAGES}])
    check_out(Path("runs.v2"), SPEC, 1)  # a folder may have a dot


def test_files_of_a_kind_are_offered():
    with pytest.raises(UserError, match=r"takes a \.png file, a \.npz file, a \.wav file or a folder, got x\.mp3"):
        check_out(Path("x.mp3"), {"wave": FIELDS["wave"]}, 1)
    two = {"a": FIELDS["wave"], "b": FIELDS["wave"]}
    with pytest.raises(UserError, match=r"takes a \.png file, a \.npz file or a folder, got x\.wav"):
        check_out(Path("x.wav"), two, 1)  # which of the two?
    check_out(Path("x.wav"), {"a": FIELDS["wave"]}, 1)


def test_a_missing_library_is_told_before_anything_is_made(monkeypatch):
    def missing():
        raise UserError("extra")

    monkeypatch.setattr(sets.meshes, "libraries", missing)
    check_out(Path("x"), {"voxels": FIELDS["voxels"]}, 1)
    with pytest.raises(UserError, match="extra"):
        check_out(Path("x.glb"), {"voxels": FIELDS["voxels"]}, 1)


def test_a_folder_with_files_is_refused(tmp_path):
    check_out(tmp_path, SPEC, 1)
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match=r"takes a file, or a new or empty folder, but .* has files"):
        check_out(tmp_path, SPEC, 1)
