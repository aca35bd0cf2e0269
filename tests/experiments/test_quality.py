"""The arithmetic of `experiments/benchmarks/quality.py`; what it trains is tested elsewhere."""

import runpy
from pathlib import Path

QUALITY = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "benchmarks" / "quality.py"))
Point, seconds_to, summary = QUALITY["Point"], QUALITY["seconds_to"], QUALITY["summary"]
POINTS = [Point(250, 4.0, 9.0), Point(500, 8.5, 4.0), Point(750, 13.0, 6.0), Point(1000, 17.0, 2.0)]


# Oracle: by hand; the first moment counts, at the level itself too.
def test_seconds_to_a_level():
    assert [seconds_to(POINTS, level) for level in (9.5, 5.0, 2.0, 1.0)] == [4.0, 8.5, 17.0, None]


# Oracle: by hand.
def test_a_summary_has_each_seed_and_says_what_did_not_run():
    row = {"start_up": 12.0, "steps": 1000, "points": POINTS}
    lines = summary({"0": {"jaxgan": row, "torch": {"failed": "no torch"}}, "1": {"jaxgan": row, "torch": row}})
    assert " ".join(lines[1].split()) == "jaxgan 8 8 | 17 17 | - - | 12.0 s of processor | 2.00 2.00"
    assert " ".join(lines[2].split()) == "torch not run: no torch"


# Oracle: by hand: a variant goes on until its schedule's end or the limit.
def test_a_variant_ends_with_its_schedule_or_the_limit():
    runs = QUALITY["_runs"]
    assert runs({"steps": None, "points": []}, 10.0)
    assert runs({"steps": 1250, "points": POINTS}, 20.0)
    assert not runs({"steps": 1250, "points": POINTS}, 17.0)
    assert not runs({"steps": 1000, "points": POINTS}, 20.0)
