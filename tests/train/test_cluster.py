"""Several processes on loopback. Oracles: the run of one process with as many devices, and a run that nobody kills."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxgan.cli import main
from jaxgan.errors import UserError
from jaxgan.train import load, meeting
from jaxgan.train.cluster import Cluster, cluster_of, find, joined
from jaxgan.train.meeting import Place
from jaxgan.train.record import read_metrics
from tests.train import toy

ROOT = Path(__file__).parents[2]
WIDTHS = ["--g-widths", "8", "--d-widths", "8", "--z-dim", "4", "--batch-size", "16", "--samples", "4"]
OFTEN = ["--steps", "12", "--checkpoint-every", "4", "--sample-every", "8", "--log-every", "2", "--seed", "3"]


def free_address():
    with meeting._listen(0) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


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


def ends(processes, seconds=300):
    """Exit code and last line of stderr of each."""
    said = [process.communicate(timeout=seconds)[1].splitlines() for process in processes]
    return [(process.returncode, lines[-1] if lines else "") for process, lines in zip(processes, said, strict=True)]


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
    monkeypatch.setattr("jaxgan.train.pictures.write_summary", lambda *about: None)
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
    assert all("process 1 has other options or other images than process 0, and all" in said for _, said in found)
    assert not (tmp_path / "run").exists()


THREE = """if True:
    import socket, sys, time
    sys.path.insert(0, sys.argv[1])
    import link
    link.SILENCE, link.PING = 2.0, 0.2
    index, port = int(sys.argv[2]), int(sys.argv[3])
    if index:
        time.sleep(0.2 * index)
        peers = [link.Peer(socket.create_connection(("127.0.0.1", port)), 0, "there")]
    else:
        server = socket.socket(fileno=int(sys.argv[4]))
        peers = [link.Peer(server.accept()[0], i, "there") for i in (1, 2)]
    with link.telling(lambda: "this is left."):
        line = link.Link(index, 3, peers, "Go on.")
        print("ready", flush=True)
        what = sys.stdin.readline().strip()
        if what == "fail":
            line.fail("no luck.", 7)
        if what == "wait":
            time.sleep(100)
        line.leave()
        print("left")
"""


@pytest.fixture
def three():
    """`what each is to do -> three processes` that have nothing but a link."""
    started = []

    def run(*orders):
        with meeting._listen(0) as server:
            os.set_inheritable(server.fileno(), True)
            folder, port = ROOT / "jaxgan" / "train", server.getsockname()[1]
            for i in range(3):
                command = [sys.executable, "-c", THREE, str(folder), str(i), str(port), str(server.fileno())]
                pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
                started.append(subprocess.Popen(command, **pipes, text=True, pass_fds=[server.fileno()]))
        assert [process.stdout.readline() for process in started] == ["ready\n"] * 3
        for process, order in zip(started, orders, strict=True):
            process.stdin.write(f"{order}\n")
            process.stdin.flush()
        return started

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_all_leave_together(three):
    processes = three("leave", "leave", "leave")
    assert [process.communicate(timeout=60) for process in processes] == [("left\n", "")] * 3
    assert [process.returncode for process in processes] == [0, 0, 0]


@pytest.mark.parametrize("who", [0, 2])
def test_who_fails_tells_all_even_those_at_their_end(three, who):
    orders = ["wait", "leave", "wait"]
    orders[who] = "fail"
    found = ends(three(*orders), seconds=60)
    assert found[who] == (7, "jaxgan: no luck.")
    for code, said in found[:who] + found[who + 1 :]:
        assert code == 7
        assert said.startswith(f"jaxgan: process {who} of 3 on ")
        assert said.endswith("has stopped: no luck.")


@pytest.mark.parametrize(
    ("who", "number", "named"),
    [
        ([0], signal.SIGKILL, "process 0 of 3 on there no longer answers"),
        ([1], signal.SIGKILL, "process 1 of 3 on there no longer answers"),
        ([1, 2], signal.SIGKILL, "process 1 of 3 on there and process 2 of 3 on there no longer answer"),
        ([2], signal.SIGSTOP, "process 2 of 3 on there no longer answers"),  # its connection remains
    ],
)
def test_who_is_gone_is_missed_by_all(three, who, number, named):
    orders = ["wait", "wait", "wait"]
    orders[1 if who == [2] else 2] = "leave" if who != [1, 2] else "wait"
    processes = three(*orders)
    for i in who:
        processes[i].send_signal(number)
    others = [process for i, process in enumerate(processes) if i not in who]
    assert ends(others, seconds=60) == [(1, f"jaxgan: {named}; this is left. Go on.")] * len(others)


def together(*calls) -> list[Any]:
    """What each of the calls gives, or the sentence that it raises."""

    def result(call):
        try:
            return call()
        except UserError as error:
            return str(error)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(result, calls))


def test_processes_meet():
    address = free_address()
    first, *others = together(*(lambda i=i: meeting.meet(Place(address, 3, i), 60) for i in (0, 2, 1)))
    assert sorted(peer.number for peer in first[0]) == [1, 2]
    assert [[peer.number for peer in peers] for peers, _ in others] == [[0], [0]]
    assert {service for _, service in (first, *others)} == {first[1]}
    assert first[1].startswith("127.0.0.1:")
    assert first[1] != address
    for peer in [*first[0], *others[0][0], *others[1][0]]:
        peer.connection.close()


def test_who_comes_again_is_taken_in():
    address, ended = free_address(), threading.Event()

    def again():
        """Process 1 calls, is ended before process 2 comes, and is started again."""
        while (early := meeting._connect(address, 5.0)) is None:
            time.sleep(0.1)
        hello = {"process": 1, "processes": 3, "versions": meeting.VERSIONS, "host": "there"}
        meeting.send(early, hello)
        early.close()
        ended.set()
        time.sleep(0.5)
        return meeting.meet(Place(address, 3, 1), 60)

    def after():
        assert ended.wait(60)  # all are there, and the run starts, if process 1 is still alive when process 2 comes
        return meeting.meet(Place(address, 3, 2), 60)

    calls = [lambda: meeting.meet(Place(address, 3, 0), 60), again, after]
    first, second, third = together(*calls)
    assert sorted(peer.number for peer in first[0]) == [1, 2]
    assert first[1] == second[1] == third[1]
    for peer in [*first[0], *second[0], *third[0]]:
        peer.connection.close()


def test_who_does_not_come_is_named():
    address = free_address()
    calls = [Place(address, 4, 0), Place(address, 4, 2), Place(address, 4, 2), Place(address, 5, 3)]
    first, *others = together(*(lambda place=place: meeting.meet(place, 2) for place in calls))
    missing = f"process 1, 3 of 4 did not come to {address} within 2 s, in which all have to be started"
    assert first.startswith(missing)
    assert any(said.startswith(missing) for said in others[:2])
    assert any("has the number 2" in said for said in others[:2])
    assert others[2] == "process 0 was told of 4 processes and this one of 5."
    (alone,) = together(lambda: meeting.meet(Place(address, 2, 1), 1))
    assert alone.startswith(f"process 0 of 2 did not answer at {address} within 1 s")


def test_an_address_that_is_taken():
    with meeting._listen(0) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError, match=f"{address} cannot be waited at .*; --coordinator takes an address"):
            meeting.meet(Place(address, 2, 0), 1)

        def greet():
            with server.accept()[0] as connection:
                connection.sendall(b"220 mail\n")

        answer = threading.Thread(target=greet)
        answer.start()
        with pytest.raises(UserError, match=f"what answers at {address} is no process of this run"):
            meeting.meet(Place(address, 2, 1), 5)
        answer.join()


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
