"""What `--accumulate` and `--remat` save: memory of a training step as XLA plans it, and its price in FLOPs.

Command   python experiments/benchmarks/memory.py [--compiler cpu|tpu] [--system dcgan64 ...] [--again]
          tpu is the compiler of TPUs, a v5e here, working ahead of time: it needs the package `libtpu` of the version
          that `jax[tpu]` names, and no TPU. Nothing is run, only compiled.
Hardware  any; compiled on 2 cores of an AMD EPYC (Zen 4), shared; jax 0.10.2
Time      cpu half an hour (run with XLA_FLAGS=--xla_backend_optimization_level=0: same numbers, sooner), tpu several
          minutes a row
Protocol  one training step, float32, state donated, batch 512 in all rows: the recipe's step compiled for one device.
          `temp` are the bytes beside arguments and results (activations, gradients, workspace) by
          `compiled.memory_analysis()`. On a CPU compiled as `jaxgan train` does: with `--remat` in the order of
          operations that saves memory. FLOPs by XLA's count; that of a loop's body is multiplied by its length.
Measured  experiments/results/memory.json, quoted in docs/scaling.md; not all rows were run. Not measured: memory of a
          real TPU or GPU.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import jax
from collectives import tpu
from jax.sharding import NamedSharding, PartitionSpec

from jaxgan import fields, recipes
from jaxgan.game import parallel
from jaxgan.train.loop import memory

RESULT = Path(__file__).parents[1] / "results" / "memory.json"
SYSTEMS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "dcgan64": ("dcgan", 64, {"g_width": 64, "d_width": 64, "g_units": 0, "d_units": 0}),
    "r3gan32": ("r3gan", 32, {"width": 32, "growth": 2}),
    "sngan32": ("sngan", 32, {"layout": "constant", "g_width": 64, "d_width": 64}),
}
"""The recipe, the pixels a side of its colour images, and its options."""
VARIANTS = [(1, False), (1, True), (2, False), (4, False), (8, False), (8, True)]  # accumulate, remat
BATCH = 512  # so large that little of it fits into the memory inside a TPU, which `temp` leaves out


def main() -> None:
    """Compile every variant of every system that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--compiler", choices=["cpu", "tpu"], default="cpu")
    parser.add_argument("--system", choices=SYSTEMS, nargs="+", default=list(SYSTEMS))
    parser.add_argument("--again", action="store_true", help="compile also what the file of results has")
    parser.add_argument("--out", type=Path, default=RESULT, help="file of results, to which rows are added")
    options = parser.parse_args()
    mesh = parallel.make_mesh((tpu() if options.compiler == "tpu" else jax.devices("cpu"))[:1])
    print("compiler, system, accumulate, remat: MB beside the state, of the state, GFLOP a step")
    for system in options.system:
        for accumulate, remat in VARIANTS:
            name = f"{options.compiler}/{system}/accumulate {accumulate}{' remat' if remat else ''}"
            if options.again or name not in known(options.out):
                keep(options.out, name, measure(system, accumulate, remat, mesh))


def measure(name: str, accumulate: int, remat: bool, mesh: Any) -> dict[str, float]:
    """Megabytes and GFLOP of one variant."""
    recipe, side, settings = SYSTEMS[name]
    module = recipes.load(recipe)
    config = module.Config(batch_size=BATCH, accumulate=accumulate, remat=remat, **settings)
    system, whole = module.build(config, {"image": fields.image(side, side, 3)}), NamedSharding(mesh, PartitionSpec())
    state, key = jax.eval_shape(lambda key: (system.init(key), key), jax.random.key(0))
    batch = fields.shapes(system.batch, BATCH)
    step = jax.jit(system.step, in_shardings=whole, out_shardings=whole, donate_argnums=0)
    compiled = memory.compiled(step.lower(state, batch, key), config, mesh)
    need = memory.need_of(compiled, state)
    assert need
    return {
        "temp_mb": round(compiled.memory_analysis().temp_size_in_bytes / 1e6, 1),
        "state_mb": round(need.state / 1e6, 1),
        "gflop": round(compiled.cost_analysis()["flops"] * accumulate / 1e9, 1),
    }


def keep(out: Path, name: str, row: dict[str, float]) -> None:
    """Print a row and put it into the file of results, where it may replace an older one."""
    print(f"{name:36s} {row['temp_mb']:8.1f} {row['state_mb']:8.1f} {row['gflop']:8.1f}", flush=True)
    out.write_text(json.dumps(dict(sorted({**known(out), name: row}.items())), indent=1) + "\n")


def known(out: Path) -> dict[str, dict[str, float]]:
    """The results so far."""
    return json.loads(out.read_text()) if out.exists() else {}


if __name__ == "__main__":
    main()
