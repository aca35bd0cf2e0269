"""The line between the processes of a run: who is there, who is gone, and what has stopped one of them.

Process 0 holds a TCP connection to each of the others. The operating system closes the connections of a process that
is killed, and one that says nothing for `SILENCE` counts as gone too, so that all others learn of it whatever they are
doing: a collective or a barrier that misses a process would otherwise wait for ever, or end in an abort.
"""

import contextlib
import json
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

from jaxgan.streams import lenient

PING = 5.0  # seconds between signs of life
SILENCE = 45.0  # seconds without one, after which a process counts as gone
LOOK = 0.2  # seconds between looks at the time
GATHER = 1.0  # seconds in which others that are gone are counted with the first: a machine may have had several
FAREWELL = 3.0  # seconds that the others have to take in what is said last

_left: list[Callable[[], str]] = []  # the last one counts
_speaking = threading.Lock()


@contextlib.contextmanager
def telling(left: Callable[[], str]) -> Iterator[None]:
    """Within it, `left()` is what a process that has to end says of the run; after an error that remains so."""
    _left.append(left)
    yield
    _left.pop()


class Peer(NamedTuple):
    """Another process: its connection, its number, and the name of its machine."""

    connection: socket.socket
    number: int
    host: str


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """One message, a line of JSON; a connection that is closed swallows it."""
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(message).encode() + b"\n")


class Link:
    """This process's end of the line, watched by a thread."""

    def __init__(self, index: int, processes: int, peers: Iterable[Peer], go_on: str) -> None:
        """Begin to watch.

        Args:
            index: this process's number.
            processes: how many there are.
            peers: all others in process 0; process 0 in the others.
            go_on: a sentence on how to continue the run.
        """
        self.index, self.processes, self.go_on = index, processes, go_on
        self._peers = {peer.number: peer for peer in peers}
        self._heard = dict.fromkeys(self._peers, time.monotonic())
        self._unread = dict.fromkeys(self._peers, b"")
        self._gone: dict[int, float] = {}
        self._left: set[int] = set()
        self._leaving, self._closed = False, threading.Event()
        self._selector = selectors.DefaultSelector()
        for peer in self._peers.values():
            peer.connection.settimeout(FAREWELL)
            self._selector.register(peer.connection, selectors.EVENT_READ, peer.number)
        threading.Thread(target=self._watch, name="link", daemon=True).start()

    def fail(self, sentence: str, code: int, complete: bool = True) -> NoReturn:
        """End this process and all others with an exit code; they name this one and repeat its sentence.

        Args:
            sentence: what has happened.
            code: the exit code.
            complete: whether the sentence says what is left of the run; it is added where not.
        """
        _speaking.acquire()  # for good: one thread speaks
        who = name(self.index, self.processes, socket.gethostname())
        self._tell({"stop": f"{who} has stopped: {sentence}", "code": code, "complete": complete})
        self._end(sentence, code, complete)

    def leave(self) -> None:
        """Wait until all processes have come to their end, and close; one that dies before that is missed."""
        self._leaving = True
        if self.index:
            send(self._peers[0].connection, {"bye": True})
        self._closed.wait()
        self._tell({"bye": True})

    def _watch(self) -> None:
        pinged = 0.0
        while not self._closed.is_set():
            for key, _ in self._selector.select(LOOK):
                self._read(key.data)
            now = time.monotonic()
            if now - pinged > PING:
                pinged = now
                self._ping()
            for index, heard in self._heard.items():
                if now - heard > SILENCE and index not in self._left:
                    self._gone.setdefault(index, now)
            if self._gone and now - min(self._gone.values()) > GATHER:
                self._miss()
            if self._leaving and self._left == set(self._peers):
                self._closed.set()

    def _ping(self) -> None:
        for index in set(self._peers) - set(self._gone):
            with contextlib.suppress(OSError):
                self._peers[index].connection.sendall(b"\n")

    def _read(self, index: int) -> None:
        connection = self._peers[index].connection
        try:
            got = connection.recv(4096)
        except OSError:
            got = b""
        if not got:
            self._selector.unregister(connection)
            if index not in self._left:
                self._gone.setdefault(index, time.monotonic())
            return
        self._heard[index] = time.monotonic()
        *lines, self._unread[index] = (self._unread[index] + got).split(b"\n")
        for message in (json.loads(line) for line in lines if line):
            if "stop" in message:
                self._stop(message, index)
            self._left.add(index)  # it is at its end

    def _miss(self) -> NoReturn:
        names = [name(index, self.processes, self._peers[index].host) for index in sorted(self._gone)]
        self._stop({"stop": f"{' and '.join(names)} no longer answer{'s' * (len(names) == 1)}.", "code": 1})

    def _stop(self, message: Mapping[str, Any], source: int | None = None) -> NoReturn:
        _speaking.acquire()
        self._tell(message, but=source)
        self._end(message["stop"], message["code"], message.get("complete", False))

    def _end(self, sentence: str, code: int, complete: bool) -> NoReturn:
        """Print what has happened, what is left and how to go on; end this process, whatever it is doing."""
        if _left and not complete:
            sentence = f"{sentence.rstrip('.')}; {_left[-1]()} {self.go_on}"
        out, err = lenient(sys.stdout), lenient(sys.stderr)
        if out.isatty():
            out.write("\x1b[?25h")  # the cursor, which a progress bar hides
        out.flush()
        err.write(f"jaxgan: {sentence}\n")
        err.flush()
        os._exit(code)

    def _tell(self, message: Mapping[str, Any], but: int | None = None) -> None:
        """Tell the others, and wait until they have closed: what is unread when a process ends may be lost."""
        others = [self._peers[index].connection for index in set(self._peers) - set(self._gone) - {but}]
        for connection in others:
            send(connection, message)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + FAREWELL
        for connection in others:
            with contextlib.suppress(OSError):
                while time.monotonic() < deadline and connection.recv(4096):
                    pass


def name(index: int, processes: int, host: str) -> str:
    """A process for people."""
    return f"process {index} of {processes} on {host}"
