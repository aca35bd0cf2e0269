"""How the processes of a run find each other: process 0 waits at an address, and the others call it."""

import contextlib
import json
import socket
import time
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import jax

import jaxgan
from jaxgan.errors import UserError
from jaxgan.train.cluster.link import Peer, send

HELLO_SECONDS = 5.0  # in which who calls says who it is
RETRY_SECONDS = 0.3
LATE_SECONDS = 15.0  # that the others wait longer than process 0, which can say who is missing
VERSIONS = f"jaxgan {jaxgan.__version__} and jax {jax.__version__}"


class Place(NamedTuple):
    """A process's place among those of a run.

    Attributes:
        address: HOST:PORT, where process 0 waits.
        processes: how many there are.
        number: its own, counted from 0.
        local_devices: the numbers of the machine's devices that it uses, or None for all.
    """

    address: str
    processes: int
    number: int
    local_devices: list[int] | None = None


def meet(place: Place, seconds: int) -> tuple[list[Peer], str]:
    """Wait for all processes, for some seconds at most.

    Returns:
        The connections to the others: in process 0 to all, else to process 0 alone. And the address of JAX's
        coordination service, which process 0 is to start.

    Raises:
        UserError: the address cannot be used, or not all have come in time.
    """
    return _gather(place, seconds) if place.number == 0 else _call(place, seconds)


def split(address: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; an IPv6 address is in brackets, which the host comes without."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def receive(connection: socket.socket, seconds: float) -> dict[str, Any] | None:
    """The message that comes first; {} where the other side closes before, None where nothing comes in some seconds.

    Raises:
        ValueError: what comes is no message.
    """
    deadline, line = time.monotonic() + seconds, b""
    while not line.endswith(b"\n"):
        connection.settimeout(max(deadline - time.monotonic(), 0.01))
        try:
            got = connection.recv(1)  # no more than the line: what follows is for whoever reads next
        except TimeoutError:
            return None
        except OSError:
            got = b""
        if not got:
            return {}
        line += got
        if len(line) > 4096:
            raise ValueError("too long")
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def _gather(place: Place, seconds: int) -> tuple[list[Peer], str]:
    try:
        server = _listen(split(place.address)[1])
    except OSError as error:
        reason = f"{place.address} cannot be waited at ({error.strerror or error})"
        raise UserError(f"{reason}; --coordinator takes an address of process 0 with a free port.") from error
    deadline, peers = time.monotonic() + seconds, {}
    with server:
        while missing := [i for i in range(1, place.processes) if i not in peers or _is_closed(peers[i].connection)]:
            server.settimeout(max(min(deadline - time.monotonic(), 1.0), 0.01))
            with contextlib.suppress(TimeoutError):
                _admit(server.accept()[0], place, peers)
            if time.monotonic() > deadline:
                raise UserError(_say_missing(place, seconds, missing, peers))
    host = place.address.rpartition(":")[0]
    address = f"{host}:{_free_port()}"
    for peer in peers.values():
        send(peer.connection, {"start": address})
    return list(peers.values()), address


def _listen(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):  # a system may know IPv6 and have it switched off
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _admit(connection: socket.socket, place: Place, peers: dict[int, Peer]) -> None:
    """Take a caller in, or say why not; who does not say what a process says is no process."""
    try:
        hello = receive(connection, HELLO_SECONDS)
        peer = Peer(connection, int((hello or {})["process"]), str((hello or {})["host"]))
    except (ValueError, KeyError, TypeError):
        connection.close()
        return
    refusal = _refusal(hello or {}, peer, place, peers)
    if refusal:
        send(connection, {"refused": refusal})
        connection.close()
        return
    if peer.number in peers:  # it has ended and been started again
        peers[peer.number].connection.close()
    peers[peer.number] = peer


def _refusal(hello: Mapping[str, Any], peer: Peer, place: Place, peers: Mapping[int, Peer]) -> str:
    other = peers.get(peer.number)
    if hello.get("processes") != place.processes:
        return f"process 0 was told of {place.processes} processes and this one of {hello.get('processes')}."
    if hello.get("versions") != VERSIONS:
        return f"process 0 has {VERSIONS}, and this one {hello.get('versions')}."
    if not 0 < peer.number < place.processes or (other and not _is_closed(other.connection)):
        return f"another process, on {other.host if other else socket.gethostname()}, has the number {peer.number}."
    return ""


def _say_missing(place: Place, seconds: int, missing: Collection[int], peers: Mapping[int, Peer]) -> str:
    """Say it to those that have come, and close; the sentence."""
    numbers = ", ".join(map(str, missing))
    sentence = f"process {numbers} of {place.processes} did not come to {place.address} within {seconds} s"
    sentence = f"{sentence}, in which all have to be started (--join-timeout)."
    for peer in peers.values():
        send(peer.connection, {"refused": sentence})
        peer.connection.close()
    return sentence


def _call(place: Place, seconds: int) -> tuple[list[Peer], str]:
    deadline, hello = time.monotonic() + seconds, {"process": place.number, "processes": place.processes}
    while (left := deadline - time.monotonic()) > 0:
        connection = _connect(place.address, min(left, HELLO_SECONDS))
        if connection is None:
            time.sleep(RETRY_SECONDS)
            continue
        send(connection, {**hello, "versions": VERSIONS, "host": socket.gethostname()})
        service = _service(connection, left + LATE_SECONDS, place.address)
        if service:
            return [Peer(connection, 0, split(place.address)[0])], service
        connection.close()
        time.sleep(RETRY_SECONDS)  # process 0 has ended; perhaps it is started again
    reason = f"process 0 of {place.processes} did not answer at {place.address} within {seconds} s"
    raise UserError(f"{reason}, in which all have to be started (--join-timeout).")


def _service(connection: socket.socket, seconds: float, address: str) -> str | None:
    """What process 0 answers when all are there; None where it does not. UserError where it refuses."""
    try:
        answer = receive(connection, seconds)
        if not answer or "start" in answer:
            return answer["start"] if answer else None
        refusal = answer["refused"]
    except (ValueError, KeyError):
        refusal = f"what answers at {address} is no process of this run."
    connection.close()
    raise UserError(refusal)


def _connect(address: str, seconds: float) -> socket.socket | None:
    try:
        connection = socket.create_connection(split(address), seconds)
    except OSError:
        return None
    if connection.getsockname() == connection.getpeername():  # nobody listens: the system may connect a port to itself
        connection.close()
        return None
    return connection


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]
