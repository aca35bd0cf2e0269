"""What the tests of several processes share: an address on loopback, and how processes end."""

from pathlib import Path

from jaxgan.train.cluster import meeting

ROOT = Path(__file__).parents[2]


def free_address():
    with meeting._listen(0) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def ends(processes, seconds=300):
    """Exit code and last line of stderr of each."""
    said = [process.communicate(timeout=seconds)[1].splitlines() for process in processes]
    return [(process.returncode, lines[-1] if lines else "") for process, lines in zip(processes, said, strict=True)]
