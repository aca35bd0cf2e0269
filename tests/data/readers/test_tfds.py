"""Oracle for the bundled set: its IDX files, read here with numpy alone."""

import gzip
import json
import sys
from importlib import resources

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data import builder, encoded
from jaxgan.data.readers import features, tfds
from jaxgan.data.settings import Settings
from jaxgan.errors import UserError

NAME = "fashion_mnist_10k"


def bundled(name, skip):
    path = resources.files("jaxgan") / "data/bundled/fashion_mnist" / name
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8)[skip:]


@pytest.fixture
def small(monkeypatch):
    """The bundled set cut to 30 images, so that preparing it takes no time."""
    whole = builder._bundled
    monkeypatch.setattr(builder, "_bundled", lambda name, rank: whole(name, rank)[:30])


def test_bundled_set_is_the_published_one_in_its_order(fashion):
    (arrays,) = data.resident(fashion, fashion.spec)
    np.testing.assert_array_equal(arrays["image"].ravel(), bundled("t10k-images-idx3-ubyte.gz", 16))
    np.testing.assert_array_equal(arrays["label"], bundled("t10k-labels-idx1-ubyte.gz", 8))
    assert arrays["label"].dtype == np.int32
    assert fashion.spec["label"].names == builder.CLASSES
    assert fashion.description == "fashion_mnist_10k: 10,000 images 28x28x1, 10 classes: " + ", ".join(builder.CLASSES)
    assert data.nbytes(fashion) == 10_000 * (28 * 28 + 4)
    assert data.nbytes(fashion, ["image"]) == 10_000 * 28 * 28
    assert (
        (resources.files("jaxgan") / "data/bundled/fashion_mnist/LICENSE")
        .read_text()
        .startswith("Fashion-MNIST: MIT License")
    )


def test_it_is_prepared_as_array_record_where_told_without_tensorflow(prepared, fashion):
    assert list((prepared / NAME / "1.0.0").glob("*.array_record*"))
    assert "tensorflow" not in sys.modules


def test_fingerprint_is_the_same_on_every_machine(fashion):
    # Made by this code; independent of Python, NumPy and the compression of the prepared files.
    assert fashion.fingerprint == "dafd2cc019e0cf43969319cc74d4cf8f00b29ef73c0688668421eb34ef09173a"


def test_sizes_and_splits(prepared):
    loaded = data.load(f"{NAME}[train[:50]]", image_size=32, resize="pad", channels=3, data_dir=prepared)
    assert loaded.spec["image"].shape == (32, 32, 3)
    assert loaded.description.startswith(
        "fashion_mnist_10k[train[:50]]: 50 images 32x32x3, 10 classes: T-shirt, trousers"
    )
    assert loaded.description.endswith("ankle boot; 28x28 scaled and padded to 32x32")


def test_a_large_set_is_decoded_on_demand_and_known_by_its_version(prepared, fashion, monkeypatch):
    monkeypatch.setattr(encoded, "IN_MEMORY_BYTES", 0)
    lazy, again = (data.load(NAME, data_dir=prepared) for _ in range(2))
    part = data.load(f"{NAME}[train[:50]]", data_dir=prepared)
    assert isinstance(lazy.table("image").source, encoded.Encoded)
    assert lazy.fingerprint == again.fingerprint != part.fingerprint
    assert lazy.fingerprint != fashion.fingerprint  # not of the pixels: none was read
    streamed, kept = (next(data.stream(one, one.spec, 16, 0)) for one in (lazy, fashion))
    for key in kept:
        np.testing.assert_array_equal(streamed[key], kept[key])


