"""Whether a run fits into the memory of its devices, told before its first step."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jax.sharding import Mesh
from jax.stages import Lowered

from jaxgan import data as datasets
from jaxgan.errors import UserError
from jaxgan.fields import Spec
from jaxgan.train.cluster import consensus
from jaxgan.train.run import checkpoint
from jaxgan.train.run.config import RunConfig
from jaxgan.train.screen.report import quantity

# What a container may use, in the second and in the first form of Linux's control groups.
_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

# Options of a configuration that need less memory, each with the value that leaves nothing more to save.
_HELP = {
    "batch_size": ("a smaller --batch-size", None),
    "accumulate": ("a larger --accumulate", None),
    "remat": ("--remat", True),
    "precision": ("--precision bfloat16", "bfloat16"),
}


class Need(NamedTuple):
    """Bytes that a compiled step takes on one device.

    Attributes:
        state: parameters, optimisers, averages, collections; updated in place.
        data: the chunk: a resident data set and its indices, or batches.
        step: activations, gradients, what is not updated in place, and the program.
    """

    state: int
    data: int
    step: int

    @property
    def total(self) -> int:
        """Of all that is needed at the same time."""
        return sum(self)


def need_of(compiled: Any, state: Any) -> Need | None:
    """What XLA has planned for a compiled chunk whose first argument is `state`; None where it does not say."""
    analyse = getattr(compiled, "memory_analysis", None)
    sizes = analyse() if analyse else None
    if sizes is None:
        return None
    of_state = checkpoint.nbytes(state)
    # An output that lies in a donated argument is no further memory.
    new = sizes.output_size_in_bytes - sizes.alias_size_in_bytes
    step = sizes.temp_size_in_bytes + new + sizes.generated_code_size_in_bytes
    return Need(of_state, sizes.argument_size_in_bytes - of_state, step)


def limit_of(devices: Sequence[Any]) -> int:
    """Bytes that each of this process's devices has; devices of one machine's memory share it evenly."""
    limits = [(device.memory_stats() or {}).get("bytes_limit", 0) for device in devices]
    return min(limits) if all(limits) else _machine() // len(devices)


def line(need: Need, limit: int) -> str:
    """The account for people."""
    parts = ", ".join(f"{name} {size(part)}" for name, part in zip(need._fields, need, strict=True))
    return f"Memory      {size(need.total)} of {size(limit)} on each device: {parts}"


def check(need: Need, devices: Sequence[Any], config: Any, resident: bool) -> str:
    """The line of a step that fits.

    Args:
        need: of the step.
        devices: this process's.
        config: the system's configuration; those of its options that would help are named.
        resident: whether the data set lives on the devices.

    Raises:
        UserError: in all processes, where it does not fit on some device.
    """
    limit = limit_of(devices)
    if consensus.largest(int(need.total > limit)):
        parts = f"state {size(need.state)}, data {size(need.data)}, step {size(need.step)}"
        raise UserError(
            f"a step needs {size(need.total)} of memory on each device ({parts}), which has {size(limit)}"
            f"{_advice(config, resident, devices[0].platform)}."
        )
    return line(need, limit)


def check_least(abstract: Any, data: datasets.Data, spec: Spec, run: RunConfig, devices: Sequence[Any]) -> None:
    """Raise UserError where not even the state, and the data set that is to live on the device, have room."""
    resident = run.resident == "on"
    parts = {"the state": checkpoint.nbytes(abstract)} | (
        {"the data set": datasets.nbytes(data, spec)} if resident else {}
    )
    limit = limit_of(devices)
    if sum(parts.values()) > limit:
        needs = " and ".join(f"{name} {size(part)}" for name, part in parts.items())
        help_ = "; --resident off keeps the data set off it" if resident else "; it takes smaller networks"
        raise UserError(f"each device has {size(limit)} of memory, and before any step {needs} must lie there{help_}.")


def compiled(lowered: Any, config: Any, mesh: Mesh) -> Any:
    """The lowered program, compiled; on CPUs, where XLA orders operations for speed, `--remat` asks for little memory.

    XLA's usual order there computes again what `--remat` threw away long before it is needed.
    """
    if getattr(config, "remat", False) and mesh.devices.flat[0].platform == "cpu" and isinstance(lowered, Lowered):
        return lowered.compile({"xla_cpu_scheduler_type": "CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED"})
    return lowered.compile()


def size(count: int) -> str:
    """Bytes for people: 1.94 GB, 20 MB."""
    return f"{quantity(float(count))}B"


def _advice(config: Any, resident: bool, platform: str) -> str:
    """What needs less, as the end of a sentence: the options that the configuration has and does not use yet."""
    # A CPU's convolutions take workspace of their own, which recomputing makes no smaller (docs/scaling.md).
    idle = ("remat",) if platform == "cpu" else ()
    told = [words for name, (words, used) in _HELP.items() if getattr(config, name, used) != used and name not in idle]
    told += ["--resident off"] if resident else []
    return f"; less is needed with {', '.join(told)}" if told else ""


def _machine() -> int:
    """Bytes of this machine's memory, or of the share that its container may use."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    texts = [Path(name).read_text().strip() for name in _GROUP_LIMITS if Path(name).is_file()]
    return min([whole, *(int(text) for text in texts if text.isdigit())])
