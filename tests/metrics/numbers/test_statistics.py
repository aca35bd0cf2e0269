"""Statistics on disk. Oracle: NumPy's own reading and writing, as pytorch-fid, clean-fid and TTUR do it."""

import pickle

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers import statistics
from jaxgan.metrics.numbers.gaussian import gaussian
from tests.metrics.feature_sets import golden

REAL = golden().real
ABOUT = {
    "extractor": "rows",
    "weights_sha256": "ab",
    "resize": "none",
    "prepared": "",
    "tap": "features",
    "precision": "float32",
}


def test_round_trip_and_readable_by_others(tmp_path):
    path = tmp_path / "new" / "x.npz"
    statistics.write(path, gaussian(REAL), {**ABOUT, "reference": "cd"}, ddof=1)
    found = statistics.read(path)
    np.testing.assert_array_equal(found.gaussian.covariance, gaussian(REAL).covariance)
    assert found.gaussian.n == 1000
    assert found.about == {**ABOUT, "reference": "cd"}
    with np.load(path) as others:
        np.testing.assert_allclose(others["mu"], REAL.mean(0), rtol=1e-5)
        np.testing.assert_allclose(others["sigma"], np.cov(REAL.T), rtol=1e-4, atol=1e-6)
    assert [each.name for each in path.parent.iterdir()] == ["x.npz"]
    assert statistics.is_statistics(path)


def test_files_of_others(tmp_path):
    np.savez(tmp_path / "theirs.npz", mu=REAL.mean(0), sigma=np.cov(REAL.T))
    found = statistics.read(tmp_path / "theirs.npz")
    assert found.about == {}
    assert (found.gaussian.n, found.ddof) == (0, 1)


def test_a_file_that_says_half_of_it_says_nothing(tmp_path):
    np.savez(tmp_path / "x.npz", mu=REAL.mean(0), sigma=np.cov(REAL.T), extractor="inception-2015")
    assert statistics.read(tmp_path / "x.npz").about == {}


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "x.npz").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        statistics.write(tmp_path / "x.npz", gaussian(REAL), ABOUT)
    assert [each.name for each in tmp_path.iterdir()] == ["x.npz"]


def test_images_are_no_statistics(tmp_path):
    np.savez(tmp_path / "images.npz", images=np.zeros((2, 4, 4), np.uint8))
    (tmp_path / "text.npz").write_text("no zip")
    for name in ("images.npz", "text.npz", "nothing.npz"):
        assert not statistics.is_statistics(tmp_path / name)


class Trap:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"mu": np.zeros(3)}, "sigma"),
        ({"mu": np.zeros(3), "sigma": np.eye(4)}, r"'mu' of shape \[3\] and 'sigma' of \[4, 4\]"),
        ({"mu": np.zeros(3), "sigma": np.full((3, 3), np.nan)}, "not finite"),
        ({"mu": np.asarray(["a", "b"]), "sigma": np.eye(2)}, "plain numbers"),
        ({"mu": np.zeros(2), "sigma": np.eye(2) * 1j}, "plain numbers"),
        ({"mu": np.asarray([Trap()], dtype=object), "sigma": np.eye(1)}, "plain numbers"),
        ({"mu": np.zeros(0), "sigma": np.zeros((0, 0))}, "'mu' of shape"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "n": -3}, "of -3 images"),
    ],
)
def test_broken_files_are_one_sentence_and_run_nothing(tmp_path, arrays, words, capsys):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=words):
        statistics.read(tmp_path / "x.npz")
    assert capsys.readouterr().out == ""


def test_truncated_file(tmp_path):
    path = tmp_path / "x.npz"
    statistics.write(path, gaussian(REAL), ABOUT)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match=r"x\.npz"):
        statistics.read(path)
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError, match=r"x\.npz"):
        statistics.read(path)
