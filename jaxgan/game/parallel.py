"""One training step on many devices: sharded `jit` (the default), `pmap` or `shard_map`, over a one-dimensional mesh.

State is replicated; a batch is split over the axis `data`. The step is the same pure function in all three. Under
`pmap` and `shard_map` it sees its own device's examples only, and must have been made with `axis_name=AXIS`.
"""

import collections
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxgan.errors import UserError

AXIS = "data"
Mode: TypeAlias = Literal["jit", "pmap", "shard_map"]


def axis_name_of(mode: str) -> str | None:
    """The `axis_name` with which a step must be built to run in `mode`."""
    if mode not in get_args(Mode):
        raise UserError(f"parallel must be one of {', '.join(get_args(Mode))}, got {mode!r}.")
    return None if mode == "jit" else AXIS


def make_mesh(devices: Sequence[Any] | None = None) -> Mesh:
    """A one-dimensional mesh over `devices`, or over all devices of all processes.

    The devices of a process follow each other, as `place_batch` says; `jax.make_mesh` would order a TPU's by its wires.
    """
    devices = in_order(jax.devices() if devices is None else devices)
    # Auto axes: linen's embeddings and gathers do not know explicit ones.
    return Mesh(np.asarray(devices), (AXIS,), axis_types=(AxisType.Auto,))


def in_order(devices: Sequence[Any]) -> list[Any]:
    """Devices by process, and those of one process by number."""
    return sorted(devices, key=lambda device: (device.process_index, device.id))


def check_even(devices: Sequence[Any]) -> None:
    """Raise UserError, in every process alike, where processes have different numbers of these devices."""
    counts = collections.Counter(device.process_index for device in devices)
    if len(set(counts.values())) > 1:
        each = ", ".join(f"process {process} has {count}" for process, count in sorted(counts.items()))
        raise UserError(f"the processes of a run take the same number of devices each, but {each}.")


def parallelize(
    fn: Callable[[Any, Any, Any], tuple[Any, Any]],
    mode: str,
    mesh: Mesh,
    batch_axes: Any = 0,
    donate: bool = True,
) -> Any:
    """Compile `fn(state, batch, rng) -> (state, metrics)` for all devices of `mesh`.

    Args:
        fn: a training step, or several in one scan.
        mode: how the devices are used. The result is the same function of the same global arrays in every mode.
        mesh: from `make_mesh`.
        batch_axes: which axis of a batch leaf is split over the devices, None for a leaf that all devices hold whole;
            one value for all leaves or a pytree prefix of the batch.
        donate: reuse the memory of the given state; the caller must not use it again.

    Returns:
        The compiled function, with the `lower` of a jitted one.

    Raises:
        UserError: an unknown mode, or `pmap` where several processes train together.
    """
    axis_name_of(mode)
    if mode == "pmap" and jax.process_count() > 1:
        raise UserError("--parallel pmap works within one process only; several take jit or shard_map.")
    donated = (0,) if donate else ()
    if mode == "pmap":
        return _pmap(fn, mesh, batch_axes, donated)
    specs = _specs(batch_axes)
    if mode == "shard_map":
        mapped = jax.shard_map(
            fn, mesh=mesh, in_specs=(PartitionSpec(), specs, PartitionSpec()), out_specs=PartitionSpec()
        )
        return jax.jit(mapped, donate_argnums=donated)
    whole = NamedSharding(mesh, PartitionSpec())
    shardings = jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs, is_leaf=_is_spec)
    return jax.jit(fn, in_shardings=(whole, shardings, whole), out_shardings=whole, donate_argnums=donated)


def place_batch(batch: Any, mesh: Mesh, batch_axes: Any = 0) -> Any:
    """Global device arrays from the rows that this process holds.

    With one process these are all rows; with several, process p gives the p-th contiguous share of each split axis.
    """

    def place(spec: PartitionSpec, leaves: Any) -> Any:
        sharding = NamedSharding(mesh, spec)
        return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), leaves)

    return jax.tree.map(place, _specs(batch_axes), batch, is_leaf=_is_spec)


def place_state(state: Any, mesh: Mesh) -> Any:
    """Replicate a pytree (a state, a key) over all devices of the mesh; every process must give the same values."""
    whole = NamedSharding(mesh, PartitionSpec())

    def place(x: Any) -> jax.Array:
        if jnp.issubdtype(jnp.result_type(x), jax.dtypes.prng_key):
            return jax.random.wrap_key_data(place(jax.random.key_data(x)), impl=jax.random.key_impl(x))
        return jax.make_array_from_process_local_data(whole, np.asarray(x))

    return jax.tree.map(place, state)


def _pmap(fn: Callable[..., Any], mesh: Mesh, batch_axes: Any, donated: tuple[int, ...]) -> "_OfShares":
    mapped = jax.pmap(
        fn,
        axis_name=AXIS,
        in_axes=(None, batch_axes, None),
        out_axes=None,
        devices=list(mesh.devices.flat),
        donate_argnums=donated,
    )

    def split(axis: int | None, leaves: Any) -> Any:
        return leaves if axis is None else jax.tree.map(lambda x: _split_axis(x, axis, mesh.size), leaves)

    return _OfShares(mapped, lambda batch: jax.tree.map(split, batch_axes, batch, is_leaf=lambda axis: axis is None))


class _OfShares:
    """A stage of `pmap`, traced to compiled, that takes whole batches and splits them."""

    def __init__(self, stage: Any, split: Callable[[Any], Any]) -> None:
        self._stage, self._split = stage, split

    def __call__(self, state: Any, batch: Any, rng: Any) -> tuple[Any, Any]:
        return self._stage(state, self._split(batch), rng)

    def lower(self, state: Any, batch: Any, rng: Any) -> "_OfShares":
        return _OfShares(self._stage.lower(state, self._split(batch), rng), self._split)

    def compile(self) -> "_OfShares":
        return _OfShares(self._stage.compile(), self._split)

    def cost_analysis(self) -> Any:
        return self._stage.cost_analysis()

    def memory_analysis(self) -> Any:
        return self._stage.memory_analysis()


def _split_axis(x: Any, axis: int, parts: int) -> Any:
    if x.shape[axis] % parts:
        raise UserError(f"an axis of {x.shape[axis]} examples cannot be split evenly over {parts} devices.")
    return x.reshape(*x.shape[:axis], parts, -1, *x.shape[axis + 1 :])


def _specs(batch_axes: Any) -> Any:
    def spec(axis: int | None) -> PartitionSpec:
        return PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, AXIS)

    return jax.tree.map(spec, batch_axes, is_leaf=lambda axis: axis is None)


def _is_spec(x: Any) -> bool:
    return isinstance(x, PartitionSpec)
