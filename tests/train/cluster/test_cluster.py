"""Several processes on loopback. Oracles: the run of one process with as many devices, and a run that nobody kills."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from jaxgan.cli import main
from jaxgan.errors import UserError
from jaxgan.train import load
from jaxgan.train.cluster import meeting
from jaxgan.train.cluster.joining import Cluster, cluster_of, find, joined
from jaxgan.train.cluster.meeting import Place
from jaxgan.train.run.record import read_metrics
from tests.train import toy
from tests.train.loopback import ROOT, ends, free_address

WIDTHS = ["--g-widths", "8", "--d-widths", "8", "--z-dim", "4", "--batch-size", "16", "--samples", "4"]
OFTEN = ["--steps", "12", "--checkpoint-every", "4", "--sample-every", "8", "--log-every", "2", "--seed", "3"]


@pytest.fixture
def start():
    """`(processes, devices, arguments, dying, own) -> processes that run`; none of them outlives the test."""
    started = []

    def run(processes, devices, args, dying=(None, 0), own=((), ())):
        address, flags = free_address(), f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
        env = {**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        for i in range(processes):
            place = ["--coordinator", address, "--processes", str(processes), "--process-id", str(i)]
            last = str(dying[1] if i == dying[0] else 0)
            command = [sys.executable, "-m", "tests.train.one_of_many", last, *args, *place, *own[i > 0]]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            started.append(subprocess.Popen(command, env=env, cwd=ROOT, **pipes))
        return started[-processes:]

    yield run
    for process in started:
        process.kill()
        process.wait()


def codes(processes):
    return [code for code, _ in ends(processes)]


def state_of(run):
    return load(run, say=lambda line: None).state


def rows_of(run):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read_metrics(run / "metrics.jsonl")]


def test_killed_runs_go_on_in_other_numbers_of_processes(start, tmp_path, monkeypatch):
    """Four processes of two devices lose one, two of four lose the first; what two finish is as if nobody had died."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "data.npy", rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8))
    train = ["train", "gan", "--data", str(tmp_path / "data.npy"), *WIDTHS, *OFTEN, "--out"]
    monkeypatch.setattr("jaxgan.train.screen.summary.write_summary", lambda *about: None)
    straight, killed, alone = (tmp_path / name for name in ("straight", "killed", "alone"))
    assert codes(start(2, 4, [*train, str(straight)])) == [0, 0]

    four = start(4, 2, [*train, str(killed)], dying=(2, 4))
    assert four[2].wait(timeout=300) == -signal.SIGKILL
    left = f"the last good checkpoint is {killed / 'checkpoints' / '4'}. Go on with jaxgan train --resume {killed} in"
    for code, said in ends([*four[:2], four[3]], seconds=60):
        assert code == 1
        assert said.startswith("jaxgan: process 2 of 4 on ")
        assert f"no longer answers; training stopped, and {left}" in said

    two = start(2, 4, ["train", "--resume", str(killed)], dying=(0, 8))
    assert two[0].wait(timeout=300) == -signal.SIGKILL
    ((code, said),) = ends(two[1:], seconds=60)
    assert code == 1
    assert said.startswith("jaxgan: process 0 of 2 on 127.0.0.1 no longer answers; training stopped, and the last good")

    assert codes(start(2, 4, ["train", "--resume", str(killed)])) == [0, 0]
    toy.assert_same(state_of(killed), state_of(straight))
    assert rows_of(killed) == rows_of(straight)
    assert len(rows_of(killed)) == 7  # step 1, and every second of the twelve
    files = [sorted(path.relative_to(run) for path in run.glob("*/*.png")) for run in (killed, straight)]
    assert files[0] == files[1]
    assert all((killed / path).read_bytes() == (straight / path).read_bytes() for path in files[0])

    assert main([*train, str(alone), "--resident", "off"]) == 0
    for one, several in zip(rows_of(alone), rows_of(straight), strict=True):
        np.testing.assert_allclose(list(several.values()), list(one.values()), rtol=1e-4, atol=1e-5)
    toy.assert_close(state_of(straight), state_of(alone))


def test_processes_that_were_told_different_things_stop(start, tmp_path):
    np.save(tmp_path / "data.npy", np.zeros((4, 8, 8, 1), np.uint8))
    args = ["train", "gan", "--data", str(tmp_path / "data.npy"), *WIDTHS, "--out", str(tmp_path / "run")]
    found = ends(start(2, 1, args, own=((), ("--seed", "4"))))
    assert [code for code, _ in found] == [2, 2]
    assert all("process 1 differs from process 0 in --seed, and all processes" in said for _, said in found)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"coordinator": "a:1"}, "--coordinator, --processes, --process-id go together, .*; --processes is missing"),
        ({"process_id": 0, "processes": 2}, "go together, or --distributed alone; --coordinator is missing"),
        ({"coordinator": "host", "processes": 2, "process_id": 0}, "--coordinator takes HOST:PORT, .*, got host"),
        ({"coordinator": "h:0", "processes": 2, "process_id": 0}, "--coordinator takes HOST:PORT, .*, got h:0"),
        ({"coordinator": "http://h:1", "processes": 2, "process_id": 0}, "--coordinator takes HOST:PORT"),
        ({"coordinator": "h:1", "processes": 0, "process_id": 0}, "--processes must be at least 1, got 0"),
        ({"coordinator": "h:1", "processes": 2, "process_id": 2}, "--process-id takes a number from 0 to 1, got 2"),
        ({"join_timeout": 0}, "--join-timeout must be at least 1, got 0"),
        ({"distributed": True}, "--distributed finds processes that srun .* and sees none of these; --coordinator"),
    ],
)
def test_options_that_name_no_place(options, sentence):
    with pytest.raises(UserError, match=sentence):
        find(Cluster(**options))


def test_places(monkeypatch):
    assert find(Cluster()) is None
    assert find(Cluster(coordinator="h:1", processes=1, process_id=0)) is None
    assert find(Cluster(coordinator="[::1]:99", processes=3, process_id=2)) == Place("[::1]:99", 3, 2)
    assert meeting.split("[::1]:99") == ("::1", 99)
    slurm = {"JOB_ID": "7", "STEP_NODELIST": "node[03-04]", "NTASKS": "4", "PROCID": "2", "LOCALID": "0"}
    for name, value in slurm.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert find(Cluster(distributed=True)) == Place("node03:61447", 4, 2, [0])
    monkeypatch.setenv("SLURM_NTASKS", "four")
    with pytest.raises(UserError, match=r"--distributed cannot make out the cluster \(invalid literal .*'four'\)"):
        find(Cluster(distributed=True))


def test_options_among_others():
    args = ["--steps", "9", "--coordinator=h:1", "--processes", "2", "--log-every", "3", "--process_id", "1"]
    assert cluster_of(args) == Cluster(coordinator="h:1", processes=2, process_id=1)
    assert cluster_of(["--distributed", "--steps", "9", "--join-timeout", "5"]) == Cluster(
        distributed=True, join_timeout=5
    )
    assert cluster_of([]) == Cluster()


def test_several_processes_need_a_folder():
    with (
        pytest.raises(UserError, match="--out is needed where several processes train together"),
        joined(Cluster(coordinator="h:1", processes=2, process_id=0), None),
    ):
        pass
