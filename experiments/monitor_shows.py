"""What the monitor says of a healthy run and of three that are made to fail: a run card of docs/monitor.md.

Command     python experiments/monitor_shows.py [FOLDER [RUN ...]]    (runs/monitor and all runs unless given)
Data        the 10,000 bundled images
Hardware    two cores of an AMD EPYC (Zen 4), shared with other work
Time        3 min 12 s for the four runs
Expect      healthy: nothing. saturating: the discriminator too strong from step 144 on, exploding at step 864, and a
            collapse at step 1250. fast: exploding at step 64, a collapse at step 750.
            one-image: a collapse at step 750, where the second picture after 30,000 images confirms it, and gradients
            that do not fit together at step 1392. Steps may differ a little from machine to machine
GPU, TPU    not run
"""

import argparse
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxgan import data as datasets
from jaxgan import fields
from jaxgan.nets.mlp import MLPDiscriminator
from jaxgan.recipes import dcgan, gan
from jaxgan.train import RunConfig, fit
from jaxgan.train.monitor import diversity, rules, samples
from jaxgan.train.run.record import read_metrics
from jaxgan.train.screen.report import Report


class OneImage(nn.Module):
    """A generator that does not read its latent vector: one image, and all of it is learnt."""

    shape: tuple[int, int, int]

    @nn.compact
    def __call__(self, z, label=None, *, train=True):  # noqa: ARG002, D102
        image = self.param("image", nn.initializers.normal(0.1), self.shape)
        return jnp.broadcast_to(jnp.tanh(image), (len(z), *self.shape))


def build_one_image(config, spec, axis_name):
    """The game of the recipe `gan` with this generator."""
    return gan.between(config, spec, OneImage(spec["image"].fixed), MLPDiscriminator(config.d_widths), axis_name)


RUNS = {
    "healthy": (gan.build, gan.Config(steps=3000)),
    # log(1 - D(G(z))) has no slope where D is sure, and a D that learns ten times as fast soon is.
    "saturating": (gan.build, gan.Config(steps=1500, loss="minimax", d_learning_rate=2e-3)),
    "fast": (gan.build, gan.Config(steps=1000, g_learning_rate=2e-2, d_learning_rate=2e-2)),
    "one-image": (build_one_image, gan.Config(steps=1500)),
}


class Said(Report):
    """Shows the monitor's lines only."""

    def line(self, text):  # noqa: D102
        if text.startswith("Monitor     step"):
            print(text.replace("Monitor     ", "  "), flush=True)


def show_health(folder):
    """What a run that is well has of the numbers that rules read, over blocks as the monitor makes them."""
    rows, size = read_metrics(folder.metrics), rules.BLOCK
    blocks = [rules.condense(rows[i : i + size]) for i in range(0, len(rows) - size + 1, size)]
    norms = {name: np.array([block[f"{name}/grad_norm"] for block in blocks]) for name in ("g", "d")}
    values, margins = ([block[name] for block in blocks] for name in ("value", "margin"))
    shares = np.array([[block["accuracy_real"], block["accuracy_fake"]] for block in blocks])
    pictures = [row["numbers"] for row in read_metrics(folder.monitor) if row["kind"] == "samples"]
    judged = [picture for picture in pictures if picture["images"] >= samples.PATIENCE]
    ratios = norms["g"] / norms["d"]
    print(f"  V(D, G) {min(values):.3g} to {max(values):.3g}, margin at most {np.abs(margins).max():.3g}")
    for name, norm in norms.items():
        print(f"  {name}/grad_norm {norm.min():.3g} to {norm.max():.3g}, median {np.median(norm):.3g}")
    print(f"  g/grad_norm over d/grad_norm {ratios.min():.3g} to {ratios.max():.3g}")
    print(
        f"  recognised of each kind up to {shares.min(axis=1).max():.3g}, of all from {shares.mean(axis=1).min():.3g}"
    )
    least, near = min(each["diversity"] for each in judged), max(each["near_duplicates"] for each in judged)
    print(f"  diversity from {least:.3g}, near-duplicate pairs up to {near}", flush=True)
    print(f"  images of the data with a near-duplicate: {judged[-1]['data_repeated']} of {judged[-1]['samples']}")


def megaflops(function, *shapes):
    """By XLA's count."""
    return jax.jit(function).lower(*shapes).compile().cost_analysis()["flops"] / 1e6


def show_cost():
    """What the numbers of the monitor cost in a step, and what looking at a picture does."""
    spec = {"image": fields.image(28, 28, 1)}
    for recipe in (gan, dcgan):
        config = recipe.Config()
        system, key = recipe.build(config, spec), jax.random.key(0)
        shapes = fields.shapes(spec, config.batch_size)
        given = jax.eval_shape(system.init, key), shapes, key

        def bare(*given, step=system.step):
            state, metrics = step(*given)
            return state, {name: metrics[name] for name in ("d/loss", "g/loss")}

        with_numbers, without = megaflops(system.step, *given), megaflops(bare, *given)
        print(f"{recipe.__name__}: {with_numbers:,.1f} MFLOP a step, {without:,.1f} without the monitor's numbers")
    images = fields.shapes(spec, 64)["image"]
    print(f"64 samples compared with each other: {megaflops(diversity.pairwise, images):.1f} MFLOP")


def main():
    """Train the runs that the command line names, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="runs/monitor", help="where the runs go")
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"of {', '.join(RUNS)}; all unless given")
    options = parser.parse_args()
    if unknown := set(options.runs) - set(RUNS):
        parser.error(f"RUN takes some of {', '.join(RUNS)}, got {', '.join(sorted(unknown))}")
    data = datasets.load("fashion_mnist_10k")
    for name in options.runs or RUNS:
        build, config = RUNS[name]
        print(f"{name}: {config.steps} steps", flush=True)
        run = RunConfig(out=str(Path(options.folder) / name), sample_every=250, checkpoint_every=500, log_every=1)
        result = fit(build, config, data, run, report=Said())
        if result.signal:
            return 128 + result.signal
        if name == "healthy":
            show_health(result.folder)
    if not options.runs:
        show_cost()
    return 0


if __name__ == "__main__":
    sys.exit(main())
