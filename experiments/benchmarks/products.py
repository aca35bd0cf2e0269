"""The rate of matrix products in JAX and in PyTorch: how far ratios of training steps are ratios of product libraries.

Command   python experiments/benchmarks/products.py [--sizes 256 1024 2048] [--rounds 7]
Protocol  float32, a square matrix times itself, each library in a process of its own, in turn; FLOPs are 2 n^3. Printed
          is the median rate and its ratio to PyTorch's.
Hardware  and measured numbers: docs/performance.md and experiments/results/products.json.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from timing import clocked, in_turn, serve, stamped, write
from training_steps import RESULTS

VARIANTS = ("jax", "torch")


def main() -> None:
    """Time every size; `--worker` is one library's process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 1024, 2048])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS / "products.json")
    parser.add_argument("--worker", nargs=2, metavar=("LIBRARY", "SIZE"))
    options = parser.parse_args()
    if options.worker:
        library, size = options.worker
        serve({"jax": jax_product, "torch": torch_product}[library](int(size)))
        return
    results = {}
    for n in options.sizes:
        found = in_turn({each: [__file__, "--worker", each, str(n)] for each in VARIANTS}, options.rounds)
        results[str(n)] = found
        print(f"{n} x {n}: {', '.join(told(each, row, n) for each, row in found.items())}", flush=True)
    write(options.out, stamped(f"float32, {options.rounds} rounds in turn, about a second each", results))


def told(name: str, row: Mapping[str, Any], n: int) -> str:
    """The rate of a library's products, or why there is none."""
    if "failed" in row:
        return f"{name} not run: {row['failed']}"
    return f"{name} {2 * n**3 / statistics.median(row['seconds']) / 1e9:.0f} GFLOP/s"


def jax_product(n: int) -> Callable[[int], float]:
    """`work` for `serve`: products one after the other."""
    import jax

    a = jax.random.normal(jax.random.key(0), (n, n)) / n**0.5
    product = jax.jit(lambda a: a @ a)
    return clocked(lambda: jax.block_until_ready(product(a)))


def torch_product(n: int) -> Callable[[int], float]:
    """`work` for `serve`: products one after the other."""
    import torch

    a = torch.randn(n, n) / n**0.5
    return clocked(lambda: a @ a)


if __name__ == "__main__":
    main()
