"""How long a training step may take on 8, 64 and 512 accelerators: an estimate from counts, NOT a measurement.

Command   python experiments/benchmarks/scaling_estimate.py
Hardware  any; nothing is run on an accelerator, nothing is compiled for one
Time      1 minute
Protocol  operations: products of one forward pass of each network by XLA's count, times the passes of the algorithm
          (tests/recipes/test_costs.py holds the compiled steps to that arithmetic). Bytes: those of the parameters,
          once a step (tests/game/test_collectives.py). The rest are the assumptions below, each of them written out in
          docs/scaling.md, which quotes what this prints.
"""

import argparse
import math
from typing import Any, NamedTuple
from unittest import mock

import jax
import jax.numpy as jnp

from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgan.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgan.recipes import r3gan

SHAPE = (64, 64, 3)
UTILISATION = 0.25  # share of the peak that convolutions of these sizes reach: a guess, on the careful side


class Machine(NamedTuple):
    """An accelerator and what joins it to others; peaks as their makers publish them.

    Attributes:
        flops: operations a second, dense bfloat16.
        island: accelerators joined by the fast network.
        fast: bytes a second and direction within an island, per accelerator.
        slow: the same between islands.
        latency: seconds for one message.
    """

    flops: float
    island: int
    fast: float
    slow: float
    latency: float


# NVIDIA, "H100 Tensor Core GPU" data sheet, SXM: 989 TFLOP/s, NVLink 900 GB/s both directions together, 8 to a node;
# ConnectX-7 of 400 Gbit/s for each. Google, "Cloud TPU v5p" documentation: 459 TFLOP/s, interconnect 4800 Gbit/s a chip
# both directions together, up to 8960 chips. Latencies are assumptions.
MACHINES = {
    "H100": Machine(989e12, 8, 450e9, 50e9, 10e-6),
    "TPU v5p": Machine(459e12, 8960, 300e9, 300e9, 2e-6),
}


class Work(NamedTuple):
    """A step's work.

    Attributes:
        flops: operations for one image of the batch.
        bytes: gradients to be reduced.
        collectives: operations that reduce, in the compiled program.
        batch: images on each accelerator (weak scaling), and in all at 8 of them (strong).
    """

    flops: float
    bytes: int
    collectives: int
    batch: int


def reduction(size: float, count: int, n: int, machine: Machine) -> float:
    """Seconds to add `size` bytes over n accelerators in `count` operations: rings within islands, rings between them.

    A ring sends 2 (n - 1) / n times the bytes. Between islands each accelerator carries its share of them. Every
    operation waits for 2 log2(n) messages.
    """
    within, islands = min(n, machine.island), max(1, n // machine.island)
    seconds = 2 * (within - 1) / within * size / machine.fast
    seconds += 2 * (islands - 1) / islands * size / within / machine.slow
    return seconds + count * 2 * math.log2(n) * machine.latency if n > 1 else 0.0


def step_time(work: Work, images: float, n: int, machine: Machine) -> tuple[float, float]:
    """Seconds that each of n accelerators computes for its `images`, and that it waits for the others, in turn."""
    compute = images * work.flops / (machine.flops * UTILISATION)
    return compute, reduction(work.bytes, work.collectives, n, machine)


def work_of(networks: tuple[Any, Any], z_dim: int, passes: tuple[int, int], collectives: int, batch: int) -> Work:
    """The work of a recipe whose step passes `passes` times through G and D, forward and backward together."""
    flops, size = 0.0, 0
    images = 8
    for times, network, shape in zip(passes, networks, ((z_dim,), SHAPE), strict=True):
        x = jax.ShapeDtypeStruct((images, *shape), jnp.float32)
        variables = jax.eval_shape(lambda key, x, net=network: net.init(key, x, train=True), jax.random.key(0), x)
        flops += times * forward_flops(network, variables, x) / images
        size += sum(4 * leaf.size for leaf in jax.tree.leaves(variables["params"]))
    return Work(flops, size, collectives, batch)


def forward_flops(network: Any, variables: Any, x: Any) -> float:
    """Operations of a forward pass, convolutions in the form that accelerators get."""
    with mock.patch("jax.lax.platform_dependent", lambda *arrays, default, **_: default(*arrays)):
        forward = jax.jit(lambda variables, x: network.apply(variables, x, train=False))
        return forward.lower(variables, x).cost_analysis()["flops"]  # pyright: ignore


def works() -> dict[str, Work]:
    """DCGAN as in its paper, and R3GAN's networks for 64x64 faces (passes: tests/recipes/test_costs.py)."""
    config = r3gan.PRESETS["ffhq64"]
    sizes = {name: getattr(config, name) for name in ("width", "growth", "max_width", "blocks", "group_size")}
    dcgan = DCGANGenerator(SHAPE, 64), DCGANDiscriminator(64)
    pair = R3GANGenerator(SHAPE, **sizes), R3GANDiscriminator(**sizes)
    return {
        "DCGAN-64": work_of(dcgan, 100, (3, 8), 22, 64),
        "R3GAN-64": work_of(pair, config.z_dim, (3, 15), 2, 32),
    }


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    print(f"estimate, not measured; {UTILISATION:.0%} of peak, no overlap; ms: computing + reducing, efficiency")
    for name, work in works().items():
        print(f"{name}: {work.flops / 1e9:.3g} GFLOP an image, {work.bytes / 1e6:.4g} MB of gradients")
        for kind, machine in MACHINES.items():
            for scaling in ("weak", "strong"):
                cells = [cell(work, scaling, n, machine) for n in (8, 64, 512)]
                print(f"| {name} | {kind} | {scaling} | " + " | ".join(cells) + " |")


def cell(work: Work, scaling: str, n: int, machine: Machine) -> str:
    """Time of a step and share of it that computes."""
    images = work.batch if scaling == "weak" else work.batch * 8 / n
    if images < 1:
        return "less than one image each"
    compute, reduce = step_time(work, images, n, machine)
    return f"{1e3 * compute:.3f} + {1e3 * reduce:.3f} ({compute / (compute + reduce):.0%})"


if __name__ == "__main__":
    main()
