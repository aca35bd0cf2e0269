"""The fills that need no training. Oracles: harmonic functions, and the definitions by hand."""

import holes_filled
import numpy as np
import pytest

from jaxgan.errors import UserError

HOLE = np.zeros((9, 7), bool)
HOLE[2:6, 1:5] = True


# Oracle: a plane, and x^2 - y^2, satisfy the discrete Laplace equation.
def test_harmonic_functions_are_filled_exactly():
    rows, columns = np.mgrid[:9, :7].astype(float)
    for x in (3 * rows - 2 * columns + 1, rows**2 - columns**2):
        np.testing.assert_allclose(holes_filled.harmonic(np.where(HOLE, 50, x), HOLE), x, atol=1e-9)


# Oracle: a cubic satisfies the discrete biharmonic equation where the hole is two pixels from the border, and is no
# harmonic function.
def test_biharmonic_functions_are_filled_exactly():
    rows, columns = np.mgrid[:9, :9].astype(float)
    hole = np.zeros((9, 9), bool)
    hole[3:6, 2:6] = True
    x = rows**3 - 2 * columns**2 * rows + columns
    np.testing.assert_allclose(holes_filled.biharmonic(np.where(hole, 50, x), hole), x, atol=1e-8)
    assert np.abs(holes_filled.harmonic(x, hole) - x).max() > 1


# Oracle: no flow through the border: what is known is one number, and so is the hole.
def test_a_hole_at_the_border():
    hole = np.zeros((5, 6), bool)
    hole[:, 3:] = True
    np.testing.assert_allclose(holes_filled.harmonic(np.where(hole, 9.0, 4.0), hole), np.full((5, 6), 4.0))


def test_numbers_are_of_the_hole_alone():
    truth = np.full((1, 9, 7, 1), 100, np.uint8)
    made = truth.copy()
    made[0, HOLE] = 151
    made[0, 0, 0] = 0
    said = holes_filled.line("x", made, truth, HOLE[None])
    assert "L1 in the hole 0.2000, PSNR 13.98 dB, known numbers changed 1" in said
    truth[0, HOLE] = 7
    filled = holes_filled.each(holes_filled.mean_fill)(truth, HOLE[None])
    assert (filled == 100).all()


def test_a_run_of_another_kind_is_refused(monkeypatch):
    class Run:
        system = type("System", (), {"verbs": {"sample": None}})

    monkeypatch.setattr(holes_filled.jaxgan, "load", lambda run: Run())
    with pytest.raises(UserError, match=r"runs/x fills no holes; holes_filled\.py takes runs"):
        holes_filled.fill("runs/x", {"image": np.zeros((1, 8, 8, 1), np.uint8)}, 0)
