"""Images per second through Inception: this package against torch-fidelity's network in PyTorch on the same machine.

Command   python experiments/benchmarks/extractor.py [--batches 1 8 32] [--images 32] [--rounds 3]
Needs     torch and torch-fidelity for the peer; without them jaxgan alone is timed
Hardware  2 cores of an AMD EPYC (Zen 4), shared; jax 0.10.2, torch 2.13.0 (CPU), torch-fidelity 0.4.0
Time      1 minute with --batches 1 16 --images 16
Protocol  uint8 images of 299x299 in memory to pooled features, float32, random weights; the peer in its eval mode
          without gradients, contiguous and channels_last. Every variant runs one batch to warm up, then all run in
          turn, round after round, in one process; printed are images per second at the median time, and the ratio to
          the fastest variant of the peer.
Measured  16 images, 3 rounds, relative to torch channels_last in batches of 16 (12.9 images/s): jaxgan 0.79 in batches
          of 1 and 0.78 of 16; torch contiguous 0.75 and 0.64; torch channels_last in batches of 1 0.91.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jaxgan.metrics.inception.inception import random_inception
from jaxgan.metrics.seen_by.features import extract

sys.path.append(str(Path(__file__).parents[1] / "goldens"))
Run = Callable[[], object]


def main() -> None:
    """Time every variant at every batch size that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    images = np.random.default_rng(0).integers(0, 256, (options.images, 299, 299, 3), dtype=np.uint8)
    extractor, runs = random_inception(), {}
    for size in options.batches:
        runs[f"jaxgan, batches of {size}"] = lambda size=size: extract(extractor, [images], batch_size=size)
        runs |= peers(images, size)
    seconds = time_in_turn(runs, options.rounds)
    rates = {name: options.images / statistics.median(times) for name, times in seconds.items()}
    base = max((rate for name, rate in rates.items() if name.startswith("torch")), default=max(rates.values()))
    print(f"protocol: {options.images} images, {options.rounds} rounds in turn, float32")
    for name, rate in rates.items():
        print(f"{name:<36} {rate:7.2f} images/s  {rate / base:5.2f}")


def peers(images: np.ndarray, size: int) -> dict[str, Run]:
    """torch-fidelity's network in two memory layouts, if it is installed."""
    try:
        import torch
        from make_inception_golden import build, import_fidelity

        network, _ = import_fidelity()
    except ImportError:
        return {}
    runs = {}
    for name, layout in (("contiguous", torch.contiguous_format), ("channels_last", torch.channels_last)):
        net = build(network, ("2048",)).to(memory_format=layout)
        x = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).to(memory_format=layout)
        runs[f"torch {name}, batches of {size}"] = lambda net=net, x=x: run_torch(torch, net, x, size)
    return runs


def run_torch(torch: object, net: object, x: object, size: int) -> None:
    """All images, batch after batch."""
    with torch.inference_mode():
        for start in range(0, len(x), size):
            net(x[start : start + size])


def time_in_turn(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run and round, after one to warm up."""
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
