"""What all processes of a run must see alike: they save, stop and roll back together or not at all."""

import hashlib
import json
from typing import Any

import jax
import numpy as np


def first(values: Any) -> Any:
    """The first process's numbers (a NumPy array), in all processes; every process must call this."""
    if jax.process_count() == 1:
        return values
    from jax.experimental import multihost_utils

    return multihost_utils.broadcast_one_to_all(values)


def largest(value: int) -> int:
    """The largest of all processes' numbers; every process must call this."""
    if jax.process_count() == 1:
        return value
    from jax.experimental import multihost_utils

    return int(np.max(multihost_utils.process_allgather(np.int32(value))))


def others(description: Any) -> list[int]:
    """The numbers of the processes whose JSON values are not those of the first; every process must call this."""
    if jax.process_count() == 1:
        return []
    from jax.experimental import multihost_utils

    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).digest()
    digests = np.asarray(multihost_utils.process_allgather(np.frombuffer(digest, np.int32)))
    return np.flatnonzero((digests != digests[0]).any(axis=1)).tolist()
