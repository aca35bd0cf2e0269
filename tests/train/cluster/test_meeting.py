"""How processes meet, leave together and miss who is gone. Oracles: what was done to them, and exit codes."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jaxgan.errors import UserError
from jaxgan.train.cluster import meeting
from jaxgan.train.cluster.meeting import Place
from tests.train.loopback import ROOT, ends, free_address

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
            folder, port = ROOT / "jaxgan" / "train" / "cluster", server.getsockname()[1]
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
