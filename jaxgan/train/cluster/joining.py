"""Several processes, on one or many machines, that train one run: how each is told, and how they begin and end."""

import contextlib
import ctypes
import dataclasses
import os
import re
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import jax

from jaxgan.errors import UserError, flag
from jaxgan.options import parse
from jaxgan.train.cluster import meeting
from jaxgan.train.cluster.link import GATHER, SILENCE, Link
from jaxgan.train.cluster.meeting import Place
from jaxgan.train.run.config import check_at_least
from jaxgan.train.run.failures import TrainingError

EXPLICIT = ("coordinator", "processes", "process_id")
ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(\d{1,5})")
START_SECONDS = 120  # for JAX's own service, when all are there
LOST = re.compile("gloo|nccl|coordination|barrier|UNAVAILABLE|DEADLINE_EXCEEDED|ABORTED|CANCELLED", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster:
    """Which processes train together; each is told for itself, and the run does not depend on it."""

    distributed: bool = False
    """Train in several processes, found from SLURM, Open MPI, a TPU pod or Kubernetes; start all alike."""
    coordinator: str | None = None
    """HOST:PORT of process 0, where nothing of the kind is there to find the processes from."""
    processes: int | None = None
    """With --coordinator: how many processes there are."""
    process_id: int | None = None
    """With --coordinator: the number of this one, counted from 0."""
    join_timeout: int = 300
    """Seconds in which all processes have to be started."""


def cluster_of(args: Sequence[str]) -> Cluster:
    """The options of a cluster among others, before anything is known of the others."""
    kinds, mine, taking = {flag(field.name): field.type for field in dataclasses.fields(Cluster)}, [], False
    for arg in args:
        known = arg.partition("=")[0].replace("_", "-")
        if arg.startswith("--"):
            taking = known in kinds
        mine += [arg] if taking else []
        taking = taking and arg.startswith("--") and "=" not in arg and kinds[known] is not bool
    return parse("jaxgan train", "", (Cluster,), mine)[0]


def find(cluster: Cluster) -> Place | None:
    """This process's place; None where it trains alone. UserError for options that name none."""
    check_at_least("join_timeout", cluster.join_timeout, 1)
    missing = [flag(each) for each in EXPLICIT if getattr(cluster, each) is None]
    if missing and len(missing) < len(EXPLICIT):
        needed = ", ".join(map(flag, EXPLICIT))
        raise UserError(f"{needed} go together, or --distributed alone; {missing[0]} is missing.")
    if missing:
        return _detect(cluster.join_timeout) if cluster.distributed else None
    address, processes, index = cluster.coordinator or "", cluster.processes or 0, cluster.process_id or 0
    match = ADDRESS.fullmatch(address)
    if not match or not 0 < int(match[2]) < 2**16:
        raise UserError(f"--coordinator takes HOST:PORT, an address of process 0, got {address}.")
    check_at_least("processes", processes, 1)
    if not 0 <= index < processes:
        raise UserError(f"--process-id takes a number from 0 to {processes - 1}, got {index}.")
    return Place(address, processes, index) if processes > 1 else None


@contextlib.contextmanager
def joined(cluster: Cluster, out: str | None) -> Iterator[int]:
    """Within it, this process is one of those that train the run in the folder `out`; gives its number.

    What ends one of them ends all: with an error that has been raised, or with a sentence on who is gone.

    Raises:
        UserError: no cluster, no `out`, or processes that do not come.
    """
    place = find(cluster)
    if place is None:
        yield 0
        return
    if out is None:
        raise UserError("--out is needed where several processes train together.")
    peers, service = meeting.meet(place, cluster.join_timeout)
    go_on = f"Go on with jaxgan train --resume {out} in any number of processes."
    link = Link(place.number, place.processes, peers, go_on)
    with _failing(link):
        _initialize(place, service, link)
        yield place.number
        jax.distributed.shutdown()
    link.leave()


def _detect(seconds: int) -> Place | None:
    """The place that the environment gives, by the rules of `jax.distributed.initialize`."""
    from jax._src.clusters import ClusterEnv  # the rules have no public name

    address = os.environ.get("JAX_COORDINATOR_ADDRESS")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package that Kubernetes takes; what is said below names it
            found: Any = ClusterEnv.auto_detect_unset_distributed_params(address, None, None, None, None, seconds)
    except Exception as error:  # of a network, an API or a variable that is not as expected
        why = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise UserError(f"--distributed cannot make out the cluster ({why}); --coordinator names one.") from error
    address, processes, index, local_devices = found
    if address is None or processes is None or index is None:
        raise UserError(
            "--distributed finds processes that srun (SLURM), mpirun (Open MPI), a TPU pod or Kubernetes (with the "
            "package kubernetes) has started, and sees none of these; --coordinator HOST:PORT --processes N "
            "--process-id I names them."
        )
    return Place(address, processes, index, local_devices) if processes > 1 else None


def _initialize(place: Place, service: str, link: Link) -> None:
    """Start JAX's own service, by which devices find each other."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM for itself
    _delay_aborts()
    failure = f"JAX's coordination service at {service} did not start"
    # JAX itself would abort the process in the end, and say nothing that helps.
    sentence = f"{failure} within {START_SECONDS} s; a proxy or a firewall may be in its way."
    timer = threading.Timer(START_SECONDS, link.fail, (sentence, 2))
    timer.daemon = True
    timer.start()
    try:
        jax.distributed.initialize(
            service,
            place.processes,
            place.number,
            place.local_devices,
            initialization_timeout=START_SECONDS + int(SILENCE),
        )
    except RuntimeError as error:  # the port has been taken meanwhile, or devices have been used already
        raise UserError(f"{failure} ({next(iter(str(error).splitlines()), 'for no reason given')}).") from error
    timer.cancel()


def _delay_aborts() -> None:
    """Let an abort wait for six seconds, in which the link's thread can say what is the matter and end the process.

    JAX's client of the coordination service aborts the process as soon as process 0 is gone, with a stack trace. No
    handler in Python would run then; but the C library's `sleep` is one that may run in a signal handler, and the
    signal's number, which it is called with, is its seconds.
    """
    if os.name != "posix":
        return
    library = ctypes.CDLL(None)
    library.signal.argtypes, library.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    library.signal(signal.SIGABRT, ctypes.cast(library.sleep, ctypes.c_void_p))


@contextlib.contextmanager
def _failing(link: Link) -> Iterator[None]:
    """End all processes with the error that is raised within it."""
    try:
        yield
    except UserError as error:
        link.fail(str(error), 2)
    except KeyboardInterrupt:
        link.fail("interrupted.", 130, complete=False)
    except Exception as error:
        # Where another process is gone, what is computed together fails; the link knows better, and ends this process.
        time.sleep(SILENCE + GATHER if LOST.search(str(error)) else 2 * GATHER)
        if isinstance(error, TrainingError):
            link.fail(str(error), 1)
        traceback.print_exc()
        link.fail(f"{type(error).__name__}, an error that it has printed.", 1, complete=False)
