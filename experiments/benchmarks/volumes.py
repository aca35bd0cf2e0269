"""Time of convolutions of one and three axes on a CPU, value and both gradients, in this package's forms and in lax's.

Command   python experiments/benchmarks/volumes.py [--quick] [--rounds 5] [--batch 16]
Hardware  2 cores of an AMD EPYC, shared with much other work (load 8 to 15): read the ratios, not the milliseconds
Protocol  float32, no bias, one compiled program for each cell, the cells in turn, round after round, in one process;
          "all in a loop" is value and both gradients in the body of a `lax.map`. jax 0.12.
Measured  experiments/results/volumes.json (`--batch 4 --rounds 3`): median in ms, jaxgan / lax:
                                      value      by inputs     by weights    all in a loop
          up   4^3 128 -  8^3 64   18 /   710     13 /    11      9 / 214       33 /  1264
          down 4^3 128 -  8^3 64    5 /    10      5 /   465     10 /  41       37 /   547
          up   8^3  64 - 16^3 32   12 /  2100     22 /    37     31 / 472       96 /  3054
          down 8^3  64 - 16^3 32   10 /    25     10 /  1830     58 / 317      115 /  1292
          up   16^3 32 - 32^3  1    2 / 10328      8 /    59      8 /  91       20 / 14388
          down 16^3 32 - 32^3  1    3 /    82      3 / 14780     15 /  36       13 /   396
          up   16  256 - 64  128   12 /   360     15 /    10      8 / 170       41 /   845
          down 16  256 - 64  128    5 /     6     12 /   289      9 /   9       36 /   460
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from flax import linen as nn
from timing import stamped, write

from jaxgan.layers import Conv, ConvTranspose

RESULTS = Path(__file__).parents[1] / "results"

# Name: kernel, stride, pixels per side of the small end, its channels, channels of the large end. The three layers of a
# 32-voxel generator and its mirrored discriminator, and the first layer of WaveGAN.
LAYERS = {
    "4^3 128 - 8^3 64": ((4, 4, 4), 2, 4, 128, 64),
    "8^3 64 - 16^3 32": ((4, 4, 4), 2, 8, 64, 32),
    "16^3 32 - 32^3 1": ((4, 4, 4), 2, 16, 32, 1),
    "16 256 - 64 128": ((25,), 4, 16, 256, 128),
}
PARTS = ("value", "by inputs", "by weights", "all in a loop")


def main() -> None:
    """Time every layer in both directions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help="the smallest layer of each rank only")
    parser.add_argument("--out", type=Path, default=RESULTS / "volumes.json")
    options = parser.parse_args()
    protocol = f"float32, batch {options.batch}, {options.rounds} rounds in turn, milliseconds"
    print(f"{protocol}: medians, jaxgan / lax (times as fast)")
    results = {}
    for name, layer in LAYERS.items():
        if not options.quick or name in ("4^3 128 - 8^3 64", "16 256 - 64 128"):
            for up in (True, False):
                label = f"{'up' if up else 'down'} {name}"
                results[label] = timed(programs(up, options.batch, *layer), options.rounds)
                print(line(label, results[label]), flush=True)
                write(options.out, stamped(protocol, results))  # as far as it has come


def programs(
    up: bool, batch: int, kernel: tuple[int, ...], stride: int, pixels: int, small: int, large: int
) -> dict[str, dict[str, Callable[[], object]]]:
    """By part and library: a compiled program that computes it and waits for it."""
    rank = len(kernel)
    size, inputs, features = (pixels, small, large) if up else (pixels * stride, large, small)
    classes = (ConvTranspose, nn.ConvTranspose) if up else (Conv, nn.Conv)
    x = jax.random.normal(jax.random.key(0), (batch, *(size,) * rank, inputs))
    found: dict[str, dict[str, Callable[[], object]]] = {part: {} for part in PARTS}
    for library, layer in zip(("jaxgan", "lax"), classes, strict=True):
        apply = layer(features, kernel, (stride,) * rank, use_bias=False).apply
        window = jax.random.normal(jax.random.key(1), (*kernel, inputs, features))
        y_bar = jax.random.normal(jax.random.key(2), jax.eval_shape(partial(value, apply), x, window).shape)
        for part, f in zip(PARTS, (value, by_inputs, by_weights, looped), strict=True):
            arguments = (x, window) if part == "value" else (x, window, y_bar)
            compiled = jax.jit(partial(f, apply)).lower(*arguments).compile()
            found[part][library] = partial(lambda run, *a: jax.block_until_ready(run(*a)), compiled, *arguments)
    return found


def value(apply: Callable, x: jax.Array, window: jax.Array) -> jax.Array:
    """The layer."""
    return apply({"params": {"kernel": window}}, x)


def by_inputs(apply: Callable, x: jax.Array, window: jax.Array, y_bar: jax.Array) -> jax.Array:
    """Its gradient by the inputs."""
    return jax.vjp(lambda x: value(apply, x, window), x)[1](y_bar)[0]


def by_weights(apply: Callable, x: jax.Array, window: jax.Array, y_bar: jax.Array) -> jax.Array:
    """Its gradient by the kernel."""
    return jax.vjp(lambda window: value(apply, x, window), window)[1](y_bar)[0]


def looped(apply: Callable, x: jax.Array, window: jax.Array, y_bar: jax.Array) -> object:
    """Value and both gradients in the body of a loop of one step, whose scale keeps the work in it."""

    def step(scale: jax.Array) -> object:
        y, pull_back = jax.vjp(partial(value, apply), scale * x, window)
        return y, pull_back(scale * y_bar)

    return jax.lax.map(step, jnp.ones(1))


def timed(parts: dict[str, dict[str, Callable[[], object]]], rounds: int) -> dict[str, dict[str, list[float]]]:
    """By part and library: milliseconds of each round; they take turns, round after round."""
    runs = [(part, library, run) for part, libraries in parts.items() for library, run in libraries.items()]
    taken: dict[tuple[str, str], list[float]] = {(part, library): [] for part, library, _ in runs}
    for _, _, run in runs:
        run()
    for _ in range(rounds):
        for part, library, run in runs:
            begin = time.perf_counter()
            run()
            taken[part, library].append(1e3 * (time.perf_counter() - begin))

    return {part: {library: taken[part, library] for library in parts[part]} for part in parts}


def line(layer: str, found: dict[str, dict[str, list[float]]]) -> str:
    """What each part takes in each library, and how many times as fast this package is."""
    cells = []
    for part, libraries in found.items():
        ours, theirs = (statistics.median(libraries[library]) for library in ("jaxgan", "lax"))
        cells.append(f"{part} {ours:.1f} / {theirs:.1f} ({theirs / ours:.2f})")
    return f"{layer}: " + "  ".join(cells)


if __name__ == "__main__":
    main()
