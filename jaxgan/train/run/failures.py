"""What can stop a run, in one sentence."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import jax

from jaxgan.errors import lacks_memory
from jaxgan.train.cluster import link
from jaxgan.train.monitor.findings import Finding
from jaxgan.train.run.rundir import RunDir


class TrainingError(RuntimeError):
    """Training cannot go on; one sentence says why and what is left."""


class Collapse(Exception):  # noqa: N818
    """The run is to go back to its last healthy checkpoint because of what was found at a step; never seen by users."""

    def __init__(self, step: int, finding: Finding) -> None:
        super().__init__(step, finding)
        self.step, self.finding = step, finding


def what_is_left(folder: RunDir, saved: int | None) -> str:
    """The end of such a sentence; `saved` is the newest checkpoint's step, or None."""
    if saved is None:
        return f"training stopped, and {folder.root} has no checkpoint yet."
    good: Path = folder.checkpoints / str(saved)
    return f"training stopped, and the last good checkpoint is {good}."


@contextlib.contextmanager
def writing(folder: RunDir, left: Callable[[], str]) -> Iterator[None]:
    """Turn an OSError, such as a full disk's, into a TrainingError that ends with `left()`."""
    try:
        yield
    except OSError as error:
        path, reason = error.filename or folder.root, error.strerror or error
        raise TrainingError(f"{path} cannot be written ({reason}); {left()}") from error


@contextlib.contextmanager
def computing(left: Callable[[], str]) -> Iterator[None]:
    """Turn a lack of memory, of the device or of this machine, into a TrainingError that ends with `left()`.

    A KeyboardInterrupt, where a signal does not wait for a checkpoint, says `left()` too.

    It is also what this process says of the run where another one is gone.
    """
    try:
        with link.telling(left):
            yield
    except KeyboardInterrupt as stop:
        raise stop if stop.args else KeyboardInterrupt(left()) from None
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise TrainingError(
            "there is not enough memory; a smaller --batch-size, or a larger --accumulate, needs less; " + left()
        ) from error
