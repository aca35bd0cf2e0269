"""What all processes of a run must see alike: they save, stop and roll back together or not at all."""

import hashlib
import json
from collections.abc import Mapping
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


def others(parts: Mapping[str, Any]) -> list[tuple[int, list[str]]]:
    """The processes whose JSON values are not those of the first, and which these are; every process must call this.

    Args:
        parts: JSON values, of the same names in all processes.
    """
    if jax.process_count() == 1:
        return []
    from jax.experimental import multihost_utils

    texts = [json.dumps(value, sort_keys=True) for value in parts.values()]
    digests = np.stack([np.frombuffer(hashlib.sha256(text.encode()).digest(), np.int32) for text in texts])
    gathered = np.asarray(multihost_utils.process_allgather(digests))
    differ = (gathered != gathered[0]).any(axis=2)
    return [
        (i, [name for name, one in zip(parts, row, strict=True) if one]) for i, row in enumerate(differ) if row.any()
    ]
