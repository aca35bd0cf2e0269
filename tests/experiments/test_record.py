import json
import runpy
from pathlib import Path

import pytest
from laboratory import record
from laboratory.reports import Options, run_claims

from jaxgan.errors import UserError

SCRIPT = runpy.run_path(str(Path(record.__file__).parents[1] / "mode_collapse.py"))


# Oracle: what was saved, by hand; a table has a line a row, and what a row lacks is empty.
def test_rows_are_kept_and_shown(tmp_path):
    rows = [{"loss": "hinge", "modes": 7.123456}, {"loss": "lsgan", "modes": 8, "+-": 0.5}]
    record.save(tmp_path / "folder" / "x.json", record.Stopwatch().about({"seeds": 5}), rows)
    assert record.load(tmp_path / "folder" / "x.json") == [
        {"loss": "hinge", "modes": 7.123}, {"loss": "lsgan", "modes": 8.0, "+-": 0.5},
    ]  # fmt: skip
    assert json.loads((tmp_path / "folder" / "x.json").read_text())["about"]["seeds"] == 5
    assert record.table(rows).splitlines() == [
        "| loss | modes | +- |", "| --- | --- | --- |", "| hinge | 7.12 |  |", "| lsgan | 8 | 0.5 |",
    ]  # fmt: skip


# Oracle: the command line's own words.
def test_options_are_read():
    name, options = SCRIPT["parse"](["mixtures", "--seeds", "7", "--out", "there", "--remedies", "none", "top_k"])
    assert (name, options) == ("mixtures", Options(7, None, Path("there"), ("none", "top_k")))


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "takes one of dirac, mixtures, stacked, claims, got nothing"),
        (["dirak"], "got dirak"),
        (["dirac", "--sedes", "3"], "takes --seeds, --steps, --out and --remedies, got --sedes"),
        (["stacked", "--steps", "0"], "--steps"),
        (["mixtures", "--remedies", "prayer"], "prayer"),
    ],
)
def test_what_is_not_taken_is_said_in_a_sentence(args, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        SCRIPT["parse"](args)
    assert "\n" not in str(caught.value)


def test_commands_say_what_they_need(tmp_path):
    with pytest.raises(UserError, match=r"run mode_collapse\.py mixtures with this"):
        run_claims(Options(out=tmp_path))
