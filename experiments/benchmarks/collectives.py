"""What devices tell each other in a training step: number and bytes of the collectives in the compiled program.

Command   python experiments/benchmarks/collectives.py [--compiler cpu|tpu] [--image 64 64 3] [--width 64]
          tpu is the compiler of TPUs, four chips of a v5e here, working ahead of time: it needs the package `libtpu` of
          the version that `jax[tpu]` names, and no TPU. Nothing is run, only compiled.
Hardware  any; 2 cores of an AMD EPYC (Zen 4), shared; jax 0.10.2, eight virtual CPU devices
Time      cpu 12 minutes, tpu 10 minutes
Protocol  DCGAN's step on 1, 2, 4 and 8 devices, weak scaling (64 images a device) and strong (64 in all), in every way
          to use them. Counted are the results of collectives in the optimised program: `gradients` have the shape of a
          kernel, `scalars` are metrics, `vectors` the rest: batch statistics and what belongs to them, gradients of
          gains and biases. Convolutions are in the form that accelerators get: in those for CPUs a kernel's gradient
          has another shape when it is reduced.
Measured  experiments/results/collectives.json, quoted in docs/scaling.md.
"""

import argparse
import importlib.util
import json
import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import jax

from jaxgan import fields, recipes
from jaxgan.fields import Spec
from jaxgan.game import parallel

RESULT = Path(__file__).parents[1] / "results" / "collectives.json"
KINDS = ("all-reduce", "all-gather", "reduce-scatter", "collective-permute", "all-to-all", "collective-broadcast")
SIZES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8}
_CALL = re.compile(rf"= (\S.*?) ({'|'.join(KINDS)})(-start)?\(")
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\]")


class Collective(NamedTuple):
    """A collective operation.

    Attributes:
        kind: one of KINDS.
        arrays: dtype and shape of each of its results.
        inner: whether it stands in a loop's or a branch's body, and not in the main computation.
    """

    kind: str
    arrays: tuple[tuple[str, tuple[int, ...]], ...]
    inner: bool = False


def collectives(hlo: str) -> list[Collective]:
    """The collectives in the text of an HLO module; those of a loop's body once."""
    found, inner = [], False
    for line in hlo.splitlines():
        if line.rstrip().endswith("{"):
            inner = not line.startswith("ENTRY")
        if call := _CALL.search(line):
            result, kind, start = call.groups()
            arrays = [(dtype, tuple(map(int, filter(None, dims.split(","))))) for dtype, dims in _ARRAY.findall(result)]
            # An asynchronous one has its operands among its results, in front.
            behind = len(arrays) // 2 if start and kind != "all-reduce" else 0
            found.append(Collective(kind, tuple(arrays[behind:]), inner))
    return found


def account(found: list[Collective], params: Any) -> dict[str, Any]:
    """Operations by kind, and bytes by what is in them; `params` are the arrays whose gradients are reduced."""
    kernels = {_core(leaf.shape) for leaf in jax.tree.leaves(params) if leaf.ndim > 1}
    parts: Counter[str] = Counter(gradients=0, vectors=0, scalars=0)
    for each in found:
        for dtype, shape in each.arrays:
            part = "gradients" if _core(shape) in kernels else "vectors" if shape else "scalars"
            parts[part] += SIZES[dtype] * math.prod(shape)
    return {"operations": dict(Counter(each.kind for each in found)), "bytes": dict(parts)}


def _core(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without order and without ones: compilers reduce a gradient before they bring it into its form."""
    return tuple(sorted(side for side in shape if side != 1))


def compiled_text(recipe: Any, config: Any, spec: Spec, mode: str, devices: list[Any]) -> tuple[str, Any]:
    """The optimised program of a step on `devices`, and the shapes of the parameters."""
    mesh = parallel.make_mesh(devices)
    system = recipe.build(config, spec, parallel.axis_name_of(mode))
    state, key = jax.eval_shape(lambda key: (system.init(key), key), jax.random.key(0))
    batch = fields.shapes(system.batch, config.batch_size * system.microbatches)
    params = {name: player.params for name, player in state.players.items()}
    if mode != "pmap":
        return parallel.parallelize(system.step, mode, mesh).lower(state, batch, key).compile().as_text(), params
    # As `parallel` does it, which shows no text.
    shares = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((len(devices), x.shape[0] // len(devices), *x.shape[1:]), x.dtype), batch
    )
    step = jax.pmap(
        system.step, parallel.AXIS, in_axes=(None, 0, None), out_axes=None, devices=devices, donate_argnums=0
    )
    return step.lower(state, shares, key).compile().as_text(), params


def main() -> None:
    """Print the table and write it down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--compiler", choices=["cpu", "tpu"], default="cpu")
    parser.add_argument("--image", nargs=3, type=int, default=(64, 64, 3), metavar=("H", "W", "C"))
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--out", type=Path, default=RESULT, help="file of results, to which rows are added")
    options = parser.parse_args()
    dcgan = recipes.load("dcgan")
    spec = {"image": fields.image(*options.image)}
    for devices, batch, mode in cases(options.compiler):
        config = dcgan.Config(batch_size=batch, g_width=options.width, d_width=options.width, g_units=0, d_units=0)
        with mock.patch("jax.lax.platform_dependent", lambda *arrays, default, **_: default(*arrays)):
            text, params = compiled_text(dcgan, config, spec, mode, devices)
        whole = sum(leaf.size * 4 for leaf in jax.tree.leaves(params))
        row = {"batch": batch, "parameter_bytes": whole, **account(collectives(text), params)}
        scale = "weak" if batch == 64 * len(devices) else "strong"
        keep(options.out, f"{options.compiler}/{len(devices)} devices/{scale}/{mode}", row)


def cases(compiler: str) -> list[tuple[list[Any], int, str]]:
    """Devices, images a step, and how they are used."""
    if compiler == "tpu":
        return [(tpu(), 256, mode) for mode in ("jit", "shard_map")]
    counted = [(n, batch) for n in (1, 2, 4, 8) for batch in sorted({64, 64 * n})]
    return [(jax.devices()[:n], batch, mode) for n, batch in counted for mode in ("jit", "shard_map", "pmap")]


def tpu() -> list[Any]:
    """Four chips that are not there."""
    if importlib.util.find_spec("libtpu") is None:
        raise SystemExit("--compiler tpu needs the package libtpu of the version that jax[tpu] names.")
    from jax.experimental import topologies

    for name, value in {"TPU_SKIP_MDS_QUERY": "1", "TPU_ACCELERATOR_TYPE": "v5litepod-4"}.items():
        os.environ.setdefault(name, value)
    return list(topologies.get_topology_desc(platform="tpu", topology_name="v5e:2x2").devices)


def keep(out: Path, name: str, row: dict[str, Any]) -> None:
    """Print a row and put it into the file of results, where it may replace an older one."""
    parts = ", ".join(f"{part} {size:,}" for part, size in row["bytes"].items())
    print(f"{name:32s} {row['operations']}  bytes: {parts}; parameters {row['parameter_bytes']:,}", flush=True)
    rows = json.loads(out.read_text()) if out.exists() else {}
    out.write_text(json.dumps(dict(sorted({**rows, name: row}.items())), indent=1) + "\n")


if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    main()
