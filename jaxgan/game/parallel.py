"""One training step on many devices: sharded `jit` (the default), `pmap` or `shard_map`, over a one-dimensional mesh.

State is replicated but for `GameState.local`, whose rows are split over the axis `data` as a batch is. The step is the
same pure function in all three. Under `pmap` and `shard_map` it sees its own device's examples and rows only, and must
have been made with `axis_name=AXIS`.
"""

import collections
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.game.state import GameState

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
        fn: a training step, or several in one scan. Of a `GameState`, `local` is split over the devices by rows, the
            rest replicated; any other state is replicated whole. The state returned is like the one given.
        mode: how the devices are used. The result is the same function of the same global arrays in every mode.
        mesh: from `make_mesh`.
        batch_axes: which axis of a batch leaf is split over the devices, None for a leaf that all devices hold whole;
            one value for all leaves or a pytree prefix of the batch.
        donate: reuse the memory of the given state; the caller must not use it again. Frozen networks are then those
            of the returned state, in the memory where they were.

    Returns:
        The compiled function, with the `lower` of a jitted one.

    Raises:
        UserError: an unknown mode, `pmap` where several processes train together, or (when it is called) rows of
            `local` that the devices do not divide.
    """
    axis_name_of(mode)
    if mode == "pmap" and jax.process_count() > 1:
        raise UserError("--parallel pmap works within one process only; several take jit or shard_map.")
    donated = (0,) if donate else ()

    def stage(state_axes: Any) -> Any:
        if mode == "pmap":
            return _pmap(fn, mesh, state_axes, batch_axes, donated)
        takes = _specs((state_axes, batch_axes, None))
        gives = _specs((state_axes, None))
        if mode == "shard_map":
            return jax.jit(jax.shard_map(fn, mesh=mesh, in_specs=takes, out_specs=gives), donate_argnums=donated)
        takes, gives = _shardings(takes, mesh), _shardings(gives, mesh)
        return jax.jit(fn, in_shardings=takes, out_shardings=gives, donate_argnums=donated)

    return _OfState(stage, mesh.size)


def place_batch(batch: Any, mesh: Mesh, batch_axes: Any = 0) -> Any:
    """Global device arrays from the rows that this process holds.

    With one process these are all rows; with several, process p gives the p-th contiguous share of each split axis.
    """

    def place(spec: PartitionSpec, leaves: Any) -> Any:
        sharding = NamedSharding(mesh, spec)
        return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), leaves)

    return jax.tree.map(place, _specs(batch_axes), batch, is_leaf=_is_spec)


def place_state(state: Any, mesh: Mesh) -> Any:
    """Device arrays of a pytree (a state, a key): `local` of a `GameState` split by rows, the rest on every device.

    Every process must give the same values, and of `local` its own rows: `own_rows` takes them from all.

    Raises:
        UserError: rows of `local` that the devices do not divide.
    """

    def place(sharding: NamedSharding, x: Any) -> jax.Array:
        if jnp.issubdtype(jnp.result_type(x), jax.dtypes.prng_key):
            return jax.random.wrap_key_data(place(sharding, jax.random.key_data(x)), impl=jax.random.key_impl(x))
        return jax.make_array_from_process_local_data(sharding, np.asarray(x))

    _check_rows(state, mesh.size // jax.process_count())
    return jax.tree.map(place, state_shardings(state, mesh), state)


def own_rows(state: Any, process: int | None = None, processes: int | None = None) -> Any:
    """A state with this process's share of the rows of `local`, as `place_state` takes it.

    Args:
        state: with the rows of all devices, as `init` makes it.
        process: whose share; this one's.
        processes: how many share; all of the run.

    Raises:
        UserError: rows that the processes do not divide.
    """
    process = jax.process_index() if process is None else process
    processes = jax.process_count() if processes is None else processes
    _check_rows(state, processes)

    def share(axis: int | None, leaves: Any) -> Any:
        return (
            leaves if axis is None else jax.tree.map(lambda x: x.reshape(processes, -1, *x.shape[1:])[process], leaves)
        )

    return _map_axes(share, _state_axes(state), state)


def state_shardings(state: Any, mesh: Mesh) -> Any:
    """Where each leaf of a state lies: a `NamedSharding` for each array, or shape, of `state`.

    With them the abstract state of a checkpoint is complete: Orbax restores `local` split, the rest on every device.
    """

    def each(spec: PartitionSpec, leaves: Any) -> Any:
        return jax.tree.map(lambda _: NamedSharding(mesh, spec), leaves)

    return jax.tree.map(each, _specs(_state_axes(state)), state, is_leaf=_is_spec)


def _state_axes(state: Any) -> Any:
    """0 in the place of each leaf of `state` that is in `local` of a `GameState`, None in that of all others."""

    def axes(node: Any) -> Any:
        if not isinstance(node, GameState):
            return None
        return jax.tree_util.tree_map_with_path(lambda path, _: 0 if path[0].name == "local" else None, node)

    return jax.tree.map(axes, state, is_leaf=lambda node: isinstance(node, GameState))


def _map_axes(fn: Callable[[int | None, Any], Any], axes: Any, tree: Any) -> Any:
    return jax.tree.map(fn, axes, tree, is_leaf=lambda axis: axis is None)


def _check_rows(state: Any, parts: int) -> None:
    def check(axis: int | None, leaves: Any) -> None:
        for leaf in jax.tree.leaves(leaves) if axis == 0 else ():
            if not leaf.ndim or leaf.shape[0] % parts:
                rows = leaf.shape[0] if leaf.ndim else "no"
                raise UserError(f"{rows} rows of GameState.local cannot be split evenly over {parts} devices.")

    _map_axes(check, _state_axes(state), state)


class _OfState:
    """A step of `parallelize`, compiled when it is known what the state is, and so what of it is split."""

    def __init__(self, stage: Callable[[Any], Any], devices: int) -> None:
        self._make, self._devices, self._stages = stage, devices, {}

    def _stage(self, state: Any) -> Any:
        structure = jax.tree.structure(state)
        if structure not in self._stages:
            _check_rows(state, self._devices)
            self._stages[structure] = self._make(_state_axes(state) if isinstance(state, GameState) else None)
        return self._stages[structure]

    def __call__(self, state: Any, batch: Any, rng: Any) -> tuple[Any, Any]:
        return self._stage(state)(state, batch, rng)

    def lower(self, state: Any, batch: Any, rng: Any) -> Any:
        return self._stage(state).lower(state, batch, rng)


def _pmap(
    fn: Callable[..., Any], mesh: Mesh, state_axes: Any, batch_axes: Any, donated: tuple[int, ...]
) -> "_OfShares":
    mapped = jax.pmap(
        fn,
        axis_name=AXIS,
        in_axes=(state_axes, batch_axes, None),
        out_axes=(state_axes, None),
        devices=list(mesh.devices.flat),
        donate_argnums=donated,
    )
    rows = NamedSharding(mesh, PartitionSpec(AXIS))

    def split(axis: int | None, leaves: Any) -> Any:
        return leaves if axis is None else jax.tree.map(lambda x: _split_axis(x, axis, mesh.size), leaves)

    def join(axis: int | None, leaves: Any) -> Any:
        def rows_of(x: Any) -> Any:
            return jax.device_put(x.reshape(-1, *x.shape[2:]), rows)

        return leaves if axis is None else jax.tree.map(rows_of, leaves)

    axes = (state_axes, batch_axes)
    return _OfShares(
        mapped, lambda *given: _map_axes(split, axes, given), lambda state: _map_axes(join, state_axes, state)
    )


class _OfShares:
    """A stage of `pmap`, traced to compiled, that takes and gives whole arrays and splits and joins them."""

    def __init__(self, stage: Any, split: Callable[[Any, Any], Any], join: Callable[[Any], Any]) -> None:
        self._stage, self._split, self._join = stage, split, join

    def __call__(self, state: Any, batch: Any, rng: Any) -> tuple[Any, Any]:
        state, metrics = self._stage(*self._split(state, batch), rng)
        return self._join(state), metrics

    def lower(self, state: Any, batch: Any, rng: Any) -> "_OfShares":
        return _OfShares(self._stage.lower(*self._split(state, batch), rng), self._split, self._join)

    def compile(self) -> "_OfShares":
        return _OfShares(self._stage.compile(), self._split, self._join)

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


def _shardings(specs: Any, mesh: Mesh) -> Any:
    return jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs, is_leaf=_is_spec)


def _is_spec(x: Any) -> bool:
    return isinstance(x, PartitionSpec)
