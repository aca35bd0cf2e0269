"""A whole DCGAN training step (one Adam update of D, one of G) in several formulations, by the ratio of their times.

Command   python experiments/benchmarks/dcgan_step.py [--image 64 64 3] [--rounds 7] [--clock wall|cpu]
          (on a machine with other work: taskset -c 0 python ... --clock cpu)
Hardware  2 cores of an AMD EPYC (Zen 5), shared; jax 0.10.2, flax 0.12.8, torch 2.13.0 (CPU)
Time      3 minutes
Protocol  float32, batch 64, width 64, 100 latents. Per image size all variants are compiled first, then timed in turn,
          round after round, in one process; printed are median and minimum and the ratio of the medians to torch (where
          it is installed) or to the Flax layers. The machine's other load moves the times, less so the ratios.
Variants  flax    `flax.linen` convolutions, one compiled step
          jaxgan  this package's convolutions, the same step: G's forward pass is run once and shared (`jax.vjp`)
          scan    the same, four steps in one `lax.scan`, time per step
          torch   PyTorch eager, the usual tutorial's loop (only if torch can be imported; this package does not need
          it)
Measured  two cores, wall clock, nothing else of ours running, speed relative to torch:
          32x32x1 (three runs of 7, 9 and 9 rounds)  flax 0.35 to 0.37, jaxgan 0.81 to 0.94, scan 0.91 to 0.99
          64x64x3 (5 rounds)                         flax 0.22, jaxgan 0.91, scan 0.95
          So jaxgan is 2.3 to 2.5 and 4.2 times as fast as the Flax layers, and a step in a scan is no slower than one
          alone. On one core by its cpu clock: 0.87 and 0.84 times torch. Not run on a GPU.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

from jaxgan.nets import dcgan

BATCH, LATENT, WIDTH, SCAN = 64, 100, 64, 4
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
Clock = Callable[[], float]
State = tuple[Any, Any, Any]  # parameters, batch statistics, optimiser state; each {"g": ..., "d": ...}


def main() -> None:
    """Time every variant at every size that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", nargs=3, type=int, action="append", metavar=("H", "W", "C"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    options = parser.parse_args()
    print(f"protocol: float32, batch {BATCH}, width {WIDTH}; {options.rounds} rounds in turn, {options.clock} time")
    for shape in options.image or [(32, 32, 1), (64, 64, 3)]:
        report(tuple(shape), time_in_turn(variants(tuple(shape), CLOCKS[options.clock]), options.rounds))


def variants(shape: tuple[int, int, int], clock: Clock) -> dict[str, Callable[[], float]]:
    """Name to a function that runs the variant once and returns seconds per step."""
    runs = {}
    # The networks look their layers up when they are called: traced under the patch they are made of Flax's.
    with mock.patch.multiple(dcgan, Conv=nn.Conv, ConvTranspose=nn.ConvTranspose):
        runs["flax"] = jax_variant(shape, steps=1, clock=clock)
    runs["jaxgan"] = jax_variant(shape, steps=1, clock=clock)
    runs[f"scan {SCAN}"] = jax_variant(shape, steps=SCAN, clock=clock)
    try:
        runs["torch"] = torch_variant(shape, clock)
    except ImportError:
        print("torch is not installed: ratios are to the Flax layers")
    return runs


def time_in_turn(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Seconds per step of each variant and round, after one round to warm up."""
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            seconds[name].append(run())
    return seconds


def report(shape: tuple[int, int, int], seconds: dict[str, list[float]]) -> None:
    """Print a line for each variant; a speed of 2 means half the base's time."""
    base_name = "torch" if "torch" in seconds else "flax"
    base = statistics.median(seconds[base_name])
    print(f"{'x'.join(map(str, shape))}: variant, ms per step median (min), speed relative to {base_name}")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"  {name:8s} {1e3 * median:8.1f} ({1e3 * min(times):8.1f})  {base / median:6.2f}", flush=True)


def jax_variant(shape: tuple[int, int, int], steps: int, clock: Clock) -> Callable[[], float]:
    """Compile now; each call runs `steps` training steps in one dispatch."""
    init, step = hand_fused(shape)
    state = init(jax.random.key(0))
    images = jnp.tanh(jax.random.normal(jax.random.key(1), (steps, BATCH, *shape)))
    z = jax.random.normal(jax.random.key(2), (steps, BATCH, LATENT))
    many = jax.jit(
        lambda state, images, z: jax.lax.scan(lambda s, batch: (step(s, *batch), None), state, (images, z))[0]
    )
    one = jax.jit(lambda state, images, z: step(state, images[0], z[0]))
    compiled = (one if steps == 1 else many).lower(state, images, z).compile()

    def run() -> float:
        nonlocal state
        start = clock()
        state = jax.block_until_ready(compiled(state, images, z))
        return (clock() - start) / steps

    return run


