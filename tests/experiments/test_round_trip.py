import numpy as np
import pytest
import round_trip
from coupled_pairs import columns
from round_trip import Set

from jaxgan.errors import UserError
from jaxgan.made.outlines import chalk


class Run:
    """Makes drawings without lines, and clothes of them."""

    def __init__(self, verbs):
        self.system = self
        self.verbs = verbs

    def translate(self, pictures, verb):
        return {"a": 3 * (pictures // 3), "b": pictures // 3} if verb[0] == "a" else {"a": 3 * pictures, "b": pictures}


# Oracle: the bundled classifier names 94 % of the clothes right; drawings without lines are the clothes in the dark.
def test_a_run_that_only_darkens_keeps_the_class_and_the_picture(fashion, monkeypatch, capsys):
    clothes = columns(fashion)
    pictures, classes = clothes["image"][:200], clothes["label"][:200]
    pictures = 3 * (pictures // 3)  # so that nothing is lost
    held = {"a": Set(pictures, classes), "b": Set(pictures // 3, classes)}
    monkeypatch.setattr(round_trip, "held_out", lambda: held)
    monkeypatch.setattr(round_trip.jaxgan, "load", lambda run: Run(("a2b2a", "b2a2b")))
    right = (round_trip.seen(pictures) == classes).mean()
    assert right > 0.9
    round_trip.main(["runs/x"])
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"held out: of their class a {right:.3f}, b undone {right:.3f}"
    assert f"a2b {right:.3f}, a2b2a {right:.3f}, b2a {right:.3f}; a2b2a keeps 1.000" in second
    assert third.startswith("runs/x: L1 a2b2a 0.0000 +- 0.0000 (the mean picture 0.2")
    monkeypatch.setattr(round_trip.jaxgan, "load", lambda run: Run(("sample",)))
    with pytest.raises(UserError, match="runs/x makes no way there and back"):
        round_trip.travelled("runs/x", held)


# Oracle: the pictures themselves: a class belongs to the clothes, or to those whose drawing is there.
def test_the_classes_are_those_of_what_is_held_out(fashion):
    clothes, held = columns(fashion), round_trip.held_out()
    half = len(clothes["image"]) // 2
    for name, drawn, rows in (("a", lambda x: x, slice(0, half)), ("b", chalk, slice(half, None))):
        found = {
            picture.tobytes(): each for picture, each in zip(drawn(clothes["image"][rows]), clothes["label"][rows])
        }
        assert [found[picture.tobytes()] for picture in held[name].pictures] == held[name].classes.tolist()
        assert len(held[name].classes) == 500


# Oracle: by hand.
def test_differences():
    before = np.zeros((2, 1, 2, 1), np.uint8)
    after = np.array([[[[51], [0]]], [[[51], [102]]]], np.uint8)
    np.testing.assert_allclose(round_trip.l1(before, after), [0.1, 0.3])
    assert "a2b2a 0.2000 +- 0.1000 (the mean picture 0.0000)" in round_trip.differences("x", {"a2b2a": (before, after)})


# Oracle: by hand; a line of one pixel across even cloth, and black ground that stays black.
def test_lines_are_filled():
    drawing = np.zeros((1, 8, 8, 1), np.uint8)
    drawing[0, 2:, 2:] = 60
    clothes = 3 * drawing
    drawing[0, 2:, 5] = 255
    np.testing.assert_array_equal(round_trip.undone(Set(drawing, np.zeros(1, np.int32))).pictures, clothes)
