"""Full training steps of jaxgan and of PyTorch, data and noise included, by the ratio of their times.

Command   python experiments/benchmarks/training_steps.py [--questions mlp dcgan32 ...] [--rounds 7] [--compiled]
          (PyTorch, where it can be imported, is the peer; jaxgan does not need it)
Protocol  float32, the bundled Fashion-MNIST images resized. Each variant runs in a process of its own with all cores
          and takes its turn, about a second of steps, in every round; printed are median and minimum of the rounds and
          the ratio of the medians to PyTorch eager. jaxgan runs what `jaxgan train` runs: the recipe's step in the
          compiled chunk of steps, `many` as many in one dispatch as the loop chooses (a second's worth),
          `one` a single one; data resident on the device or streaming. `torch_peer.py` has the peer and says what its
          settings mean; the networks have the same numbers of parameters, which is checked.
Hardware  and measured numbers: docs/performance.md and experiments/results/training_steps.json.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from timing import clocked, in_turn, serve, stamped, table, write

RESULTS = Path(__file__).parents[1] / "results"
JAXGAN = ("jaxgan one", "jaxgan many", "jaxgan streaming")
TORCH = ("torch eager", "torch best")


@dataclasses.dataclass(frozen=True)
class Question:
    """A game of a size, for both sides."""

    recipe: str
    shape: tuple[int, int, int]
    batch: int = 64
    width: int = 64
    options: tuple[tuple[str, Any], ...] = ()
    game: str = "gan"
    classes: int = 0
    loader: bool = False  # also PyTorch with its data loader: where a step takes as long as reading its images


PLAIN = {"g_units": 0, "d_units": 0, "d_biases": False}  # the paper's layers, as the peer has them
R1 = (("penalty", "r1"), ("d_norm", "none"))
QUESTIONS = {
    "mlp": Question("gan", (28, 28, 1), loader=True),
    "dcgan28": Question("dcgan", (28, 28, 1)),
    "dcgan32": Question("dcgan", (32, 32, 1)),
    "dcgan64": Question("dcgan", (64, 64, 3)),
    "dcgan28_128": Question("dcgan", (28, 28, 1), 128),
    "dcgan32_128": Question("dcgan", (32, 32, 1), 128),
    "dcgan64_128": Question("dcgan", (64, 64, 3), 128),
    "cgan28": Question("cgan", (28, 28, 1), classes=10),
    "wgan_gp28": Question("wgan_gp", (28, 28, 1), game="wgan_gp"),
    "r1_32": Question("dcgan", (32, 32, 1), options=R1, game="r1"),
}


def main() -> None:
    """Ask every question that the command line names; `--worker` is one variant's process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--compiled", action="store_true", help="torch.compile too; takes a C++ compiler and minutes")
    parser.add_argument("--batch", type=int, help="images a step in place of the questions' own")
    parser.add_argument("--precision", choices=("float32", "tf32", "bf16"), default="float32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS / "training_steps.json")
    parser.add_argument("--worker", nargs=2, metavar=("QUESTION", "VARIANT"))
    options = parser.parse_args()
    if options.worker:
        serve_variant(*options.worker, options)
        return
    protocol = f"{options.precision}, {options.rounds} rounds in turn, about a second each"
    print(f"protocol: {protocol}")
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name in options.questions:
        results[name] = stamped(protocol, ask(name, options))
        images = options.batch or QUESTIONS[name].batch
        print("\n".join(table(name, results[name]["results"], "torch eager", images)), flush=True)
        write(options.out, results)


def ask(name: str, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Time the variants of a question in turn."""
    loader, compiled = QUESTIONS[name].loader, options.compiled
    variants = [*JAXGAN, *TORCH, *["torch loader"] * loader, *["torch compiled"] * compiled]
    batch = ["--batch", str(options.batch)] if options.batch else []
    settings = [*batch, "--precision", options.precision, "--device", options.device]
    found = in_turn({each: [__file__, "--worker", name, each, *settings] for each in variants}, options.rounds)
    sizes = {row["parameters"] for row in found.values() if "parameters" in row}
    if len(sizes) > 1:
        raise SystemExit(f"{name}: the networks differ: {sizes} parameters")
    return found


def serve_variant(name: str, variant: str, options: argparse.Namespace) -> None:
    """A worker: build the variant and answer with its times."""
    question = QUESTIONS[name]
    question = dataclasses.replace(question, batch=options.batch or question.batch)
    side, setting = variant.split()
    if side == "torch":
        import torch_peer

        peer = torch_peer.make(question, setting, arrays(load(question)), options.device, options.precision)
        serve(clocked(peer.step, peer.wait), parameters=torch_peer.parameters(peer))
    else:
        precision = "bfloat16" if options.precision == "bf16" else "float32"
        work, size = jaxgan_work(question, setting, precision, options.precision == "tf32")
        serve(work, parameters=size)


def configured(question: Question, **settings: Any) -> tuple[Any, Any]:
    """The question's recipe and configuration, with further settings."""
    from jaxgan import recipes

    recipe = recipes.load(question.recipe)
    sizes = {} if question.recipe == "gan" else {"g_width": question.width, "d_width": question.width}
    sizes |= PLAIN if question.recipe in ("dcgan", "cgan") else {}
    return recipe, recipe.Config(batch_size=question.batch, **sizes, **dict(question.options), **settings)


def load(question: Question) -> Any:
    """The bundled images in the question's shape."""
    from jaxgan import data

    height, _, channels = question.shape
    return data.load("fashion_mnist_10k", image_size=height, channels=channels)


def arrays(data: Any) -> tuple[Any, Any]:
    """All images and labels as arrays."""
    from jaxgan.data import resident

    (whole,) = resident(data, data.spec)
    return whole["image"], whole["label"]


def jaxgan_work(question: Question, setting: str, precision: str, tf32: bool) -> tuple[Callable[[int], float], int]:
    """`work` for `serve`, with what `jaxgan train` compiles, and the number of parameters."""
    import jax

    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else None)
    recipe, config = configured(question, precision=precision)
    return trained_work(recipe.build, config, load(question), question.recipe, setting)


def trained_work(build: Any, config: Any, data: Any, name: str, setting: str) -> tuple[Callable[[int], float], int]:
    """The same for any system.

    Args:
        build: makes it, as a recipe's.
        config: its configuration.
        data: what it is trained on.
        name: of the recipe.
        setting: "one", "many" or "streaming".
    """
    import jax

    from jaxgan.game import parallel
    from jaxgan.game.state import parameter_count
    from jaxgan.train.loop.chunk_step import make_chunk_step
    from jaxgan.train.loop.chunks import make_chunks
    from jaxgan.train.loop.dispatch_length import SECONDS_A_DISPATCH
    from jaxgan.train.loop.plan import make_plans
    from jaxgan.train.run.config import RunConfig
    from jaxgan.train.screen.report import Report

    run = RunConfig(resident="off" if setting == "streaming" else "on")
    plan = make_plans(build, config, data, run, recipe=name, report=Report())[0]
    feed = make_chunks(plan.data, plan.system.batch, run, plan.rows, 0, plan.mesh)
    state = parallel.place_state(jax.jit(plan.system.init)(jax.random.key(0)), plan.mesh)
    advance = parallel.parallelize(make_chunk_step(plan.system.step, feed), run.parallel, plan.mesh, feed.axes)
    size, step, many = sum(parameter_count(p.params) for p in state.players.values()), 0, 1

    def dispatch(count: int) -> Any:
        nonlocal state, step
        state, metrics = advance(state, feed.chunk(step, count), plan.key())
        step += count
        return metrics

    def work(units: int) -> float:
        begin, done, last = time.perf_counter(), 0, None
        while done < units:  # as the loop does: the next chunk is on its way before the last one's metrics are read
            count = min(many, units - done)
            last, before = dispatch(count), last
            jax.device_get(before)
            done += count
        jax.device_get(last)
        return (time.perf_counter() - begin) / units

    if setting != "one":
        work(1)
        many = max(1, min(round(SECONDS_A_DISPATCH / work(2)), feed.capacity))
    return work, size


if __name__ == "__main__":
    main()
