"""Finding, checking, fetching and converting weights; random ones stand for the published."""

import functools
import hashlib
import http.server
import os
import threading

import jax
import numpy as np
import pytest
import safetensors.numpy

from jaxgan.errors import UserError
from jaxgan.metrics.inception import published, weights, weights_file
from jaxgan.metrics.inception.net import NET_2015
from jaxgan.metrics.inception.params import random_state
from jaxgan.metrics.inception.published import INCEPTION_2015, INCEPTION_TORCHVISION, WeightsNotFound
from jaxgan.weights.download import cache_folder, download
from tests.weights.test_pth import archive, name, storage, tensor, text

NAME = INCEPTION_2015.names[0]
CONVERTED = NAME.replace(".pth", ".safetensors")


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    for variable in ("JAXGAN_INCEPTION_WEIGHTS", "JAXGAN_CACHE", "TORCH_HOME", "JAXGAN_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def state():
    return random_state(NET_2015, 1)


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    """A file of PyTorch with all weights, of whatever content."""
    path = tmp_path_factory.mktemp("weights") / "any.pth"
    path.write_bytes(torch_file(state))
    return path


def torch_file(state):
    entries = b"".join(text(key) + entry(key, array) for key, array in state.items())
    program = b"\x80\x02" + name("collections", "OrderedDict") + b")R(" + entries + b"u."
    return archive(program, {key: array.tobytes() for key, array in state.items()})


def entry(key, array):
    strides = tuple(step // array.itemsize for step in array.strides)
    return tensor(storage(key=key, length=array.size), shape=array.shape, strides=strides)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address, and the folder, of a server on this machine."""
    folder = tmp_path_factory.mktemp("served")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}", folder
        served.shutdown()


@pytest.fixture
def publish(file, server, monkeypatch):
    """Make that file the published one."""
    address, folder = server
    if not (folder / file.name).exists():
        (folder / file.name).symlink_to(file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    urls = (f"{address}/nowhere", f"{address}/{file.name}")
    fake = INCEPTION_2015._replace(sha256=sha256, size=file.stat().st_size, urls=urls)
    monkeypatch.setattr(weights, "INCEPTION_2015", fake)
    for module in (published, weights, weights_file):
        monkeypatch.setattr(module, "ALL", (fake, INCEPTION_TORCHVISION))
    return fake


def place(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# Where


def test_places_are_searched_in_the_documented_order(tmp_path, monkeypatch):
    torch_home = place(tmp_path / "cache/torch/hub/checkpoints" / INCEPTION_2015.names[1])
    assert published.find(INCEPTION_2015) == torch_home
    moved = place(tmp_path / "torch/hub/checkpoints" / NAME)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert published.find(INCEPTION_2015) == moved
    own = place(tmp_path / "cache/jaxgan/weights" / NAME)
    assert published.find(INCEPTION_2015) == own
    converted = place(own.with_name(CONVERTED))
    assert published.find(INCEPTION_2015) == converted
    elsewhere = place(tmp_path / "own/weights" / NAME)
    monkeypatch.setenv("JAXGAN_CACHE", str(tmp_path / "own"))
    assert published.find(INCEPTION_2015) == elsewhere
    named = place(tmp_path / "a.pth")
    monkeypatch.setenv("JAXGAN_INCEPTION_WEIGHTS", str(named))
    assert published.find(INCEPTION_2015) == named
    assert published.find(INCEPTION_2015, str(moved)) == moved
    assert published.find(INCEPTION_TORCHVISION) is None  # the variable is not about those


def test_the_users_cache_folder_is_in_the_home(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("weights") == tmp_path / ".cache/jaxgan/weights"
    assert published.torch_folder() == tmp_path / ".cache/torch/hub/checkpoints"


def test_a_named_file_that_is_none_is_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"missing\.pth does not exist\.$"):
        weights.load_inception(tmp_path / "missing.pth")
    with pytest.raises(UserError, match="is a folder, not a file of weights"):
        weights.load_inception(tmp_path)
    monkeypatch.setenv("JAXGAN_INCEPTION_WEIGHTS", str(tmp_path / "gone.pth"))
    with pytest.raises(UserError, match=r"^JAXGAN_INCEPTION_WEIGHTS=.*gone\.pth does not exist\.$"):
        weights.load_inception()


def test_what_is_missing_is_said_with_all_that_one_needs(tmp_path):
    with pytest.raises(WeightsNotFound) as caught:
        weights.load_inception()
    message = str(caught.value)
    assert isinstance(caught.value, UserError)
    for part in (NAME, "95,628,359 bytes", INCEPTION_2015.sha256, *INCEPTION_2015.urls, "$JAXGAN_INCEPTION_WEIGHTS"):
        assert part in message
    for path in published.candidates(INCEPTION_2015):
        assert str(path) in message
    assert f"cp {NAME} {tmp_path}/cache/jaxgan/weights/" in message
    with pytest.raises(WeightsNotFound, match="let torchvision fetch it"):
        weights.load_torchvision_inception()


# What


def test_published_weights_give_the_extractor_of_fid(file, publish, state):
    extractor = weights.load_inception(file, resize="clean")
    assert extractor[:4] == ("inception-2015", publish.sha256, "clean", "float32")
    kernel = extractor.params["params"]["Mixed_6b"]["branch7x7_2"]["conv"]["kernel"]
    assert np.array_equal(kernel, state["Mixed_6b.branch7x7_2.conv.weight"].transpose(2, 3, 1, 0))
    var = extractor.params["batch_stats"]["Mixed_6b"]["branch7x7_2"]["bn"]["var"]
    assert np.array_equal(var, state["Mixed_6b.branch7x7_2.bn.running_var"])
    assert len(jax.tree.leaves(extractor.params)) == len(state)


def test_other_content_under_the_right_name_is_refused_unread(tmp_path, monkeypatch):
    path = place(tmp_path / "cache/jaxgan/weights" / NAME, b"PK\x03\x04 something else")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(weights_file, "read_pth", lambda *_: pytest.fail("was parsed"))
    with pytest.raises(UserError) as caught:
        weights.load_inception()
    for part in (str(path), sha256, INCEPTION_2015.sha256, "not Inception v3 of 2015"):
        assert part in str(caught.value)


def test_unverified_weights_get_another_name(file):
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=f"its SHA-256 is {sha256} and should be {INCEPTION_2015.sha256}"):
        weights.load_inception(file)
    extractor = weights.load_inception(file, allow_unverified=True)
    assert extractor[:2] == (f"inception-v3?sha256={sha256[:8]}", sha256)


def test_the_other_network_is_called_by_its_name(file, publish):
    with pytest.raises(UserError, match="is Inception v3 of 2015, not torchvision's Inception v3"):
        weights.load_torchvision_inception(file)
    with pytest.raises(UserError, match="does not hold Inception v3 with 1000 classes"):
        weights.load_torchvision_inception(file, allow_unverified=True)


def test_unverified_files_that_are_broken_are_refused(tmp_path):
    path = place(tmp_path / "a.pth", b"PK\x03\x04")
    with pytest.raises(UserError, match=r"a\.pth cannot be read as weights of PyTorch"):
        weights.load_inception(path, allow_unverified=True)
    place(path, b"\x10\0\0\0\0\0\0\0{broken")
    with pytest.raises(UserError, match=r"a\.pth cannot be read as safetensors"):
        weights.load_inception(path, allow_unverified=True)


# Converted


def test_a_converted_file_is_the_same_weights(file, publish, state):
    target = cache_folder("weights") / CONVERTED
    line = weights_file.convert(file, target)
    assert line.startswith(f"wrote {target}: Inception v3 of 2015, source {publish.sha256[:8]}, 95,")
    assert [path.name for path in target.parent.iterdir()] == [CONVERTED]
    found = weights_file.read_weights(target, publish)
    assert found.sha256 == publish.sha256
    assert found.state.keys() == state.keys()
    assert all(np.array_equal(found.state[key], array) for key, array in state.items())
    assert weights.load_inception()[:2] == ("inception-2015", publish.sha256)
    assert f"{target}" in [row.place for row in weights.status() if row.found.startswith("Inception v3 of 2015 (")]
    damaged = bytearray(target.read_bytes())
    damaged[-1] ^= 1
    target.write_bytes(damaged)
    with pytest.raises(UserError, match="is damaged: its content has the SHA-256"):
        weights.load_inception()


def test_only_known_weights_are_converted(file, tmp_path):
    with pytest.raises(UserError, match="not Inception v3 of 2015"):
        weights_file.convert(file, tmp_path / "a.safetensors")
    assert not (tmp_path / "a.safetensors").exists()
    weights_file.convert(file, tmp_path / "a.safetensors", allow_unverified=True)
    found = weights_file.read_weights(tmp_path / "a.safetensors", INCEPTION_2015, allow_unverified=True)
    assert found.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(UserError, match="cannot be written"):
        weights_file._write(file / "a.safetensors", b"")


def test_safetensors_of_others_count_as_unverified(tmp_path):
    path = place(tmp_path / "a.safetensors", safetensors.numpy.save({"fc.bias": np.zeros(1008, np.float32)}))
    with pytest.raises(UserError, match="not Inception v3 of 2015"):
        weights.load_inception(path)
    with pytest.raises(UserError, match="does not hold Inception v3 with 1008 classes"):
        weights.load_inception(path, allow_unverified=True)


def test_the_content_hash_is_of_names_shapes_dtypes_and_numbers():
    """Oracle: the definition, by hand."""
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(2, dtype=np.int64)
    definition = b'[["a", "float32", [2, 3]], ["b", "int64", [2]]]' + a.tobytes() + b.tobytes()
    expected = hashlib.sha256(definition).hexdigest()
    assert weights_file.content_sha256({"b": b, "a": a}) == expected
    assert weights_file.content_sha256({"b": b, "a": np.asfortranarray(a)}) == expected
    others = [{"b": b, "a": a.T}, {"b": b, "c": a}, {"b": b, "a": a + 1}, {"b": b.astype("u8"), "a": a}]
    assert len({expected, *map(weights_file.content_sha256, others)}) == 5


# Fetched


def test_a_download_tries_the_next_place_and_leaves_only_the_file(publish, tmp_path, capsys):
    extractor = weights.load_inception(download=True)
    assert extractor[:2] == ("inception-2015", publish.sha256)
    folder = tmp_path / "cache/jaxgan/weights"
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert not capsys.readouterr().out  # the bar is on the error stream
    assert weights.load_inception().weights == publish.sha256


def test_wrong_bytes_are_not_kept(server, tmp_path):
    address, served = server
    place(served / "a", b"abc")
    place(served / "b", bytes(5 * 2**20))
    urls = (f"{address}/a", f"{address}/b", f"{address}/none", "http://127.0.0.1:9/closed")
    with pytest.raises(UserError, match=r"^these weights could not be downloaded \(.*\)\.$") as caught:
        download("these weights", urls, "0" * 64, tmp_path / "folder" / "x.pth")
    assert list((tmp_path / "folder").iterdir()) == []
    for part in (
        *urls,
        hashlib.sha256(b"abc").hexdigest(),
        "expected sha256:000",
        "404",
        "/closed: [Errno 111] Connection refused).",
    ):
        assert part in str(caught.value)


def test_a_cache_that_cannot_be_written_is_said(server, tmp_path):
    (tmp_path / "file").touch()
    place(server[1] / "a", b"abc")
    with pytest.raises(UserError, match=r"file/folder cannot be written: Not a directory\.$"):
        download("x", (f"{server[0]}/a",), hashlib.sha256(b"abc").hexdigest(), tmp_path / "file" / "folder" / "x.pth")


def test_offline_forbids_the_download(publish, monkeypatch):
    monkeypatch.setenv("JAXGAN_OFFLINE", "1")
    monkeypatch.setattr(weights, "download", lambda *_: pytest.fail("was called"))
    with pytest.raises(WeightsNotFound, match="JAXGAN_OFFLINE=1 forbids to download them"):
        weights.load_inception(download=True)
    assert weights.status()[-1] == ("download", "forbidden by JAXGAN_OFFLINE=1")


def test_fetching(publish, tmp_path):
    path = tmp_path / "cache/jaxgan/weights" / NAME
    place, found = weights.fetch()
    assert place == str(path)
    assert found.startswith("Inception v3 of 2015 (")
    assert path.stat().st_size == publish.size


def test_nothing_is_fetched_unasked(publish, monkeypatch):
    monkeypatch.setattr(weights, "download", lambda *_: pytest.fail("was called"))
    with pytest.raises(WeightsNotFound):
        weights.load_inception()


def test_status_says_what_lies_where(tmp_path, monkeypatch):
    path = place(tmp_path / "cache/torch/hub/checkpoints" / NAME, b"other")
    rows = weights.status()
    assert rows[0] == ("$JAXGAN_INCEPTION_WEIGHTS", "not set")
    found = dict(rows)
    assert found[str(path)] == f"another file, of SHA-256 {hashlib.sha256(b'other').hexdigest()}"
    assert list(found.values()).count("nothing") == len(found) - 3
    monkeypatch.setenv("JAXGAN_INCEPTION_WEIGHTS", os.devnull + "x")
    assert weights.status()[0] == ("$JAXGAN_INCEPTION_WEIGHTS", "nothing")
