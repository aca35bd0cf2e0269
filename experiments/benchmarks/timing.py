"""Variants of the same work, each in a process of its own, timed in turn; medians, ratios, and the machine.

Processes of their own keep the variants' thread pools and memory apart. Only one of them works at any time: the others
wait for their turn. What else the machine does moves all of them, and the ratios less.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

SECONDS_A_TURN = 1.0
PACKAGES = ("jaxgan", "jax", "jaxlib", "flax", "optax", "numpy", "torch")


class CannotRunError(Exception):
    """A variant that cannot run here, with the last line that it printed."""


class Worker:
    """A variant in a process of its own: `command` ends in `serve`."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.about = json.loads(self._answer())

    def turn(self) -> float:
        """Seconds for each unit of work, of a turn that takes about `SECONDS_A_TURN`."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._answer())

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            said = self._process.communicate()[1].strip().splitlines()
            raise CannotRunError(said[-1] if said else "it ended without a word")
        return answer


def serve(work: Callable[[int], float], **about: Any) -> None:
    """In a worker: warm up, say that it is ready, and answer each line with the seconds of a turn.

    Args:
        work: `units -> seconds for each`; called once before it is timed.
        about: what the variant says of itself.
    """
    work(1)
    units = max(1, round(SECONDS_A_TURN / max(min(work(1), work(2)), 1e-9)))
    work(units)
    print(json.dumps({**about, "units_a_turn": units}), flush=True)
    for _ in sys.stdin:
        print(work(units), flush=True)


def clocked(step: Callable[[], Any], wait: Callable[[], Any] = lambda: None) -> Callable[[int], float]:
    """`work` for `serve` from a function that takes one step, and one that waits until all steps are done."""

    def work(units: int) -> float:
        begin = time.perf_counter()
        for _ in range(units):
            step()
        wait()
        return (time.perf_counter() - begin) / units

    return work


def in_turn(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, dict[str, Any]]:
    """Start a worker for each command, give each a turn in every round, and stop them.

    Returns:
        By name: `seconds` of every round and what the worker said of itself; or `failed`, why it could not run.
    """
    if rounds < 1:
        raise SystemExit(f"--rounds must be at least 1, got {rounds}.")
    workers: dict[str, Worker] = {}
    found: dict[str, dict[str, Any]] = {}
    try:
        for name, command in commands.items():
            try:
                workers[name] = Worker(command)
                found[name] = {**workers[name].about, "seconds": []}
            except CannotRunError as failed:
                found[name] = {"failed": str(failed)}
        for _ in range(rounds):
            for name, worker in workers.items():
                found[name]["seconds"].append(worker.turn())
    finally:
        for worker in workers.values():
            worker.stop()
    return found


def table(title: str, found: Mapping[str, Mapping[str, Any]], base: str, images: int) -> list[str]:
    """Lines for people: median and minimum in ms, images a second, speed relative to `base` (above 1: faster)."""
    lines = [f"{title}: ms median (min), images/s, speed relative to {base}"]
    base_seconds = found.get(base, {}).get("seconds")
    for name, row in found.items():
        if "failed" in row:
            lines.append(f"  {name:24s} not run: {row['failed'][:90]}")
            continue
        median, least = statistics.median(row["seconds"]), min(row["seconds"])
        ratio = f"{statistics.median(base_seconds) / median:6.2f}" if base_seconds else "     -"
        lines.append(f"  {name:24s} {1e3 * median:9.2f} ({1e3 * least:9.2f}) {images / median:9.0f} {ratio}")
    return lines


def machine() -> dict[str, Any]:
    """Where and when numbers were measured."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    import jax

    devices = [device.device_kind for device in jax.devices()]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": _cpu(),
        "devices": devices,
        "python": platform.python_version(),
        "versions": versions,
    }


def stamped(protocol: str, results: Mapping[str, Any]) -> dict[str, Any]:
    """Results with their protocol and machine."""
    return {"protocol": protocol, "machine": machine(), "results": results}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Stamped results, or several by question, as JSON."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _cpu() -> str:
    """Count, name, family and model: a virtual machine's name alone does not say which generation it is."""
    source = Path("/proc/cpuinfo")
    lines = source.read_text().splitlines() if source.exists() else []
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    if "model name" not in told:
        return platform.processor()
    return f"{os.cpu_count()} x {told['model name']}, family {told.get('cpu family')}, model {told.get('model')}"
