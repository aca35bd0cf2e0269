"""The rules. Oracle: numbers made by hand on both sides of every threshold."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from jaxgan.game import Duel
from jaxgan.recipes.common.cures import CURES
from jaxgan.train.monitor import rules, samples
from jaxgan.train.monitor.episodes import QUIET
from jaxgan.train.monitor.findings import Finding
from jaxgan.train.monitor.rules import BLOCK, RECENT, WINDOW

HEALTHY = {
    "d/loss": 0.9,
    "g/loss": 1.5,
    "d/grad_norm": 5.0,
    "g/grad_norm": 4.0,
    "d_real": 0.7,
    "d_fake": 0.3,
    "accuracy_real": 0.75,
    "accuracy_fake": 0.85,
    "margin": 2.0,
    "value": -0.9,
}
USUAL = {"d/grad_norm": 5.0, "g/grad_norm": 4.0}
ONE = (Duel(),)
PERFECT = {"accuracy_real": 0.99, "accuracy_fake": 1.0}


def kinds(blocks, usual=USUAL, largest=USUAL, duels=ONE):
    return [finding.kind for finding in rules.look(blocks, usual, largest, duels)]


def blocks(n=RECENT, **changes):
    return [{**HEALTHY, **changes}] * n


def test_nothing_is_said_of_health():
    assert kinds(blocks(WINDOW)) == []
    assert kinds(blocks(WINDOW), {}, {}) == []
    assert kinds([]) == []


def test_a_block_is_a_mean_and_of_gradients_a_median():
    rows = [{"d/loss": float(i), "d/grad_norm": 1.0 if i else 1e9, "x": 0.0} for i in range(BLOCK)]
    rows[3].pop("x")
    assert rules.condense(rows) == {"d/loss": 7.5, "d/grad_norm": 1.0}


def test_usual_and_largest_norms():
    norms = [1.0, 2.0, 3.0, 4.0, 50.0, 6.0, 7.0, 8.0]
    many = [{"g/grad_norm": norm, "g/loss": 0.0} for norm in norms]
    assert rules.usual_norms(many) == {"g/grad_norm": 5.0}
    assert rules.usual_norms(many[1:]) == {}  # too few to be usual
    assert rules.largest_norms(many, {}) == {"g/grad_norm": 7.5}  # of the last four; one peak does not count
    assert rules.largest_norms(many, {"g/grad_norm": 9.0}) == {"g/grad_norm": 9.0}
    assert rules.largest_norms(many[:3], {}) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({**PERFECT, "g/grad_norm": 0.19}, ["strong_discriminator"]),  # below 5 % of 4
        ({**PERFECT, "g/grad_norm": 0.21}, []),  # a perfect discriminator is no harm while the generator learns
        ({"accuracy_real": 0.97, "accuracy_fake": 1.0, "g/grad_norm": 0.19}, []),
        ({**PERFECT, "d/grad_norm": 500.0}, ["strong_discriminator"]),  # below 1 % of D's
        ({**PERFECT, "g/loss": -0.01, "d_fake": 0.01}, ["strong_discriminator"]),  # log(1 - D(G(z))) is flat there
        ({**PERFECT, "g/loss": -0.01, "d_fake": 0.03}, []),
        ({**PERFECT, "g/loss": 9.0, "d_fake": 0.001}, []),  # not saturating: the slope is one
        ({**PERFECT, "g/grad_norm": 0.0, "d/grad_norm": 0.0}, ["strong_discriminator"]),
        ({"d/grad_norm": 0.004, "g/grad_norm": 0.5}, ["vanishing"]),
        ({"d/grad_norm": 0.006, "g/grad_norm": 0.5}, []),
        ({"g/grad_norm": 0.003, "accuracy_real": 0.5, "accuracy_fake": 0.5}, ["gradient_ratio"]),  # at rest: not said
        ({"margin": -1001.0}, ["exploding"]),
        ({"margin": 999.0}, []),
        ({"value": -5.1}, ["exploding"]),
        ({"value": -4.9}, []),
        ({"value": -5.1, "d/loss": -3.0}, ["exploding"]),  # whatever the loss: nothing is guessed from a sign
        ({"d/grad_norm": 501.0}, ["exploding"]),
        ({"d/grad_norm": 499.0}, []),
        ({"g/grad_norm": 4900.0, "d/grad_norm": 4.8}, ["exploding", "gradient_ratio"]),
        ({"g/grad_norm": 300.0, "d/grad_norm": 0.2}, ["gradient_ratio"]),
        ({"g/grad_norm": 300.0, "d/grad_norm": 0.4}, []),
        ({"accuracy_real": 0.39, "accuracy_fake": 0.4}, ["weak_discriminator"]),
        ({"accuracy_real": 0.1, "accuracy_fake": 0.8}, []),
        ({"accuracy_real": 0.5, "accuracy_fake": 0.5}, []),  # the solution of the game
    ],
    ids=str,
)
def test_thresholds(changes, expected):
    assert kinds(blocks(**changes)) == expected
    assert kinds([*blocks(), *blocks(1, **changes)]) == []  # one block is not enough
    for finding in rules.look(blocks(**changes), USUAL, USUAL):
        assert finding.sentence(CURES).startswith(f"{finding.seen}; what usually helps: ")
        assert all(math.isfinite(value) for value in finding.numbers.values())


DISTANCE = (Duel(critic="distance"),)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"value": -5.1}, []),  # its logits are no log-odds
        ({**PERFECT, "g/grad_norm": 0.19}, []),  # and it is meant to be as good as it can be
        ({**PERFECT, "g/loss": -0.01, "d_fake": 0.01}, []),
        ({"margin": 1001.0}, ["exploding"]),
        ({"d/grad_norm": 0.004, "g/grad_norm": 0.5}, ["vanishing"]),
        ({"accuracy_real": 0.39, "accuracy_fake": 0.4}, ["weak_discriminator"]),
    ],
    ids=str,
)
def test_a_critic_that_measures_a_distance(changes, expected):
    assert kinds(blocks(**changes), duels=DISTANCE) == expected


BOARD = ("d_real", "d_fake", "accuracy_real", "accuracy_fake", "margin", "value")


def of_two(ab=HEALTHY, ba=HEALTHY):
    """Blocks of a system in which two makers play two judges, each game on its own board."""
    rows = {}
    for prefix, maker, judge, numbers in (("ab/", "ab", "b_judge", ab), ("ba/", "ba", "a_judge", ba)):
        numbers = {**HEALTHY, **numbers}
        rows |= {prefix + name: numbers[name] for name in BOARD}
        for name in ("loss", "grad_norm"):
            rows |= {f"{maker}/{name}": numbers[f"g/{name}"], f"{judge}/{name}": numbers[f"d/{name}"]}
    return [rows] * RECENT


TWO = (Duel("ab", "b_judge", "ab/"), Duel("ba", "a_judge", "ba/"))
USUAL_OF_TWO = {"ab/grad_norm": 4.0, "ba/grad_norm": 4.0, "a_judge/grad_norm": 5.0, "b_judge/grad_norm": 5.0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({**PERFECT, "g/grad_norm": 0.19}, "strong_discriminator"),
        ({"d/grad_norm": 0.004, "g/grad_norm": 0.5}, "vanishing"),
        ({"margin": 1001.0}, "exploding"),
        ({"value": -5.1}, "exploding"),
        ({"d/grad_norm": 501.0}, "exploding"),
        ({"g/grad_norm": 300.0, "d/grad_norm": 0.2}, "gradient_ratio"),
        ({"accuracy_real": 0.39, "accuracy_fake": 0.4}, "weak_discriminator"),
    ],
    ids=str,
)
def test_each_of_two_duels_is_watched_on_its_own_board(changes, expected):
    assert kinds(of_two(), USUAL_OF_TWO, USUAL_OF_TWO, TWO) == []
    for side in ("ab", "ba"):
        rows = of_two(**{side: changes})
        assert kinds(rows, USUAL_OF_TWO, USUAL_OF_TWO, TWO) == [expected]
        other = tuple(duel for duel in TWO if duel.maker != side)
        if "d/grad_norm" not in changes or expected == "gradient_ratio":  # whose gradient explodes plays no duel there
            assert kinds(rows, USUAL_OF_TWO, USUAL_OF_TWO, other) == []
    both = rules.look(of_two(changes, changes), USUAL_OF_TWO, USUAL_OF_TWO, TWO)
    assert [finding.kind for finding in both] == [expected]  # one sentence of a kind is enough


def test_players_of_several_duels_are_called_by_their_names():
    (finding,) = rules.look(of_two(ba={"d/grad_norm": 501.0}), USUAL_OF_TWO, USUAL_OF_TWO, TWO)
    assert finding.seen.startswith("the gradient of a_judge explodes: its norm is 501")


def test_without_a_duel_gradients_and_losses_are_watched():
    """A system of one player, or of several that do not play against each other."""
    bad = {**PERFECT, "margin": 1e6, "value": -9.0, "g/grad_norm": 1e-9}
    assert kinds(blocks(**bad), duels=()) == []
    assert kinds(blocks(**{"d/grad_norm": 501.0}), duels=()) == ["exploding"]
    swings = [{"model/loss": row["d/loss"]} for row in curve(lambda t: 0.05 * np.exp(t / 8))]
    assert kinds(swings, {}, {}, ()) == ["oscillation"]
    assert kinds(swings, {}, {}) == []  # negative control: the losses that a duel names are others


def test_a_small_gradient_does_not_explode():
    small = {"d/grad_norm": 0.01, "g/grad_norm": 0.01}
    assert kinds(blocks(**{"d/grad_norm": 9.0, "g/grad_norm": 0.5}), small, small) == []
    assert kinds(blocks(**{"d/grad_norm": 11.0, "g/grad_norm": 0.5}), small, small) == ["exploding"]


def test_sureness_stands_in_for_accuracy():
    sure = {**HEALTHY, "d_real": 0.99, "d_fake": 0.01, "g/grad_norm": 0.1}
    without = {name: value for name, value in sure.items() if not name.startswith("accuracy")}
    assert kinds([without] * RECENT) == ["strong_discriminator"]
    assert kinds([{**without, "d_fake": 0.03}] * RECENT) == []


@pytest.mark.parametrize("name", list(HEALTHY))
def test_rules_apply_to_what_is_there(name):
    bad = {**HEALTHY, **PERFECT, "g/grad_norm": 0.0, "d/grad_norm": 1e6, "margin": 1e6, "g/loss": 0.0, "d_fake": 0.0}
    rules.look([{key: value for key, value in bad.items() if key != name}] * WINDOW, USUAL, USUAL)
    assert kinds([{"loss": 1.0}] * WINDOW, {}, {}) == []


def curve(amplitude, period=9.0, mean=1.0):
    """A window of blocks whose loss swings with the given amplitudes."""
    values = mean + amplitude(np.arange(WINDOW)) * np.sin(2 * np.pi * np.arange(WINDOW) / period)
    return [{**HEALTHY, "d/loss": float(value)} for value in values]


def test_swings_that_grow():
    grows = curve(lambda t: 0.05 * np.exp(t / 8))
    assert kinds(grows) == ["oscillation"]
    assert kinds(grows[1:]) == []  # not a whole window
    assert kinds(grows[::-1]) == []  # they calm down
    assert kinds(curve(lambda t: np.full(WINDOW, 2.0))) == []  # large, but steady
    assert kinds(curve(lambda t: 1e-3 * np.exp(t / 8))) == []  # small
    assert kinds(curve(lambda t: 0.05 * np.exp(t / 8), mean=20.0)) == []  # small beside the loss
    assert kinds(curve(lambda t: np.repeat([0.1, 1.2, 0.8, 1.5], WINDOW // 4))) == []  # up and down
    drift = [{**HEALTHY, "d/loss": math.exp(-i / 4)} for i in range(WINDOW)]
    assert kinds(drift) == []
    assert kinds(drift[::-1]) == []
    assert kinds([{**HEALTHY, "d/loss": 1e-3 * math.exp(i / 2)} for i in range(WINDOW)]) == []  # runs away, no swings


@dataclasses.dataclass
class Picture:
    images: int = 40_000
    samples: int = 64
    diversity: float | None = 0.8
    near_duplicates: int = 0
    repeated: int = 0
    data_repeated: int = 0
    data_images: int = 10_000

    def numbers(self):
        pairs = self.near_duplicates
        return {**dataclasses.asdict(self), "support": self.samples * (self.samples - 1) / 2 / pairs if pairs else None}


def seen(*pictures):
    """What is seen in the last one."""
    largest = 0.0
    for picture in pictures[:-1]:
        largest = samples.largest_diversity(picture.numbers(), largest)
    return [finding.kind for finding in samples.look_at_samples(pictures[-1].numbers(), largest)]


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ([Picture()], []),
        ([Picture(diversity=0.09)], ["collapse"]),
        ([Picture(diversity=0.11)], []),
        ([Picture(diversity=0.09, images=29_999)], []),  # generators begin with one grey image
        ([Picture(diversity=0.9), Picture(diversity=0.22)], ["collapse"]),  # a quarter of what it was
        ([Picture(diversity=0.9), Picture(diversity=0.23)], []),
        ([Picture(diversity=0.9, images=10), Picture(diversity=0.2)], []),  # what it was at the start does not count
        ([Picture(diversity=0.09), Picture()], []),  # the newest counts
        ([Picture(diversity=0.9), *[Picture(diversity=0.2)] * 20], ["collapse"]),  # what it was is not forgotten
        ([Picture(diversity=None), Picture()], []),
        ([Picture(diversity=None)], []),  # data of equal images
        ([Picture(repeated=32, near_duplicates=40)], ["duplicates"]),
        ([Picture(repeated=31, near_duplicates=40)], []),
        ([Picture(repeated=32, near_duplicates=40, data_repeated=16)], []),  # so are the data
        ([Picture(repeated=32, near_duplicates=40, data_images=200)], []),  # 50 images of 200 are a fair share
        ([Picture(samples=15, repeated=15, near_duplicates=40)], []),  # too few to tell
        ([Picture(repeated=64, near_duplicates=2016, diversity=0.0)], ["collapse"]),
    ],
    ids=str,
)
def test_samples(pictures, expected):
    assert seen(*pictures) == expected


def test_sentences_have_the_numbers():
    (finding,) = samples.look_at_samples(Picture(repeated=40, near_duplicates=63).numbers(), 0.0)
    assert "40 of 64 samples have a near-duplicate, as if it made only about 32 different images" in finding.seen
    (finding,) = rules.look(blocks(**PERFECT, **{"g/grad_norm": 0.1}), USUAL, USUAL)
    assert "99% of the real and 100% of the generated images" in finding.seen
    assert finding.seen.endswith("starves at 0.1 (it was up to 4)")


def test_sentences_have_the_cures_of_the_system():
    cures = {"collapse": ("prayer",), "exploding": ("a", "b", "c"), "vanishing": ()}
    told = {kind: Finding(kind, "ill", {}).sentence(cures) for kind in (*cures, "oscillation")}
    assert told == {
        "collapse": "ill; what usually helps: prayer.",
        "exploding": "ill; what usually helps: a, b, or c.",
        "vanishing": "ill.",
        "oscillation": "ill.",
    }


def test_serious_ones():
    serious = {"not_finite", "exploding", "collapse", "duplicates"}
    assert {kind for kind in CURES if Finding(kind, "", {}).serious} == serious
    assert rules.not_finite("d/loss is nan").serious


LOST = {**PERFECT, "d_fake": 0.005, "g/loss": 9.0}


@pytest.mark.parametrize(
    ("changes", "duels", "expected"),
    [
        ({}, ONE, ["strong_discriminator"]),
        ({"g/loss": 9.0 * 0.96}, ONE, ["strong_discriminator"]),
        ({"g/loss": 9.0 * 0.94}, ONE, []),  # it falls: the generator catches up
        ({"accuracy_real": 0.7}, ONE, []),
        ({}, (Duel(critic="distance"),), []),
    ],
)
def test_a_generator_that_loses_without_starving(changes, duels, expected):
    """D is perfect, G's gradient is usual, and G's loss does not fall within 16 blocks."""
    before, after = blocks(12, **LOST), blocks(4, **{**LOST, **changes})
    assert kinds([*before, *after], duels=duels) == expected
    assert kinds([*before, *after][1:], duels=duels) == []  # too early


def test_a_generator_that_is_believed_a_little_is_not_lost():
    assert kinds([*blocks(15, **LOST), *blocks(1, **{**LOST, "d_fake": 0.24})]) == ["strong_discriminator"]
    assert kinds([*blocks(15, **LOST), *blocks(1, **{**LOST, "d_fake": 0.25})]) == []  # a mean above 0.02


def test_a_bigan_that_fails_is_told_within_500_steps():
    """Its numbers were measured: the file says how."""
    about = json.loads((Path(__file__).parent / "failing_bigan.json").read_text())
    rows = [dict(zip(about["names"], row, strict=True)) for row in about["blocks"]]
    found = [kinds(rows[max(0, end - WINDOW) : end], {}, {}) for end in range(1, len(rows) + 1)]
    told = [end * BLOCK for end, each in enumerate(found, 1) if "strong_discriminator" in each]
    assert told[0] <= 500
    assert max(np.diff([*told, len(rows) * BLOCK])) < QUIET * BLOCK  # one episode, to the end
