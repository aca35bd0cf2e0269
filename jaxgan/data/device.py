"""Data that stays on the device: whole tables as they are stored, gathered inside the compiled step."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxgan.data.source import ArraySource, Data, Table
from jaxgan.data.threads import in_threads
from jaxgan.fields import Spec


def resident(data: Data, spec: Spec) -> tuple[dict[str, np.ndarray], ...]:
    """Returns, for each table, its fields that `spec` names as {name: array [n, ...]}.

    Allocates `nbytes(data, spec)` bytes unless the set lies in memory already.
    """
    return tuple(_whole(table, spec) for table in data.tables)


def _whole(table: Table, spec: Spec) -> dict[str, np.ndarray]:
    names = [name for name in table.spec if name in spec]
    if isinstance(table.source, ArraySource):
        return {name: table.source.arrays[name] for name in names}
    arrays = {name: np.empty((table.rows, *spec[name].fixed), spec[name].dtype) for name in names}

    def fill(index: int) -> None:
        example = table.source[index]
        for name in names:
            arrays[name][index] = example[name]

    in_threads(fill, table.rows)
    return arrays


def take(arrays: Mapping[str, Array | np.ndarray], index: Int[Array, "*b"] | Int[np.ndarray, "*b"]) -> dict[str, Array]:
    """Gathers a batch from arrays [N, ...] by index [B]; pure, for use inside `jit`. All stays as it is stored."""
    return jax.tree.map(lambda whole: jnp.take(jnp.asarray(whole), index, axis=0), dict(arrays))