def hand_fused(shape: tuple[int, int, int]) -> tuple[Callable[..., State], Callable[..., State]]:
    """The step as one writes it by hand for speed: G plays once, D moves, G moves against the new D."""
    nets = {"g": dcgan.DCGANGenerator(shape, WIDTH), "d": dcgan.DCGANDiscriminator(WIDTH)}
    adam = optax.adam(2e-4, b1=0.5)

    def init(key: jax.Array) -> State:
        inputs = {"g": jnp.zeros((BATCH, LATENT)), "d": jnp.zeros((BATCH, *shape))}
        made = {name: nets[name].init(key, x, train=True) for name, x in inputs.items()}
        params = {name: variables["params"] for name, variables in made.items()}
        stats = {name: variables["batch_stats"] for name, variables in made.items()}
        return params, stats, {name: adam.init(params[name]) for name in nets}

    def apply(name: str, params: Any, stats: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        y, updated = nets[name].apply({"params": params, "batch_stats": stats}, x, train=True, mutable=["batch_stats"])
        return y, updated["batch_stats"]

    def d_loss(params: Any, stats: Any, real: jax.Array, fake: jax.Array) -> tuple[jax.Array, Any]:
        real_logits, stats = apply("d", params, stats, real)
        fake_logits, stats = apply("d", params, stats, fake)
        return bce(real_logits, 1.0) + bce(fake_logits, 0.0), stats

    def move(name: str, gradient: Any, params: Any, opt: Any) -> tuple[Any, Any]:
        updates, opt[name] = adam.update(gradient, opt[name])
        return {**params, name: optax.apply_updates(params[name], updates)}, opt

    def step(state: State, real: jax.Array, z: jax.Array) -> State:
        params, stats, opt = (dict(part) for part in state)
        fake, pull_back, stats["g"] = jax.vjp(lambda p: apply("g", p, stats["g"], z), params["g"], has_aux=True)
        gradient, stats["d"] = jax.grad(d_loss, has_aux=True)(params["d"], stats["d"], real, fake)
        params, opt = move("d", gradient, params, opt)
        gradient = jax.grad(lambda fake: bce(apply("d", params["d"], stats["d"], fake)[0], 1.0))(fake)
        params, opt = move("g", pull_back(gradient)[0], params, opt)
        return params, stats, opt

    return init, step


def bce(logits: jax.Array, target: float) -> jax.Array:
    """Mean binary cross-entropy of logits against one target."""
    return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, jnp.full_like(logits, target)))


def torch_variant(shape: tuple[int, int, int], clock: Clock) -> Callable[[], float]:
    """The same networks and losses in PyTorch's eager mode, channels first as tutorials have them."""
    import torch
    from torch import nn as tnn

    height, width, channels = shape
    (base_h, base_w), doublings = dcgan.pyramid(height, width)
    features = [WIDTH * 2**layer for layer in range(doublings)]
    down, up = [], [tnn.Linear(LATENT, features[-1] * base_h * base_w, bias=False)]
    up.append(tnn.Unflatten(1, (features[-1], base_h, base_w)))
    for i, (near, far) in enumerate(zip([channels, *features], features, strict=False)):
        norm = [tnn.BatchNorm2d(far)] if i else []
        down += [tnn.Conv2d(near, far, 4, 2, 1, bias=False), *norm, tnn.LeakyReLU(0.2)]
    for far, near in zip(features[::-1], [*features[-2::-1], channels], strict=True):
        up += [tnn.BatchNorm2d(far), tnn.ReLU(), tnn.ConvTranspose2d(far, near, 4, 2, 1, bias=False)]
    g = tnn.Sequential(*up, tnn.Tanh())
    d = tnn.Sequential(*down, tnn.Flatten(), tnn.Linear(features[-1] * base_h * base_w, 1, bias=False))
    adams = {net: torch.optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999)) for net in (g, d)}
    bce = tnn.BCEWithLogitsLoss()
    real, z = torch.tanh(torch.randn(BATCH, channels, height, width)), torch.randn(BATCH, LATENT)
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def run() -> float:
        start = clock()
        fake = g(z)
        d.zero_grad()
        bce(d(real), ones).backward()
        bce(d(fake.detach()), zeros).backward()
        adams[d].step()
        g.zero_grad()
        bce(d(fake), ones).backward()
        adams[g].step()
        return clock() - start

    return run


if __name__ == "__main__":
    main()
