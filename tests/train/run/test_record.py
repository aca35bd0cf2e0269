"""What a run writes. Oracle: the files, and TensorBoard's own record format read by tensorboardX's protocol buffers."""

import json
import struct

import numpy as np
import pytest
from PIL import Image

from jaxgan.train.run import record
from jaxgan.train.run.rundir import RunDir


def rows(steps):
    return [{"step": step, "images": 8 * step, "seconds": 0.1 * step, "d/loss": 1.0 / step} for step in steps]


def all_events(folder):
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        while content:
            (size,) = struct.unpack("<Q", content[:8])
            found.append(Event.FromString(content[12 : 12 + size]))
            content = content[16 + size :]
    return found


def events(folder):
    return [(event.step, value.tag) for event in all_events(folder) for value in event.summary.value]


def test_lines_events_and_pictures(tmp_path):
    run = RunDir(tmp_path)
    recorder = record.Recorder(run, 0)
    for row in rows([1, 2]):
        recorder.log(row)
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    path = recorder.picture(2, image)
    recorder.close()
    assert record.read_metrics(run.metrics) == rows([1, 2])
    assert events(run.tensorboard) == [(1, "d/loss"), (2, "d/loss"), (2, "samples")]
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), image)
    assert record.sample_pictures(run) == [(2, path)]


def test_nan_is_never_written(tmp_path):
    recorder = record.Recorder(RunDir(tmp_path), 0)
    with pytest.raises(ValueError, match="not JSON compliant"):
        recorder.log({"step": 1, "d/loss": float("nan")})
    recorder.close()
    assert (tmp_path / "metrics.jsonl").read_text() == ""


def test_flushed_lines_survive_a_kill(tmp_path):
    recorder = record.Recorder(RunDir(tmp_path), 0)
    recorder.log(rows([1])[0])
    recorder.flush()
    assert record.read_metrics(tmp_path / "metrics.jsonl") == rows([1])
    recorder.close()


def test_going_on_drops_what_came_after(tmp_path):
    lines = "".join(json.dumps(row) + "\n" for row in rows([1, 2, 3]))
    (tmp_path / "metrics.jsonl").write_text(lines + '{"step": 4, "ima')
    recorder = record.Recorder(RunDir(tmp_path), 2)
    recorder.log(rows([3])[0])
    recorder.close()
    assert record.read_metrics(tmp_path / "metrics.jsonl") == rows([1, 2, 3])
    assert "ima\n" not in (tmp_path / "metrics.jsonl").read_text()


def test_beginning_again_drops_points_and_pictures(tmp_path):
    from tensorboardX.proto.event_pb2 import SessionLog

    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "00000003.png").touch()
    record.Recorder(RunDir(tmp_path), 0).close()
    assert record.sample_pictures(RunDir(tmp_path)) == []
    starts = [event for event in all_events(tmp_path / "tensorboard") if event.session_log.status == SessionLog.START]
    assert [event.step for event in starts] == [0]


def test_going_on_keeps_earlier_pictures_only(tmp_path):
    recorder = record.Recorder(RunDir(tmp_path), 0)
    for step in (2, 4, 6):
        recorder.picture(step, np.zeros((4, 4, 1), np.uint8))
    recorder.close()
    record.Recorder(RunDir(tmp_path), 4).close()
    assert [step for step, _ in record.sample_pictures(RunDir(tmp_path))] == [2, 4]


def test_events_are_closed_even_when_lines_cannot_be_written(tmp_path, monkeypatch):
    recorder = record.Recorder(RunDir(tmp_path), 0)
    recorder._metrics.close()
    monkeypatch.setattr(recorder, "_metrics", open("/dev/full", "w"))  # noqa: SIM115
    recorder.log(rows([1])[0])
    with pytest.raises(OSError, match="No space left"):
        recorder.close()
    assert recorder._events.file_writer is None


MARK = {"step": 4, "kind": "collapse", "began": 2, "over": False, "sentence": "gone.", "numbers": {}, "action": "warn"}
NUMBERS = {"diversity": 0.5, "near_duplicates": 3, "support": None}


def test_marks_and_numbers_of_samples(tmp_path):
    run = RunDir(tmp_path)
    recorder = record.Recorder(run, 0)
    recorder.samples(2, NUMBERS)
    recorder.samples(3, {**NUMBERS, "diversity": None})
    recorder.mark(MARK)
    assert [row["kind"] for row in record.read_metrics(run.monitor)] == ["samples", "samples", "collapse"]  # unflushed
    recorder.close()
    assert record.read_metrics(run.monitor)[0] == {"step": 2, "kind": "samples", "numbers": NUMBERS}
    shown = events(run.tensorboard)
    assert shown[:3] == [(2, "samples/diversity"), (2, "samples/near_duplicates"), (3, "samples/near_duplicates")]
    assert shown[3][0] == 4
    assert "monitor" in shown[3][1]


def test_going_back_is_remembered_where_the_run_went(tmp_path):
    """A run that goes on from step 3 has gone back to 2, but not yet to 6."""
    run = RunDir(tmp_path)
    rows = [{"step": 1, "kind": "samples"}, MARK, *({"step": 9, "kind": "rollback", "to": to} for to in (2, 6))]
    run.monitor.write_text("".join(json.dumps(row) + "\n" for row in rows))
    record.Recorder(run, 3).close()
    assert record.read_metrics(run.monitor) == [rows[0], rows[2]]
    assert record.marked_steps(rows) == [2, 4, 6]
    assert record.marked_steps([{**MARK, "over": True}, rows[0]]) == []
