"""What begins and what is over. Oracle: looks made by hand."""

import json

import pytest

from jaxgan.train.monitor import episodes, rules, samples
from jaxgan.train.monitor.episodes import CONFIRMED, QUIET, Episodes
from jaxgan.train.monitor.findings import Finding
from jaxgan.train.monitor.rules import BLOCK

BAD = Finding("strong_discriminator", "too strong", {})
GONE = Finding("collapse", "gone", {})


@pytest.fixture
def looks(monkeypatch):
    """What the rules find from now on."""
    now = {"metrics": [], "samples": []}
    monkeypatch.setattr(rules, "look", lambda blocks, usual, largest, duels: now["metrics"])
    monkeypatch.setattr(samples, "look_at_samples", lambda picture, largest: now["samples"])
    return now


PICTURE = {"images": 40_000, "diversity": None}


def picture(diversity):
    numbers = {"samples": 64, "near_duplicates": 0, "repeated": 0, "data_repeated": 0, "data_images": 10_000}
    return {**PICTURE, **numbers, "diversity": diversity, "support": None}


def steps(seen, first, last):
    """Events of the steps from `first` to `last`, as (step, kind, over, began)."""
    events = [event for t in range(first, last + 1) for event in seen.see(t, {"g/grad_norm": float(t)})]
    return [(event.step, event.finding.kind, event.over, event.began) for event in events]


def test_an_episode_is_said_twice(looks):
    seen = Episodes()
    assert steps(seen, 1, BLOCK) == []
    looks["metrics"] = [BAD]
    begin = 2 * BLOCK
    assert steps(seen, BLOCK + 1, 5 * BLOCK) == [(begin, BAD.kind, False, begin)]
    assert not seen.well
    looks["metrics"] = []
    assert steps(seen, 5 * BLOCK + 1, (5 + QUIET - 1) * BLOCK) == []  # it might come back
    looks["metrics"] = [BAD]
    assert steps(seen, (4 + QUIET) * BLOCK + 1, (5 + QUIET) * BLOCK) == []
    looks["metrics"] = []
    end = (5 + 2 * QUIET) * BLOCK
    assert steps(seen, (5 + QUIET) * BLOCK + 1, end) == [(end, BAD.kind, True, begin)]
    assert seen.well


def test_a_picture_must_be_confirmed(looks):
    assert CONFIRMED == 2
    seen = Episodes()
    looks["samples"] = [GONE]
    assert seen.see_samples(100, PICTURE) == []
    assert not seen.well  # not said, but a checkpoint of this step is not called healthy
    assert seen.serious() is None
    (event,) = seen.see_samples(200, PICTURE)
    assert (event.step, event.began, event.over) == (200, 100, False)
    assert seen.serious() == GONE
    looks["samples"] = []
    assert seen.see_samples(300, PICTURE) == []
    (event,) = seen.see_samples(400, PICTURE)
    assert (event.over, event.began) == (True, 100)
    assert seen.well


def test_a_checkpoint_is_healthy_if_nothing_begins():
    seen = Episodes()
    assert seen.sound
    for block, margin in enumerate([1.0, 1e6, 1.0, 1.0, 1.0, 1.0]):
        for t in range(block * BLOCK, (block + 1) * BLOCK):
            seen.see(t + 1, {"margin": margin})
        assert seen.well  # one block is not enough to be said
        assert seen.sound == (block in (0, 5))  # but a bad one among the last four is enough not to come back


def test_one_bad_picture_is_forgotten(looks):
    seen = Episodes()
    looks["samples"] = [GONE]
    seen.see_samples(100, PICTURE)
    looks["samples"] = []
    assert seen.see_samples(200, PICTURE) == []
    assert seen.well


def test_metrics_say_nothing_about_pictures(looks):
    seen = Episodes()
    looks["samples"] = [GONE]
    for step in (1, 2):
        seen.see_samples(step, PICTURE)
    assert steps(seen, 3, 3 * QUIET * BLOCK) == []  # the collapse is not over because metrics are fine
    assert seen.serious() == GONE