def test_preparing_prints_nothing(small, tmp_path, capfd, caplog):
    data.load(NAME, data_dir=tmp_path)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_the_environment_names_the_folder(small, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    data.load(NAME)
    assert (tmp_path / "tfds" / NAME).is_dir()
    assert not (tmp_path / "home").exists()


def test_two_processes_may_prepare_at_once(small, tmp_path, monkeypatch):
    """While one is generating, another starts and finishes: the first one's rename finds the folder taken."""
    generate, others = builder.FashionMnist10k._generate_examples, []

    def interrupted(self):
        if not others:
            others.append(1)
            others.append(data.load(NAME, data_dir=tmp_path))
        yield from generate(self)

    monkeypatch.setattr(builder.FashionMnist10k, "_generate_examples", interrupted)
    assert data.load(NAME, data_dir=tmp_path).fingerprint == others[1].fingerprint


def test_a_killed_preparation_does_no_harm(small, tmp_path):
    leftover = tmp_path / NAME / "incomplete.ABCDEF_1.0.0"
    leftover.mkdir(parents=True)
    (leftover / "fashion_mnist_10k-train.array_record-00000-of-00001").write_bytes(b"half")
    assert len(data.load(NAME, data_dir=tmp_path).table("image").source) == 30


def test_an_emptied_folder_is_named(tmp_path):
    (tmp_path / NAME / "1.0.0").mkdir(parents=True)
    with pytest.raises(UserError, match="incomplete; delete it"):
        data.load(NAME, data_dir=tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be prepared in .*file.*--data-dir"):
        data.load(NAME, data_dir=tmp_path / "file")


def test_records_that_need_tensorflow(small, tmp_path):
    data.load(NAME, data_dir=tmp_path)
    info = tmp_path / NAME / "1.0.0" / "dataset_info.json"
    info.write_text(json.dumps(json.loads(info.read_text()) | {"fileFormat": "tfrecord"}))
    with pytest.raises(UserError, match="tfrecord"):
        data.load(NAME, data_dir=tmp_path)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mnits", "did you mean mnist"),
        ("fashion_mnist_10", "fashion_mnist_10k"),
        ("qwertyuiop", "neither a file or folder here nor a TFDS data set.$"),
        ("mnist/nosuch", "BuilderConfig nosuch not found"),
        ("mnist:9.9.9", "cannot be loaded at version 9.9.9"),
        ("mnist[train", r"NAME\[SPLIT\]"),
        ("my photos", r"no file or folder here"),
        ("fashion_mnist_10k[test]", "Unknown split 'test'"),
    ],
)
def test_wrong_names(prepared, spec, message):
    with pytest.raises(UserError, match=message) as caught:
        data.load(spec, data_dir=prepared)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mnist", "cifar10", "celeb_a"])
def test_without_tensorflow_the_extra_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setattr(tfds.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"extra 'tensorflow' \(pip install '\.\[tensorflow\]'"):
        data.load(name, data_dir=tmp_path)


