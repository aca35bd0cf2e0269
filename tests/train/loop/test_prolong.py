"""A run that is prolonged. Oracle: the same schedule in a run that was as long from the beginning."""

import json
import shutil

from jaxgan.cli import main
from jaxgan.train.run.record import read_metrics
from jaxgan.train.run.rundir import RunDir

TINY = "--image-size 8 --z-dim 4 --g-widths 8 --d-widths 8 --batch-size 8 --samples 4 --log-every 1 --rate-end 0.001"


def losses(folder):
    return [(row["step"], row["d/loss"], row["g/loss"]) for row in read_metrics(RunDir(folder).metrics)]


def test_schedules_stay_at_their_ends(tmp_path):
    """Also in a run of a time when the length of schedules was not written down."""
    run, older, straight = tmp_path / "run", tmp_path / "older", tmp_path / "straight"
    assert main(f"train gan {TINY} --steps 4 --out {run}".split()) == 0
    shutil.copytree(run, older)
    written = json.loads((older / "config.json").read_text())
    assert written["config"]["schedule_steps"] == 4
    written["config"]["schedule_steps"] = None
    (older / "config.json").write_text(json.dumps(written))
    assert main(f"train gan {TINY} --steps 7 --schedule-steps 4 --out {straight}".split()) == 0
    for folder in (run, older):
        assert main(f"train --resume {folder} --steps 7".split()) == 0
        assert losses(folder) == losses(straight)
