"""Images a second that a trained generator makes, against the batch size: jaxgan and PyTorch.

Command   python experiments/benchmarks/sampling.py [--question dcgan32] [--batches 1 16 64 256] [--rounds 5]
Protocol  float32, noise included; the jitted verb `sample` with the generator's average and running statistics, and
          the same network in PyTorch under `inference_mode`, each in a process of its own, in turn.
Hardware  and measured numbers: docs/performance.md and experiments/results/sampling.json.
"""

import argparse
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from timing import clocked, in_turn, serve, stamped, table, write
from training_steps import QUESTIONS, RESULTS, Question, arrays, configured, load

VARIANTS = ("jaxgan", "torch eager", "torch best")


def main() -> None:
    """Time every batch size; `--worker` is one variant's process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--question", choices=QUESTIONS, default="dcgan32")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16, 64, 256])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS / "sampling.json")
    parser.add_argument("--worker", nargs=3, metavar=("QUESTION", "VARIANT", "BATCH"))
    options = parser.parse_args()
    if options.worker:
        name, variant, batch = options.worker
        question = dataclasses.replace(QUESTIONS[name], batch=int(batch))
        serve(sampler(question) if variant == "jaxgan" else torch_sampler(question, variant, options.device))
        return
    results = {}
    for batch in options.batches:
        worker = [__file__, "--device", options.device, "--worker", options.question]
        found = in_turn({each: [*worker, each, str(batch)] for each in VARIANTS}, options.rounds)
        results[f"{options.question} {batch}"] = found
        print("\n".join(table(f"{options.question}, {batch} images", found, "torch eager", batch)), flush=True)
    write(options.out, stamped(f"float32, {options.rounds} rounds in turn, about a second each", results))


def sampler(question: Question) -> Callable[[int], float]:
    """`work` for `serve`: the recipe's sampler, jitted."""
    import jax

    recipe, config = configured(question)
    system = recipe.build(config, load(question).spec)
    state, verb = jax.jit(system.init)(jax.random.key(0)), system.verbs["sample"]
    given = {name: jax.numpy.zeros(question.batch, int) for name in verb.given}
    draw = jax.jit(lambda state, key: verb(state, given, jax.random.split(key, question.batch)))
    return clocked(lambda: jax.block_until_ready(draw(state, jax.random.key(1))))


def torch_sampler(question: Question, variant: str, device: str) -> Callable[[int], float]:
    """`work` for `serve`: the peer's generator, evaluating."""
    import torch_peer

    peer = torch_peer.make(question, variant.split()[1], arrays(load(question)), device, "float32")
    peer.g.eval()

    def sample() -> None:
        peer.sample(question.batch)
        peer.wait()

    return clocked(sample)


if __name__ == "__main__":
    main()
