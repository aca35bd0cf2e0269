"""The log of a run. Oracles: what was said, and the operating system's full device."""

import os
import re

import pytest

from jaxgan.train.screen.log import LoggedReport
from tests.train import toy

METRICS = {"d/loss": 0.5, "g/loss": 1.25}


def test_what_is_said_is_kept_and_appended(tmp_path):
    said = toy.Said()
    for name in ("first", "second"):
        log = LoggedReport(said)
        log.line(f"{name}: before there is a folder")
        with log.kept(tmp_path / "log.txt"):
            log.line("Data        Schnürsenkel 靴紐")
            log.start(0, 2)
            log.progress(2, 1.0, 1.0, METRICS)
            log.stop()
            log.note("Ended       for the log alone")
    lines = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 10
    for name, part in (("first", lines[:5]), ("second", lines[5:])):
        assert re.fullmatch(r"--- \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, jaxgan [\w.]+", part[0])
        assert part[1:3] == [f"{name}: before there is a folder", "Data        Schnürsenkel 靴紐"]
        assert part[3].startswith("step 2/2 ")
        assert part[4] == "Ended       for the log alone"
    assert "Ended       for the log alone" not in said.lines


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="takes Linux")
def test_a_full_disk_is_told_once_and_costs_the_log_alone(tmp_path, capsys):
    (tmp_path / "log.txt").symlink_to("/dev/full")
    said = toy.Said()
    log = LoggedReport(said)
    with log.kept(tmp_path / "log.txt"):
        for _ in range(3):
            log.line("line" * 5000)
    assert said.lines == ["line" * 5000] * 3
    told = f"jaxgan: {tmp_path}/log.txt cannot be written (No space left on device); the run goes on.\n"
    assert capsys.readouterr().err == told


def test_a_log_that_cannot_be_opened_is_a_warning(tmp_path):
    (tmp_path / "log.txt").mkdir()
    said = toy.Said()
    log = LoggedReport(said)
    with log.kept(tmp_path / "log.txt"):
        log.line("line")
    assert said.lines == [
        f"Warning     {tmp_path}/log.txt cannot be written (Is a directory): there is no log of this.",
        "line",
    ]
