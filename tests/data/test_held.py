"""Oracle: a held-out row is no row to train on; the golden rows were printed by this code, to notice a change."""

import numpy as np
import pytest

from jaxgan import data, fields
from jaxgan.data.source import Data, Table
from jaxgan.errors import UserError

GOLDEN = [9.0, 10.0, 17.0, 19.0]
SOME = [2, 7, 14, 17]


class Lazy:
    """Rows that are decoded anew at every access."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return self.rows

    def __getitem__(self, index):
        return {"a": np.float32(index)}


def held(lazy):
    spec = {"a": fields.Field("number")}
    whole = data.of_arrays({"a": np.arange(20, dtype=np.float32)}, spec)
    if lazy:
        whole = Data((Table(Lazy(20), spec),), "lazy", "", "")
    return [data.resident(part, spec)[0]["a"] for part in data.hold_out(whole, 4)]


@pytest.mark.parametrize("lazy", [False, True])
def test_rows_are_split_and_stay_the_same(lazy):
    kept, out = held(lazy)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, out])), np.arange(20))
    assert out.tolist() == GOLDEN


@pytest.mark.parametrize("labels", [np.arange(1000) // 500, np.arange(1000) % 10, np.arange(1000) // 999])
@pytest.mark.parametrize("most", [100, 25, 20])
def test_some_rows_stand_for_all(labels, most):
    """Sorted classes and classes in turn alike: of the latter every k-th may be one class only."""
    rows = data.some_rows(1000, most)
    assert len(set(rows.tolist())) == most
    assert (np.diff(rows) > 0).all()
    shares = np.bincount(labels[rows], minlength=10) / most
    np.testing.assert_allclose(shares, np.bincount(labels, minlength=10) / 1000, atol=0.16)


def test_some_rows_stay_the_same():
    assert data.some_rows(20, 4).tolist() == SOME
    np.testing.assert_array_equal(data.some_rows(5, 9), np.arange(5))
    whole = data.of_arrays({"a": np.arange(20, dtype=np.float32)}, {"a": fields.Field("number")})
    assert data.resident(data.some(whole, 4), whole.spec)[0]["a"].tolist() == SOME
    assert data.some(whole, 20).tables == whole.tables


def test_none_held_out_is_the_whole_set(fashion):
    assert data.hold_out(fashion, 0) == (fashion, fashion)


@pytest.mark.parametrize("count", [-1, 20, 21])
def test_something_must_be_left(count):
    whole = data.of_arrays({"a": np.arange(20, dtype=np.float32)}, {"a": fields.Field("number")})
    with pytest.raises(UserError, match=rf"--hold-out takes 0 to 19 of the 20 examples of arrays, got {count}"):
        data.hold_out(whole, count)