def test_only_serious_findings_are_acted_on(looks):
    seen = Episodes()
    looks["metrics"] = [BAD]
    steps(seen, 1, BLOCK)
    assert seen.serious() is None


# Oracle: the number of blocks that docs/monitor.md names.
def test_a_generator_that_starves_for_long_is_serious(looks):
    seen = Episodes()
    looks["metrics"] = [BAD]
    steps(seen, 1, 31 * BLOCK)
    assert seen.serious() is None
    steps(seen, 31 * BLOCK + 1, 32 * BLOCK)
    assert seen.serious() == BAD
    looks["metrics"] = []
    steps(seen, 32 * BLOCK + 1, (32 + QUIET) * BLOCK)
    assert seen.serious() is None


def test_what_goes_wrong_does_not_become_usual(monkeypatch):
    given = []
    monkeypatch.setattr(rules, "look", lambda blocks, *norms: given.append(norms[:2]) or looks)
    seen, looks = Episodes(), []
    for t in range(1, 8 * BLOCK + 1):
        seen.see(t, {"g/grad_norm": 1.0})
    looks = [BAD]
    for t in range(8 * BLOCK + 1, 40 * BLOCK + 1):
        seen.see(t, {"g/grad_norm": 1e6})
    assert given[8:] == [({"g/grad_norm": 1.0}, {"g/grad_norm": 1.0})] * 32  # the usual and the largest


def test_a_collapse_lasts_until_samples_are_diverse_again():
    """However many pictures that takes, and whether or not the run is resumed."""
    seen, events = Episodes(), []
    for step, diversity in enumerate([0.8, *[0.15] * 30, 0.5, 0.5], start=1):
        seen = Episodes(json.loads(json.dumps(seen.to_json())))
        events += seen.see_samples(step, picture(diversity))
    assert [(event.step, event.finding.kind, event.over) for event in events] == [
        (3, "collapse", False),
        (33, "collapse", True),
    ]


def test_images_of_an_explosion_are_no_example_of_diversity(looks):
    seen = Episodes()
    looks["metrics"] = [Finding("exploding", "explodes", {})]
    steps(seen, 1, BLOCK)
    seen.see_samples(BLOCK, picture(2.0))
    assert seen.to_json()["diversity"] == 0.0
    looks["metrics"] = []
    steps(seen, BLOCK + 1, (1 + QUIET) * BLOCK)
    seen.see_samples((1 + QUIET) * BLOCK, picture(0.8))
    assert seen.to_json()["diversity"] == 0.8


@pytest.mark.parametrize("cut", [1, BLOCK, 5 * BLOCK + 3, 20 * BLOCK])
def test_going_on_from_json_changes_nothing(cut):
    """A discriminator that gets too strong at step 200 and is better from step 400 on, watched with a stop at `cut`."""

    def row(t):
        bad = 200 < t <= 400
        return {"g/grad_norm": 0.01 if bad else 1.0, "accuracy_real": 1.0 if bad else 0.7, "accuracy_fake": 1.0}

    def watched(seen, first, last):
        return [event for t in range(first, last + 1) for event in seen.see(t, row(t))]

    straight = watched(Episodes(), 1, 700)
    assert [(event.finding.kind, event.over) for event in straight] == [(BAD.kind, False), (BAD.kind, True)]
    one = Episodes()
    first = watched(one, 1, cut)
    one.healthy = 5
    two = Episodes(json.loads(json.dumps(one.to_json())))
    assert two.healthy == 5
    assert first + watched(two, cut + 1, 700) == straight


def test_only_what_is_needed_is_remembered():
    seen = Episodes()
    for t in range(1, 100 * BLOCK):
        seen.see(t, {"d/loss": 1.0})
        if t % 50 == 0:
            seen.see_samples(t, {"images": t, "diversity": 1.0})
    state = seen.to_json()
    assert (len(state["rows"]), len(state["blocks"])) == (BLOCK - 1, 32)


def test_every_kind_of_the_samples_is_known():
    assert set(episodes.FROM_SAMPLES) == {"collapse", "duplicates"}
