"""Seconds until a DCGAN's images are good: jaxgan's default and PyTorch, on the same images, by the same judge.

Command   python experiments/benchmarks/quality.py [--seeds 0 1 2] [--limit 150] [--picture docs/images/quality.png]
          (PyTorch, where it can be imported, is the peer; jaxgan does not need it)
Variants  `jaxgan`: what `jaxgan train dcgan` trains. `torch tutorial`: the network and the settings of PyTorch's DCGAN
          tutorial (width 64, 128 images a step, Adam at 2e-4 and beta1 0.5, weights from N(0, 0.02), samples with the
          batch's own statistics), whose pyramid begins at 7x7 as the bundled images are 28x28. `torch ours`: jaxgan's
          networks and settings in PyTorch, its average and falling rates included, in the fastest form that we know
          without a compiler.
Protocol  The 10,000 bundled images, in the device's memory on both sides. Each variant trains in a process of its own
          with all cores; whoever has trained for the shortest time has the next turn, some seconds of steps, so that
          what else the machine does meets all. After each turn it makes 5,000 images, and the judge compares them:
          FD[fashion-cnn, 28x28 resize, 10000 vs 5000]. The clock runs while a variant trains; the first distance at or
          below a level gives its seconds. Start-up (imports, data, compilation) is told apart. A variant ends with its
          schedule or after `--limit` seconds.
Hardware  and measured numbers: docs/performance.md and experiments/results/quality.json.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from timing import CannotRunError, Worker, stamped, write
from training_steps import RESULTS, Question, arrays, load

VARIANTS = ("jaxgan", "torch tutorial", "torch ours")
LEVELS = (5.0, 2.0, 1.0)
FAKES = 5_000
AT_ONCE = 250  # images that are made together
CLOTHES = Question("dcgan", (28, 28, 1))
PROTOCOL = f"FD[fashion-cnn, 28x28 resize, 10000 vs {FAKES}] against seconds of training, variants in turn"


class Point(NamedTuple):
    """A variant at a moment of its training."""

    step: int
    seconds: float
    distance: float


def main() -> None:
    """Train all variants with each seed; `--worker` is one variant's process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--limit", type=float, default=150.0, help="seconds of training for each variant")
    parser.add_argument("--turn", type=int, default=250, help="steps between distances")
    parser.add_argument("--out", type=Path, default=RESULTS / "quality.json")
    parser.add_argument("--picture", type=Path, help="also draw the curves into this file")
    parser.add_argument("--worker", nargs=3, metavar=("VARIANT", "SEED", "FILE"))
    options = parser.parse_args()
    if options.worker:
        variant, seed, file = options.worker
        serve(start(variant, int(seed)), options.turn, Path(file))
        return
    judge, results = make_judge(), {}
    for seed in options.seeds:
        results[str(seed)] = contest(options, seed, judge)
        write(options.out, stamped(PROTOCOL, results))
    print("\n".join(summary(results)))
    if options.picture:
        draw(results, options.picture)


def contest(options: argparse.Namespace, seed: int, judge: Callable[[np.ndarray], float]) -> dict[str, dict[str, Any]]:
    """All variants with one seed, in turn, until each has ended."""
    workers: dict[str, tuple[Worker, Path]] = {}
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            for i, name in enumerate(options.variants):
                file = Path(folder) / f"{i}.npy"
                command = [__file__, "--turn", str(options.turn), "--worker", name, str(seed), str(file)]
                try:
                    workers[name] = (Worker(command), file)
                    found[name] = {**workers[name][0].about, "points": []}
                except CannotRunError as failed:
                    found[name] = {"failed": str(failed)}
            while running := [name for name in workers if _runs(found[name], options.limit)]:
                name = min(running, key=lambda each: _clock(found[each]["points"]))
                point = turn(*workers[name], found[name]["points"], options.turn, judge)
                found[name]["points"].append(point)
                print(
                    f"seed {seed}, {name}: step {point.step}, {point.seconds:.1f} s, {point.distance:.2f}", flush=True
                )
        finally:
            for worker, _ in workers.values():
                worker.stop()
    return found


def turn(
    worker: Worker, file: Path, points: Sequence[Point], steps: int, judge: Callable[[np.ndarray], float]
) -> Point:
    """Let a worker train once more, and judge what it makes."""
    seconds = worker.turn() + _clock(points)
    return Point(steps * (len(points) + 1), seconds, judge(np.load(file)))


def _clock(points: Sequence[Point]) -> float:
    return points[-1].seconds if points else 0.0


def _runs(row: Mapping[str, Any], limit: float) -> bool:
    points = row["points"]
    over = row["steps"] is not None and points and points[-1].step >= row["steps"]
    return not over and _clock(points) < limit


class Player(NamedTuple):
    """A variant that trains.

    Attributes:
        advance: takes this many steps, and waits for them.
        sample: 5,000 images, uint8 [n, h, w, c].
        steps: after which its schedule ends; None where it has none.
    """

    advance: Callable[[int], None]
    sample: Callable[[], np.ndarray]
    steps: int | None


def start(variant: str, seed: int) -> Player:
    """The variant, before its first step; everything is compiled."""
    return jaxgan_player(seed) if variant == "jaxgan" else torch_player(variant.split()[1], seed)


def serve(player: Player, steps: int, file: Path) -> None:
    """In a worker: answer each line with the seconds of the next steps, and leave images in `file`."""
    print(
        json.dumps({"start_up": time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID), "steps": player.steps}), flush=True
    )
    for _ in sys.stdin:
        begin = time.perf_counter()
        player.advance(steps)
        seconds = time.perf_counter() - begin
        np.save(file, player.sample())
        print(seconds, flush=True)


