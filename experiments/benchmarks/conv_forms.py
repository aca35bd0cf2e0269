"""Time of each convolution layer of a DCGAN, value and both gradients, in this package's forms, Flax's and PyTorch's.

Command   python experiments/benchmarks/conv_forms.py [--rounds 9] [--batch 64] [--clock wall|cpu]
          (on a machine with other work: taskset -c 0 python ... --clock cpu)
Hardware  2 cores of an AMD EPYC (Zen 4), shared; jax 0.10.2, flax 0.12.8, torch 2.13.0 (CPU)
Time      5 minutes as measured below
Protocol  float32, 4x4 kernels, stride 2; one compiled program (PyTorch: eager) that computes a layer's output and the
          gradients of its input and kernel; the variants in turn, round after round, in one process. Printed are median
          (minimum) in ms and the ratio of the median to this package's. "in scan" is the same program as the body of a
          `lax.scan`, time per iteration.
Measured  two cores, wall clock, 3 rounds, batch 64, time relative to jaxgan (above 1: slower):
                                flax   flax in scan   jaxgan in scan   torch
          down 32x32   1 ->  64    1.6        12             1.4         2.3
          down 64x64   3 ->  64    1.5        21             1.0         1.0
          down 32x32  64 -> 128    1.8        70             0.9         1.1
          down 16x16 128 -> 256    1.7        81             0.8         0.9
          down   8x8 256 -> 512    1.6        60             0.9         1.1
          up     4x4 512 -> 256     16        51             1.1         0.9
          up     8x8 256 -> 128     18        78             1.0         1.1
          up   16x16 128 ->  64     13        66             0.9         0.9
          up   32x32  64 ->   3    4.0        37             1.5         1.3
          up   16x16  64 ->   1    2.2        14             0.8         1.6
          On an idle machine; not measured on a GPU.
"""

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxgan.layers.conv.layers import Conv, ConvTranspose

# Input pixels per side, channels in, channels out: the layers of the 64-pixel networks and the one-channel ends of
# 32-pixel ones.
DOWN = [(32, 1, 64), (64, 3, 64), (32, 64, 128), (16, 128, 256), (8, 256, 512)]
UP = [(4, 512, 256), (8, 256, 128), (16, 128, 64), (32, 64, 3), (16, 64, 1)]
ITERATIONS = 2
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def main() -> None:
    """Time every layer in every variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    options = parser.parse_args()
    print(f"protocol: float32, batch {options.batch}, {options.rounds} rounds, {options.clock} time")
    for kind, layers in (("down", DOWN), ("up", UP)):
        for pixels, inputs, outputs in layers:
            runs = variants(kind, options.batch, pixels, inputs, outputs)
            report(
                f"{kind} {pixels}x{pixels} {inputs} -> {outputs}", in_turn(runs, options.rounds, CLOCKS[options.clock])
            )


def variants(kind: str, batch: int, pixels: int, inputs: int, outputs: int) -> dict[str, Callable[[], object]]:
    """Name to a function that computes value and gradients once (in scan: `ITERATIONS` times) and waits for them."""
    layers = {"down": (Conv, nn.Conv), "up": (ConvTranspose, nn.ConvTranspose)}[kind]
    shape = (batch, pixels, pixels, inputs)
    runs = {}
    for name, layer in zip(("jaxgan", "flax"), layers, strict=True):
        runs[name] = jax_variant(layer(outputs, (4, 4), (2, 2), use_bias=False), shape, scan=False)
        runs[f"{name} in scan"] = jax_variant(layer(outputs, (4, 4), (2, 2), use_bias=False), shape, scan=True)
    with contextlib.suppress(ImportError):
        runs["torch"] = torch_variant(kind, batch, pixels, inputs, outputs)
    return runs


def jax_variant(layer: nn.Module, shape: tuple[int, ...], scan: bool) -> Callable[[], object]:
    """The compiled program of one layer."""
    x = jax.random.normal(jax.random.key(0), shape)
    variables = layer.init(jax.random.key(1), x)
    y_bar = jax.random.normal(jax.random.key(2), jax.eval_shape(layer.apply, variables, x).shape)

    def all_three(scale: jax.Array, variables: dict, x: jax.Array, y_bar: jax.Array) -> tuple:
        y, pull_back = jax.vjp(layer.apply, variables, scale * x)
        return y, pull_back(scale * y_bar)

    # The scale runs along so that no iteration's work is another's and hoisted out of the loop; and all arrays are
    # arguments so that none is a constant and folded.
    def looped(scales: jax.Array, *arrays: Any) -> tuple:
        return jax.lax.map(lambda scale: all_three(scale, *arrays), scales)

    arguments = (jnp.ones(ITERATIONS) if scan else jnp.ones(()), variables, x, y_bar)
    compiled = jax.jit(looped if scan else all_three).lower(*arguments).compile()
    return lambda: jax.block_until_ready(compiled(*arguments))


def torch_variant(kind: str, batch: int, pixels: int, inputs: int, outputs: int) -> Callable[[], object]:
    """The same in PyTorch's eager mode."""
    import torch

    layer = {"down": torch.nn.Conv2d, "up": torch.nn.ConvTranspose2d}[kind](inputs, outputs, 4, 2, 1, bias=False)
    x = torch.randn(batch, inputs, pixels, pixels, requires_grad=True)
    y_bar = torch.randn_like(layer(x))
    return lambda: torch.autograd.grad(layer(x), (x, layer.weight), y_bar)


def in_turn(runs: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each variant and round, after one call to warm up."""
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = clock()
            run()
            elapsed = clock() - start
            seconds[name].append(elapsed / ITERATIONS if "scan" in name else elapsed)
    return seconds


def report(layer: str, seconds: dict[str, list[float]]) -> None:
    """One line: each variant's time and how many times faster than it this package's layer is."""
    median = {name: statistics.median(times) for name, times in seconds.items()}
    cells = [
        f"{name} {1e3 * median[name]:.1f} ({1e3 * min(times):.1f}) {median[name] / median['jaxgan']:.2f}x"
        for name, times in seconds.items()
    ]
    print(f"{layer}: " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
