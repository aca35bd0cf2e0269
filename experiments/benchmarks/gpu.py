"""Everything about speed on a GPU in one call: steps against PyTorch, ceilings, and what a DCGAN step consists of.

Command   python experiments/benchmarks/gpu.py [--quick] [--out experiments/results/gpu.json]
Protocol  Training steps as in training_steps.py, at batch sizes 64 and 256 (`--quick`: 256 only), in float32, TF32 and
          bf16 (networks in bfloat16, parameters, losses and optimiser in float32), against PyTorch eager, channels last
          with fused Adam (and autocast in bf16) and torch.compile. Ceilings: the fastest matrix product of 2,048 to
          8,192 rows in each precision, and a copy of 1 GiB. Utilisation is the step's FLOPs by XLA's count over its
          median time and the ceiling. The profile is that of step_profile.py.
Hardware  NOT RUN: no GPU was at hand.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from step_profile import profile
from timing import stamped, write
from training_steps import QUESTIONS, RESULTS

STEPS = Path(__file__).with_name("training_steps.py")
PRECISIONS = {"float32": ("float32", "highest"), "tf32": ("float32", "tensorfloat32"), "bf16": ("bfloat16", "default")}


def main() -> None:
    """Measure ceilings, ask the questions in every precision, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=["mlp", "dcgan28", "dcgan32", "dcgan64"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "gpu.json")
    options = parser.parse_args()
    results: dict[str, Any] = {"steps": {}}
    for precision in PRECISIONS:
        for batch in (256,) if options.quick else (64, 256):
            results["steps"][f"{precision} {batch}"] = ask(options, precision, batch)
    # After the other processes: JAX takes most of a GPU's memory for itself.
    results["ceilings"] = ceilings(small=options.device == "cpu")
    results["profile"] = {name: profile(name, options.rounds, "float32") for name in options.questions}
    print("\n".join(utilisation(results)))
    print("ms of a step by primitive, float32:", json.dumps(results["profile"], indent=1))
    write(options.out, stamped(f"{options.rounds} rounds in turn, about a second each", results))


def ask(options: argparse.Namespace, precision: str, batch: int) -> dict[str, Any]:
    """The results of training_steps.py, in a process of its own: this one must not hold the device's memory yet."""
    out = options.out.with_suffix(f".{precision}.{batch}.json")
    flags = ["--precision", precision, "--batch", str(batch), "--device", options.device, "--out", str(out)]
    compiled = ["--compiled"] if options.device == "cuda" else []
    command = [
        sys.executable,
        str(STEPS),
        "--questions",
        *options.questions,
        "--rounds",
        str(options.rounds),
        *compiled,
    ]
    subprocess.run([*command, *flags], check=True)
    results = {name: asked["results"] for name, asked in json.loads(out.read_text()).items()}
    out.unlink()
    return results


def ceilings(small: bool) -> dict[str, float]:
    """FLOP/s of the fastest matrix product in each precision, and bytes a second of a copy (read and written)."""
    import jax
    import jax.numpy as jnp

    found = {}
    for name, (dtype, precision) in PRECISIONS.items():
        rates = []
        for n in (256, 512) if small else (2048, 4096, 8192):
            a = jnp.ones((n, n), dtype)
            product = jax.jit(lambda a, p=precision: jnp.dot(a, a, precision=p))
            rates.append(2 * n**3 / fastest(lambda f=product, a=a: f(a)))
        found[name] = max(rates)
    x = jnp.ones((1 << 22 if small else 1 << 28,), jnp.float32)
    copy = jax.jit(lambda x: x + 1)
    found["copy"] = 2 * x.nbytes / fastest(lambda: copy(x))
    return found


def fastest(run: Callable[[], Any], rounds: int = 10) -> float:
    """Seconds of the fastest of several runs."""
    import jax

    jax.block_until_ready(run())
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        jax.block_until_ready(run())
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def utilisation(results: dict[str, Any]) -> list[str]:
    """Lines for people: the rate of products as a share of the ceiling, for jaxgan with many steps in a dispatch."""
    lines = [
        f"ceiling {name}: {rate / 1e12:.2f} T{'B' if name == 'copy' else 'FLOP'}/s"
        for name, rate in results["ceilings"].items()
    ]
    for setting, questions in results["steps"].items():
        precision, batch = setting.split()
        for name, found in questions.items():
            seconds = found.get("jaxgan many", {}).get("seconds")
            counted = results["profile"][name]
            if seconds:
                flops = counted["flops"] * int(batch) / counted["batch"]
                rate = flops / statistics.median(seconds)
                share = rate / results["ceilings"][precision]
                lines.append(f"{name} {setting}: {rate / 1e12:.3f} TFLOP/s, {share:.1%} of the ceiling")
    return lines


if __name__ == "__main__":
    main()
