"""The folder of a run. Oracle: the file system."""

import collections
import json
import shutil

import pytest

from jaxgan.errors import UserError
from jaxgan.train.loop import memory
from jaxgan.train.run import rundir
from tests.train import toy

ABOUT = {
    "jaxgan": "0",
    "recipe": "gan",
    "code": None,
    "config": {},
    "run": {},
    "data": {"fingerprint": "", "description": "", "fields": {}},
    "frozen": {},
}


def test_a_new_or_empty_folder_is_accepted_and_nothing_is_made(tmp_path):
    rundir.check_out(str(tmp_path))
    rundir.check_out(str(tmp_path / "a" / "b"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match=r"--out takes a new or empty folder, .* --resume"):
        rundir.check_out(str(tmp_path))


def test_a_file_is_refused(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match="is a file"):
        rundir.check_out(str(tmp_path / "x"))
    with pytest.raises(UserError, match="not a folder that can be written to"):
        rundir.check_out(str(tmp_path / "x" / "run"))


def test_an_unwritable_place_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(rundir.os, "access", lambda path, mode: False)  # the tests may run as root
    with pytest.raises(UserError, match="not a folder that can be written to"):
        rundir.check_out(str(tmp_path / "run"))


def test_a_folder_that_cannot_be_made_is_one_sentence():
    with pytest.raises(UserError, match="--out /proc/nothing/run cannot be created"):
        rundir.create("/proc/nothing/run", "gan", "toy")


def test_the_first_free_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(rundir.create(None, "gan", "my photos/of cats!").root) for _ in range(2)]
    assert names == ["runs/gan-of-cats-1", "runs/gan-of-cats-2"]


def test_too_little_disk(tmp_path, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, 4_000))
    rundir.check_disk(tmp_path / "new", 1_000, keep=3)
    rundir.check_disk(tmp_path / "new", 1_001, keep=3, present=1)
    with pytest.raises(UserError, match=r"GB free, but 3 checkpoints and the next one need"):
        rundir.check_disk(tmp_path / "new", 1_001, keep=3)


def test_config_comes_back(tmp_path):
    rundir.write_json(tmp_path / "config.json", ABOUT)
    folder, content = rundir.read_config(tmp_path)
    assert content == {**ABOUT, "stages": [["", None]], "stage": ""}  # what a run of before stages had
    assert folder.checkpoints == tmp_path / "checkpoints"
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_what_is_no_run_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        rundir.read_config(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"it has no config\.json"):
        rundir.read_config(tmp_path)
    for content, sentence in (
        ("{", r"config\.json cannot be read"),
        ("[]", r"config\.json is not a JSON object"),
        (
            json.dumps({key: value for key, value in ABOUT.items() if key != "recipe"}),
            r"config\.json has no 'recipe'\.",
        ),
        (json.dumps({**ABOUT, "run": 3}), r"config\.json gives 'run' as 3, which is of the wrong type"),
        (json.dumps({**ABOUT, "data": {}}), r"'data' in .*config\.json has no 'fingerprint'\."),
    ):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(UserError, match=sentence):
            rundir.read_config(tmp_path)


def test_an_empty_name_is_not_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rundir.write_json(tmp_path / "config.json", ABOUT)
    with pytest.raises(UserError, match="got an empty text"):
        rundir.read_config("")
    with pytest.raises(UserError, match="got an empty text"):
        rundir.check_out("")


@pytest.mark.parametrize("locked", ["", "checkpoints", "metrics.jsonl"])
def test_a_run_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, locked):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "metrics.jsonl").touch()
    rundir.check_access(rundir.RunDir(tmp_path))
    monkeypatch.setattr(rundir.os, "access", lambda path, mode: path != tmp_path / locked)
    with pytest.raises(UserError, match=f"{tmp_path / locked} cannot be read and written"):
        rundir.check_access(rundir.RunDir(tmp_path))


def test_a_run_is_trained_by_one_process(tmp_path, cheap):
    run = toy.train(tmp_path / "run", steps=2).folder
    before = run.metrics.read_bytes(), run.config.read_bytes()
    with rundir.alone(run), pytest.raises(UserError, match="run is being trained by another process; wait for it"):
        toy.train(tmp_path / "run", steps=4, resume=True)
    assert (run.metrics.read_bytes(), run.config.read_bytes()) == before
    assert toy.train(tmp_path / "run", steps=4, resume=True).step == 4


def test_a_run_that_is_refused_leaves_no_folder(tmp_path, cheap, monkeypatch):
    """Memory is known only when the step has been compiled."""

    def refuse(*_):
        raise UserError("a step needs too much.")

    monkeypatch.setattr(memory, "check", refuse)
    with pytest.raises(UserError, match="too much"):
        toy.train(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_with_content_stays(tmp_path):
    (tmp_path / "x").touch()
    rundir.unmake(rundir.RunDir(tmp_path))
    assert (tmp_path / "x").exists()


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(UserError, match="x is not a run: it is a file"):
        rundir.read_config(tmp_path / "x")
