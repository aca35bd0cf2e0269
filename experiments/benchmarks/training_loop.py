"""What share of the time of `jaxgan train` is the training step: the whole loop against the bare step.

Command   python experiments/benchmarks/training_loop.py [--question dcgan32] [--steps 300] [--rounds 3]
Protocol  In one process, in turn: the compiled chunk of steps alone, and `fit` with its pictures, logs, monitor and
          checkpoints: a checkpoint and two sample pictures in `--steps` steps (by default a run has them in 1,000),
          those of step 0 and of the last step included; compilation before the first step and the summary after the
          last are not. Printed is the loop's rate as a share of the bare step's, the median of the rounds.
Hardware  and measured numbers: docs/performance.md and experiments/results/training_loop.json.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import jax
from timing import stamped, write
from training_steps import QUESTIONS, RESULTS, Question, configured, jaxgan_work, load

from jaxgan.train import fit
from jaxgan.train.run.config import RunConfig
from jaxgan.train.screen.report import Report


class Stopwatch(Report):
    """A report that says nothing and takes the time between the loop's first and last moment."""

    seconds = 0.0

    def start(self, done: int, total: int) -> None:  # noqa: ARG002
        """The loop begins."""
        self._begin = time.perf_counter()

    def stop(self) -> None:
        """The loop has ended."""
        self.seconds = time.perf_counter() - self._begin


def main() -> None:
    """Time both in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--question", choices=QUESTIONS, default="dcgan32")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "training_loop.json")
    options = parser.parse_args()
    question = QUESTIONS[options.question]
    bare, _ = jaxgan_work(question, "many", "float32", tf32=False)
    rows = []
    for _ in range(options.rounds):
        alone = bare(options.steps // 2)
        inside = loop_seconds(question, options.steps) / options.steps
        rows.append({"bare": alone, "loop": inside, "share": alone / inside})
        print(f"bare {1e3 * alone:.1f} ms a step, loop {1e3 * inside:.1f} ms a step: {alone / inside:.1%}", flush=True)
    share = statistics.median(row["share"] for row in rows)
    print(f"{options.question}: the loop keeps {share:.1%} of the bare step's rate (median of {options.rounds})")
    write(options.out, stamped(f"{options.steps} steps, {options.rounds} rounds in turn", {options.question: rows}))


def loop_seconds(question: Question, steps: int) -> float:
    """Seconds that `fit` takes from its first step to its last checkpoint."""
    recipe, config = configured(question, steps=steps)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        run = RunConfig(out=f"{folder}/run", checkpoint_every=steps, sample_every=steps // 2)
        result = fit(recipe.build, config, load(question), run, recipe=question.recipe, report=watch)
        jax.block_until_ready(result.state)
    return watch.seconds


if __name__ == "__main__":
    main()
