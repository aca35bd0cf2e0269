"""Pictures to pictures in jaxgan and in PyTorch eager: training steps, and one picture of 512 x 512.

Command   python experiments/benchmarks/translation.py [--questions pix2pix64 cyclegan64 ...] [--rounds 7]
          (PyTorch, where it can be imported, is the peer; jaxgan does not need it)
Protocol  float32, random pictures of three channels. Each variant runs in a process of its own with all cores and takes
          its turn, about a second of work, in every round; printed are median and minimum of the rounds, the ratio of
          the medians to PyTorch eager, and the machine's load before and after. jaxgan runs what `jaxgan train` runs
          (see `training_steps.py`) and, for one picture, what `jaxgan translate` compiles. `translation_peer.py` has
          the peers; the networks have the same numbers of parameters, which is checked.
Hardware  and measured numbers: docs/performance.md and experiments/results/translation.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from timing import clocked, in_turn, serve, stamped, table, write
from training_steps import RESULTS, trained_work

VARIANTS = ("jaxgan many", "jaxgan one", "torch eager")
ALONE = ("jaxgan one", "torch eager")
PICTURES = 64  # to train on


class Question(NamedTuple):
    """Some work, for both sides.

    Attributes:
        peer: the class in `translation_peer`.
        recipe: whose options follow; "pixels" for the network that enlarges alone.
        options: of the recipe.
        sizes: further arguments of the peer.
        sides: pixels a side of both pictures.
        batch: examples a step; 0 for one picture that is translated.
    """

    peer: str
    recipe: str
    options: dict[str, Any]
    sizes: tuple[Any, ...]
    sides: tuple[int, int] = (64, 64)
    batch: int = 4


WIDE = {"g_width": 64, "d_width": 64, "d_layers": 3}
SMALL = {"g_width": 24, "d_width": 24, "d_layers": 1}
CYCLE = {"blocks": 6, "d_layers": 3, "d_width": 64, "g_width": 64}
QUESTIONS = {
    "pix2pix64": Question("Pix2Pix", "pix2pix", {**WIDE, "depth": 6}, (64, 6, 3)),
    "pix2pix64_small": Question("Pix2Pix", "pix2pix", {**SMALL, "depth": 6}, (24, 6, 1), batch=16),
    "cyclegan64": Question("CycleGAN", "cyclegan", CYCLE, (64, 6, 3), batch=1),
    "rrdb128": Question("Pixels", "pixels", {"width": 64, "blocks": 3, "growth": 32}, (64, 3, 32), (32, 128), 2),
    "unet512": Question("Translator", "pix2pix", {**WIDE, "depth": 8}, ("unet", 64, 8), (512, 512), 0),
    "resnet512": Question("Translator", "cyclegan", {**CYCLE, "blocks": 9}, ("resnet", 64, 9), (512, 512), 0),
}
FIELDS = {"pix2pix": ("source", "target"), "cyclegan": ("a", "b"), "pixels": ("source", "target")}


def main() -> None:
    """Ask every question that the command line names; `--worker` is one variant's process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS / "translation.json")
    parser.add_argument("--worker", nargs=2, metavar=("QUESTION", "VARIANT"))
    options = parser.parse_args()
    if options.worker:
        serve_variant(*options.worker)
        return
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    for name in options.questions:
        before = os.getloadavg()[0]
        found = ask(name, options.rounds)
        load = f"load {before:.1f} before, {os.getloadavg()[0]:.1f} after"
        results[name] = stamped(f"float32, {options.rounds} rounds in turn, about a second each; {load}", found)
        print("\n".join(table(f"{name}, {load}", found, "torch eager", QUESTIONS[name].batch or 1)), flush=True)
        write(options.out, results)


def ask(name: str, rounds: int) -> dict[str, dict[str, Any]]:
    """Time the variants of a question in turn."""
    variants = VARIANTS if QUESTIONS[name].batch else ALONE
    found = in_turn({each: [__file__, "--worker", name, each] for each in variants}, rounds)
    sizes = {row["parameters"] for row in found.values() if "parameters" in row}
    if len(sizes) > 1:
        raise SystemExit(f"{name}: the networks differ: {sizes} parameters")
    return found


def serve_variant(name: str, variant: str) -> None:
    """A worker: build the variant and answer with its times."""
    question = QUESTIONS[name]
    side, setting = variant.split()
    if side == "torch":
        import translation_peer

        make = getattr(translation_peer, question.peer)
        peer = make(pictures(question), *([question.batch] if question.batch else []), *question.sizes)
        serve(clocked(peer.step), parameters=translation_peer.parameters(peer))
    else:
        work, size = (training if question.batch else translating)(question, setting)
        serve(work, parameters=size)


def pictures(question: Question) -> list[np.ndarray]:
    """Random ones, the same for both sides."""
    rng, count = np.random.default_rng(0), PICTURES if question.batch else 1
    return [rng.integers(0, 256, (count, side, side, 3), np.uint8) for side in question.sides]


def training(question: Question, setting: str) -> tuple[Callable[[int], float], int]:
    """`work` for `serve`: steps of a recipe; and the number of parameters."""
    build, config, data = prepared(question)
    return trained_work(build, config, data, question.recipe, setting)


def prepared(question: Question) -> tuple[Any, Any, Any]:
    """What builds the system, its configuration and its data."""
    from jaxgan import data, recipes
    from jaxgan.fields import image

    names = FIELDS[question.recipe]
    spec = {name: image(side, side, 3) for name, side in zip(names, question.sides, strict=True)}
    given = data.of_arrays(dict(zip(names, pictures(question), strict=True)), spec, "random")
    if question.recipe == "pixels":
        import enlarging

        return enlarging.build, enlarging.Config(batch_size=question.batch, **question.options), given
    recipe = recipes.load(question.recipe)
    config = recipe.Config(batch_size=question.batch or 1, ema_halflife_kimg=0.0, **question.options)
    return recipe.build, config, given


def translating(question: Question, setting: str) -> tuple[Callable[[int], float], int]:
    """`work` for `serve`: one picture by a recipe's verb, to the host and back; and its network's parameters."""
    import jax
    import jax.numpy as jnp

    from jaxgan.game.state import parameter_count

    build, config, _ = prepared(question._replace(sides=(64, 64), batch=0))
    names = FIELDS[question.recipe]
    verb, field = {"pix2pix": ("translate", "source"), "cyclegan": ("a2b", "a")}[question.recipe]
    from jaxgan.fields import image

    system = build(config, {name: image(256, 256, 3) for name in names})
    state = jax.jit(system.init)(jax.random.key(0))
    params = state.players["g"].params
    size = parameter_count(params.get("a2b", params))
    stored, key = pictures(question)[0], jax.random.split(jax.random.key(0), 1)

    @jax.jit
    def run(state: Any, stored: Any) -> Any:
        x = stored.astype(jnp.float32) / 127.5 - 1
        return system.verbs[verb](state, {field: x}, key)

    return clocked(lambda: jax.block_until_ready(run(state, stored))), size


if __name__ == "__main__":
    main()
