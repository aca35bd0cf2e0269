"""What compilation costs a command: the first time, and from the cache of compiled programs that commands keep.

Command   python experiments/benchmarks/compilation.py [--recipes gan dcgan sngan] [--rounds 3]
Protocol  `jaxgan train RECIPE --steps 1`, with an empty cache folder, with that folder, and with
          JAX_ENABLE_COMPILATION_CACHE=0, in turn; printed are the medians of the wall clock and of processor seconds of
          the whole command (import, data, compilation, one step, one checkpoint, two pictures), and what is kept.
Hardware  and measured numbers: docs/performance.md and experiments/results/compilation.json.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from timing import stamped, write
from training_steps import RESULTS

COMMAND = "import sys; from jaxgan.cli import main; sys.exit(main())"


def main() -> None:
    """Time the three kinds in turn for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", default=["gan", "dcgan", "sngan"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "compilation.json")
    options = parser.parse_args()
    results = {}
    for recipe in options.recipes:
        rows = [one_round(recipe) for _ in range(options.rounds)]
        middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        results[recipe] = rows
        print(
            f"{recipe}: wall (processor) seconds: no cache {middle['none']:.1f} ({middle['none_cpu']:.1f}), "
            f"first {middle['cold']:.1f} ({middle['cold_cpu']:.1f}), then {middle['warm']:.1f} "
            f"({middle['warm_cpu']:.1f}); {middle['programs']:.0f} programs, {middle['bytes'] / 1e6:.1f} MB",
            flush=True,
        )
    write(options.out, stamped(f"jaxgan train RECIPE --steps 1, {options.rounds} rounds in turn", results))


def one_round(recipe: str) -> dict[str, float]:
    """Seconds of a command without cache, with an empty one, and with what that one left."""
    row: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("none", "cold", "warm"):
            off = {"JAX_ENABLE_COMPILATION_CACHE": "0"} if name == "none" else {}
            env = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
            env |= {"XDG_CACHE_HOME": f"{folder}/cache", **off}
            args = ["train", recipe, "--steps", "1", "--out", f"{folder}/{name}"]
            begin, used = time.perf_counter(), _children()
            subprocess.run([sys.executable, "-c", COMMAND, *args], env=env, check=True, capture_output=True)
            row[name], row[f"{name}_cpu"] = time.perf_counter() - begin, _children() - used
        kept = list(Path(folder).glob("cache/jaxgan/*/*-cache"))
        row["programs"], row["bytes"] = len(kept), sum(path.stat().st_size for path in kept)
    return row


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
