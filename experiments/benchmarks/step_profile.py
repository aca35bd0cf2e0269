"""Where the time of a training step goes, by primitive: what is no matrix product?

Command   python experiments/benchmarks/step_profile.py [--questions dcgan32 dcgan64] [--steps 10] [--precision float32]
Protocol  The recipe's jitted step, one in a dispatch, in a warm process under JAX's profiler. Each instruction of the
          compiled program counts for the primitive at its root (a fusion of several for one). Times of instructions
          that run beside each other add up to more than the step's; shares are of that sum.
Hardware  and measured numbers: docs/performance.md and experiments/results/step_profile.json.
"""

import argparse
import collections
import dataclasses
import gzip
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import jax
from timing import stamped, write
from training_steps import QUESTIONS, RESULTS, Question, configured

from jaxgan import fields

PRODUCTS = ("dot_general", "conv_general_dilated")


def main() -> None:
    """Profile the step of every question that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=["dcgan32", "dcgan64"])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, help="images a step in place of the questions' own")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--out", type=Path, default=RESULTS / "step_profile.json")
    options = parser.parse_args()
    results = {}
    for name in options.questions:
        results[name] = found = profile(name, options.steps, options.precision, options.batch)
        share = sum(found["milliseconds"].get(each, 0.0) for each in PRODUCTS) / sum(found["milliseconds"].values())
        print(f"{name}: {share:.0%} of the instructions' time is products and convolutions; ms a step:")
        print("".join(f"  {ms:9.3f}  {kind}\n" for kind, ms in list(found["milliseconds"].items())[:12]), flush=True)
    write(options.out, stamped(f"{options.precision}, {options.steps} steps", results))


def profile(name: str, steps: int, precision: str, batch_size: int | None = None) -> dict[str, Any]:
    """Milliseconds a step by primitive, the longest first; FLOPs and bytes of the compiled step by XLA's account."""
    question = QUESTIONS[name]
    question = dataclasses.replace(question, batch=batch_size or question.batch)
    recipe, config = configured(question, precision=precision)
    spec = {"image": fields.image(*question.shape), "label": fields.label(tuple(map(str, range(question.classes))))}
    system, key = recipe.build(config, spec), jax.random.key(0)
    state, batch = jax.jit(system.init)(key), random_batch(question, question.batch * system.microbatches)
    step = jax.jit(system.step).lower(state, batch, key).compile()
    for _ in range(3):
        jax.block_until_ready(step(state, batch, key))
    events = traced(lambda: jax.block_until_ready(step(state, batch, key)), steps)
    cost = step.cost_analysis() or {}
    counted = {"flops": cost.get("flops", 0.0), "bytes": cost.get("bytes accessed", 0.0), "batch": question.batch}
    return {**counted, "milliseconds": by_primitive(events, primitives(step.as_text() or ""), steps)}


def random_batch(question: Question, rows: int) -> dict[str, jax.Array]:
    """Noise in the place of images, and labels where the game has classes."""
    batch = {"image": jax.random.uniform(jax.random.key(1), (rows, *question.shape), minval=-1.0)}
    return {**batch, "label": jax.numpy.arange(rows) % question.classes} if question.classes else batch


def traced(run: Callable[[], Any], times: int) -> list[dict[str, Any]]:
    """The events of JAX's profiler while `run` runs."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for _ in range(times):
                run()
        (trace,) = Path(folder).rglob("*.trace.json.gz")
        return json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]


def primitives(program: str) -> dict[str, str]:
    """The JAX primitive at the root of each instruction of a compiled program."""
    named = re.findall(r"([\w.\-]+) = [^\n]*op_name=\"([^\"]*)\"", program)
    return {instruction: path.rpartition("/")[2] for instruction, path in named}


def by_primitive(events: list[dict[str, Any]], known: dict[str, str], steps: int) -> dict[str, float]:
    """Milliseconds a step; what XLA has put in itself (copies) is "other"."""
    total: collections.Counter[str] = collections.Counter()
    for event in events:
        instruction = (event.get("args") or {}).get("hlo_op")
        if instruction and not instruction.startswith(("while", "call", "conditional")):  # they hold others
            total[known.get(instruction, "other")] += event["dur"] / 1e3 / steps
    return dict(total.most_common())


if __name__ == "__main__":
    main()