def jaxgan_player(seed: int) -> Player:
    """What `jaxgan train dcgan` compiles, and the sampler of its average."""
    import jax

    from jaxgan import recipes
    from jaxgan.game import parallel
    from jaxgan.show.sampling import make_sampler
    from jaxgan.train.loop.chunk_step import make_chunk_step
    from jaxgan.train.loop.chunks import make_chunks
    from jaxgan.train.loop.plan import make_plans
    from jaxgan.train.run.config import RunConfig
    from jaxgan.train.screen.report import Report

    recipe, run = recipes.load("dcgan"), RunConfig(seed=seed)
    plan = make_plans(recipe.build, recipe.Config(), load(CLOTHES), run, recipe="dcgan", report=Report())[0]
    feed = make_chunks(plan.data, plan.system.batch, run, plan.rows, 0, plan.mesh)
    advance_by = parallel.parallelize(make_chunk_step(plan.system.step, feed), run.parallel, plan.mesh, feed.axes)
    begin = lambda: parallel.place_state(jax.jit(plan.system.init)(jax.random.key(seed)), plan.mesh)  # noqa: E731
    advance_by(begin(), feed.chunk(0, 1), plan.key())  # compiles
    state, done = begin(), 0

    def advance(steps: int) -> None:
        nonlocal state, done
        while steps:
            count = min(steps, feed.capacity)
            state, _ = advance_by(state, feed.chunk(done, count), plan.key())
            done, steps = done + count, steps - count
        jax.block_until_ready(state)

    draw = make_sampler(plan.system.verb("sample"), FAKES, seed, lambda _start, _n: {})
    draw(state)  # compiles
    return Player(advance, lambda: draw(state)["image"], recipe.Config().steps)


def torch_player(setting: str, seed: int) -> Player:
    """The tutorial's game, or jaxgan's default in PyTorch."""
    import torch
    import torch_peer

    from jaxgan import recipes

    torch.manual_seed(seed)
    config, data = recipes.load("dcgan").Config(), arrays(load(CLOTHES))
    if setting == "tutorial":
        peer = torch_peer.Peer(torch_peer.dcgan(CLOTHES.shape, 64), *data, batch=128)
        slower, average = None, None
        torch_peer.start(peer)
    else:
        assert config.g_width == config.d_width
        assert config.d_norm == "batch"
        ends = {"units": (config.g_units, config.d_units), "biases": config.d_biases}
        networks = torch_peer.dcgan(CLOTHES.shape, config.g_width, **ends)
        rates = (config.g_learning_rate, config.d_learning_rate)
        peer = torch_peer.Peer(networks, *data, batch=config.batch_size, setting="best", rates=rates)
        torch_peer.start(peer)
        slower = torch_peer.slowing(peer, config.steps, config.rate_end)
        average = torch_peer.Average(peer, config.ema_halflife_kimg)

    def advance(steps: int) -> None:
        for _ in range(steps):
            peer.step()
            if slower:
                slower()
            if average:
                average.follow()

    def sample() -> np.ndarray:
        g = average.g.eval() if average else peer.g.train()  # the tutorial samples with the batch's statistics
        noise = torch.Generator().manual_seed(seed)
        with torch.inference_mode():
            parts = [g(torch.randn(AT_ONCE, torch_peer.LATENT, generator=noise)) for _ in range(FAKES // AT_ONCE)]
        images = torch.cat(parts).permute(0, 2, 3, 1)
        return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()

    return Player(advance, sample, None if setting == "tutorial" else config.steps)


def make_judge() -> Callable[[np.ndarray], float]:
    """`images -> distance` from the bundled images."""
    import jax

    from jaxgan.metrics.numbers.frechet import frechet_distance
    from jaxgan.metrics.seen_by.fashion_cnn import fashion_cnn

    extractor = fashion_cnn()
    run = jax.jit(extractor.apply)

    def features(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), AT_ONCE)
        return np.concatenate([run(extractor.params, images[start : start + AT_ONCE])["features"] for start in starts])

    real = features(arrays(load(CLOTHES))[0])
    return lambda images: frechet_distance(real, features(images)).value


def seconds_to(points: Sequence[Point], level: float) -> float | None:
    """Seconds of training until the first distance at or below `level`; None where there is none."""
    return next((point.seconds for point in points if point.distance <= level), None)


def summary(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """For each variant the median over seeds of the seconds to each level; the distance at its end."""
    lines = [f"seconds of training to FD {', '.join(f'{level:g}' for level in LEVELS)} (each seed), start-up, the end"]
    for name in next(iter(results.values())):
        rows = [row[name] for row in results.values()]
        if any("failed" in row for row in rows):
            lines.append(f"  {name:16s} not run: {next(row['failed'] for row in rows if 'failed' in row)[:90]}")
            continue
        told = ["  ".join(_told(seconds_to(row["points"], level)) for row in rows) for level in LEVELS]
        end = "  ".join(f"{row['points'][-1].distance:.2f}" for row in rows)
        start_up = statistics.median(row["start_up"] for row in rows)
        lines.append(f"  {name:16s} {' | '.join(told)} | {start_up:.1f} s of processor | {end}")
    return lines


def _told(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f}"


def draw(results: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """The curves of all seeds, a colour a variant, as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for i, name in enumerate(next(iter(results.values()))):
        for j, row in enumerate(seed[name] for seed in results.values() if "points" in seed[name]):
            _, seconds, distances = zip(*row["points"], strict=True)
            axes.plot(seconds, distances, f"C{i}", label=None if j else name, alpha=0.8)
    axes.set(xlabel="seconds of training", ylabel="FD[fashion-cnn]", yscale="log", yticks=[0.5, 1, 2, 5, 10, 20, 50])
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
