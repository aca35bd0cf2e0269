"""What verbs are given where nobody says. Oracle: rows of the data, and classes counted by hand."""

import numpy as np
import pytest

from jaxgan import fields
from jaxgan.data import of_arrays
from jaxgan.errors import UserError
from jaxgan.game import Verb
from jaxgan.show import given as givens

LABEL, CODE = fields.label(("a", "b", "c")), fields.code(2)
VECTOR = fields.Field("vector", (1,))


def data(n=7):
    arrays = {"label": np.arange(n, dtype=np.int32) % 3, "vector": np.arange(n, dtype=np.float32)[:, None]}
    return of_arrays(arrays, {"label": LABEL, "vector": VECTOR}, "toy")


def verb(**given):
    return Verb(lambda state, given, keys: {}, {}, given)


def listed(batch):
    return {name: values.ravel().tolist() for name, values in batch.items()}


def test_classes_and_codes_in_turn():
    given = givens.in_turn({"label": LABEL, "code": CODE})
    assert listed(given(0, 4)) == {"label": [0, 1, 2, 0], "code": [0, 1, 0, 1]}
    assert listed(given(64, 3)) == {"label": [1, 2, 0], "code": [0, 1, 0]}
    assert {values.dtype for values in given(0, 1).values()} == {np.dtype(np.int32)}


def test_nothing_is_given_to_verbs_that_take_nothing():
    assert givens.nothing(3, 4) == {}
    for make in (givens.for_pictures, givens.for_measuring):
        assert make(verb(), data())(0, 3) == {}


def test_what_a_user_gives_is_the_same_for_all_and_goes_before():
    chosen = givens.the_same({"label": np.array(2, np.int32)})
    given = givens.together(givens.in_turn({"label": LABEL, "code": CODE}), chosen)
    assert listed(given(5, 3)) == {"label": [2, 2, 2], "code": [1, 0, 1]}


def test_rows_of_the_data_belong_together_and_begin_again():
    given = givens.for_pictures(verb(label=LABEL, vector=VECTOR), data())
    assert listed(given(5, 4)) == {"label": [2, 0, 0, 1], "vector": [5, 6, 0, 1]}


def test_pictures_go_through_classes_and_measurements_follow_the_data():
    uneven = of_arrays({"label": np.repeat(np.array([2, 0], np.int32), [1, 9])}, {"label": LABEL}, "uneven")
    assert givens.for_pictures(verb(label=LABEL), uneven)(0, 4)["label"].tolist() == [0, 1, 2, 0]
    measured = givens.for_measuring(verb(label=LABEL), uneven)(0, 20)["label"]
    assert np.bincount(measured).tolist() == [18, 0, 2]


def test_a_measurement_takes_every_row_once_in_an_order_by_chance():
    given = givens.for_measuring(verb(label=LABEL, vector=VECTOR, code=CODE), data(100))
    rows = given(0, 100)
    order = rows["vector"].ravel()
    assert sorted(order) == list(range(100))
    assert (order != np.arange(100)).sum() > 80
    np.testing.assert_array_equal(rows["label"], order.astype(int) % 3)  # still of the same row
    np.testing.assert_array_equal(rows["code"], np.arange(100) % 2)
    np.testing.assert_array_equal(given(30, 5)["vector"].ravel(), order[30:35])  # however it is cut


def test_unpaired_sets_have_an_order_each():
    one, other = data(4), data(6)
    tables = (one.tables[0]._replace(spec={"label": LABEL}), other.tables[0]._replace(spec={"vector": VECTOR}))
    given = givens.for_pictures(verb(label=LABEL, vector=VECTOR), one._replace(tables=tables))
    assert listed(given(3, 3)) == {"label": [0, 0, 1], "vector": [3, 4, 5]}


def test_what_the_data_lack_is_one_sentence():
    with pytest.raises(UserError, match="this verb is given words, which toy does not have"):
        givens.for_pictures(verb(words=fields.Field("tokens", (3,), ("", "a"))), data())


@pytest.mark.parametrize(
    ("given", "count"),
    [({"label": LABEL}, 3), ({"code": CODE}, 2), ({}, 0), ({"label": LABEL, "code": CODE}, 0), ({"vector": VECTOR}, 0)],
)
def test_columns_of_a_grid(given, count):
    assert givens.choices(verb(**given)) == count
