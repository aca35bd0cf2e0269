"""Rows that a run does not train on. Oracle: every row that a step has seen, counted by the step itself."""

import json

import numpy as np
import pytest

from jaxgan import fields
from jaxgan.data import hold_out
from jaxgan.errors import UserError
from jaxgan.train.run.record import read_metrics
from tests.train import toy

pytestmark = pytest.mark.usefixtures("cheap")
ROWS = 12


def counting(config, spec, axis_name=None):
    """The toy translator, whose metrics say how often the batch has each row of the data."""
    system = toy.translator(config, spec, axis_name)

    def step(state, batch, rng):
        state, metrics = system.step(state, {"image": batch["image"]}, rng)
        row = ((batch["source"][:, 0, 0, 0] + 1) * 127.5).round()
        return state, metrics | {f"row/{i}": (row == i).sum() for i in range(ROWS)}

    return system._replace(batch=fields.only(spec, "image", "source"), step=step)


def never(run):
    """Rows that no step has seen."""
    rows = read_metrics(run.folder.metrics)
    return [i for i in range(ROWS) if not any(row[f"row/{i}"] for row in rows)]


def train(out, **changes):
    return toy.train(out, build=counting, data=toy.pairs(ROWS), log_every=1, **changes)


@pytest.mark.parametrize("resident", ["on", "off"])
def test_held_rows_are_never_trained_on_however_a_run_is_cut(tmp_path, resident):
    straight = train(tmp_path / "straight", hold_out=3)
    held = hold_out(toy.pairs(ROWS), 3)[1].tables[0].source.arrays["source"][:, 0, 0, 0].tolist()
    assert never(straight) == held
    assert json.loads(straight.folder.config.read_text())["run"]["hold_out"] == 3
    train(tmp_path / "run", hold_out=3, steps=6)
    resumed = train(tmp_path / "run", hold_out=3, resume=True, resident=resident)
    assert never(resumed) == held
    toy.assert_same(resumed.state, straight.state)
    for path in straight.folder.samples.iterdir():
        assert (resumed.folder.samples / path.name).read_bytes() == path.read_bytes()


def test_nothing_is_held_out_of_data_too_few_or_without_answers(tmp_path):
    assert never(train(tmp_path / "zero", hold_out=0)) == []
    said = toy.Said()
    toy.train(tmp_path / "none", steps=1, report=said)
    assert not any(line.startswith("Held out") for line in said.lines)


def test_a_tenth_is_held_out_where_answers_are_known(tmp_path):
    said = toy.Said()
    run = train(tmp_path / "run", report=said, steps=8)
    assert any(line.startswith("Held out    1 examples, for sheets and paired metrics") for line in said.lines)
    assert len(never(run)) == 1
    assert train(tmp_path / "run", hold_out=None, resume=True).step == 13


@pytest.mark.parametrize("count", [12, 99])
def test_too_many_are_one_sentence(tmp_path, count):
    with pytest.raises(UserError, match=f"--hold-out takes 0 to 11 of the 12 examples of pairs, got {count}"):
        train(tmp_path / "run", hold_out=count)
    assert not (tmp_path / "run").exists()


def test_what_is_held_out_cannot_change(tmp_path):
    train(tmp_path / "run", hold_out=3, steps=2)
    with pytest.raises(UserError, match="--hold-out was 3 when the run began and cannot change now; got 2"):
        train(tmp_path / "run", hold_out=2, resume=True)


def test_one_row_may_be_left():
    kept, held = hold_out(toy.pairs(ROWS), ROWS - 1)
    rows = [part.tables[0].source.arrays["source"][:, 0, 0, 0] for part in (kept, held)]
    assert [len(each) for each in rows] == [1, ROWS - 1]
    assert sorted(np.concatenate(rows)) == list(range(ROWS))