def test_without_network_the_host_is_named_at_once(tmp_path, monkeypatch):
    def refuse(address, timeout):
        raise OSError

    monkeypatch.setattr(tfds.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(tfds.urllib.request, "getproxies", dict)
    monkeypatch.setattr(tfds.socket, "create_connection", refuse)
    with pytest.raises(
        UserError, match=r"mnist has to be downloaded first, and storage\.googleapis\.com cannot be reached"
    ):
        data.load("mnist", data_dir=tmp_path)


def test_sets_without_images():
    import tensorflow_datasets as tfds

    with pytest.raises(UserError, match="without 8-bit images"):
        features.choose(tfds.builder("ag_news_subset").info.features, fields.IMAGES, "news")


def test_features_are_found_by_kind():
    import tensorflow_datasets as tfds

    found = tfds.features.FeaturesDict(
        {
            "file": tfds.features.Text(),
            "mask": tfds.features.LabeledImage(labels=2, shape=(None, None, 1)),
            "photo": tfds.features.Image(),
            "kind": tfds.features.ClassLabel(num_classes=3),
        }
    )
    assert features.first(found, tfds.features.Image) == "photo"
    assert features.first(found, tfds.features.ClassLabel) == "kind"


class Records(list):
    """Stands for an opened TFDS source of three records."""


def test_a_missing_label_is_an_error():
    chosen = {"label": features.Feature("label", "label", (), ("a", "b"))}
    images = features.encoded(Records([{"image": b"", "label": -1}]), chosen, {})
    with pytest.raises(UserError, match="no label"):
        images.read(0)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("mnist", ("mnist", "train")),
        ("a/b:1.0.0[test]", ("a/b:1.0.0", "test")),
        ("mnist[train[:50%]+test]", ("mnist", "train[:50%]+test")),
    ],
)
def test_parse(spec, expected):
    assert tfds.parse(spec) == expected
    assert Settings().size is None


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    """Four photographs, their segmentation and a class, in a data dir."""
    import io

    import tensorflow_datasets as tfds
    from PIL import Image

    def png(array):
        file = io.BytesIO()
        Image.fromarray(array).save(file, "PNG")
        return io.BytesIO(file.getvalue())

    class JaxganStreets(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        pkg_dir_path = None

        def _info(self):
            content = {
                "photo": tfds.features.Image(shape=(4, 6, 3), encoding_format="png"),
                "parts": tfds.features.LabeledImage(labels=3, shape=(4, 6, 1), encoding_format="png"),
                "kind": tfds.features.ClassLabel(names=["a", "b"]),
                "words": tfds.features.Text(),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(content))

        def _split_generators(self, manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for row in range(4):
                photo = np.full((4, 6, 3), row, np.uint8)
                parts = np.full((4, 6), row % 3, np.uint8)
                yield row, {"photo": png(photo), "parts": png(parts), "kind": row % 2, "words": "w"}

    directory = tmp_path_factory.mktemp("streets")
    JaxganStreets(data_dir=directory).download_and_prepare(file_format="array_record")
    return directory


def test_features_by_name(streets):
    needs = fields.Needs({"photo": "image", "parts": "label_map", "label": "label?"})
    loaded = data.load("jaxgan_streets", needs=needs, data_dir=streets)
    assert loaded.spec == {
        "photo": fields.image(4, 6, 3),
        "parts": fields.Field("label_map", (4, 6), ("0", "1", "2")),
        "label": fields.label(("a", "b")),
    }
    (arrays,) = data.resident(loaded, loaded.spec)
    rows = arrays["photo"][:, 0, 0, 0]  # TFDS shuffles
    assert sorted(rows) == [0, 1, 2, 3]
    np.testing.assert_array_equal(arrays["parts"], np.broadcast_to((rows % 3)[:, None, None], (4, 4, 6)))
    np.testing.assert_array_equal(arrays["label"], rows % 2)
    whole = data.load("jaxgan_streets", data_dir=streets)  # the first image and the first class
    assert set(whole.spec) == {"image", "label"}


@pytest.mark.parametrize("held", [2**31, 0])
def test_classes_that_a_part_lacks_are_no_classes(prepared, monkeypatch, held):
    """Oracle: the labels in the bundled file; its first five are 9, 2, 1, 1, 6."""
    monkeypatch.setattr(encoded, "IN_MEMORY_BYTES", held)
    monkeypatch.setattr(features, "PART", 2)
    loaded = data.load(f"{NAME}[train[:5]]", data_dir=prepared)
    assert loaded.spec["label"].names == tuple(builder.CLASSES[number] for number in (1, 2, 6, 9))
    assert "no label is T-shirt" in loaded.description
    labels = [int(loaded.table("label").source[row]["label"]) for row in range(5)]
    assert labels == [3, 1, 0, 0, 2]
    alone = data.load(f"{NAME}[train[2:4]]", data_dir=prepared)  # both trousers
    assert set(alone.spec) == {"image"}


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"words": "tokens"}, "its feature words is text, which is not read from TFDS"),
        (
            {"photo": "label"},
            r"has no feature that is photo \(label\); it has photo \(Image\), parts \(LabeledImage\)",
        ),
        ({"source": "image", "photo": "image"}, r"has no feature that is source \(image\)"),
        ({"voxels": "voxels"}, r"has no feature that is voxels \(voxels\)"),
    ],
)
def test_features_that_are_not_there(streets, needs, message):
    with pytest.raises(UserError, match=message):
        data.load("jaxgan_streets", needs=fields.Needs(needs), data_dir=streets)
