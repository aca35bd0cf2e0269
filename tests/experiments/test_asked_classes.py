import asked_classes
import numpy as np
import pytest

from jaxgan.errors import UserError


# Oracle: by hand.
def test_shares_of_what_was_asked_for():
    asked, seen = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 0, 5, 1, 1, 0])
    share, by_class = asked_classes.shares(asked, seen)
    assert share == 3 / 6
    np.testing.assert_allclose(by_class, [2 / 3, 1, 0] + [np.nan] * 7)
    assert asked_classes.line("x", asked, seen).startswith("x: 0.500 of 6 as asked; by class 0.67 1.00 0.00 nan")


# Oracle: the labels of the data, of which the classifier knows more than nine in ten (and at chance one).
def test_real_clothes_are_mostly_seen_as_labelled(fashion):
    (table,) = asked_classes.data.resident(fashion, fashion.spec)
    rows = slice(0, 500)
    share, _ = asked_classes.shares(table["label"][rows], asked_classes.seen(table["image"][rows]))
    assert share > 0.9


def test_a_run_that_is_told_no_classes_is_refused(monkeypatch):
    class Told:
        class system:  # noqa: N801
            verbs = {}  # noqa: RUF012

    monkeypatch.setattr(asked_classes.jaxgan, "load", lambda _run: Told)
    with pytest.raises(UserError, match="runs/x is not told the ten classes of clothes"):
        asked_classes.samples("runs/x", 10, 0)
