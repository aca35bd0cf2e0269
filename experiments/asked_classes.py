"""How often `fashion-cnn` sees the class that a conditional generator was asked for.

Command     python experiments/asked_classes.py RUN [RUN ...] [--n 1000] [--seed 0]
Runs        of a recipe that is told classes (`cgan`, `sngan --condition projection`), on its default data of clothes
Seen by     `fashion-cnn`, the bundled classifier of clothes
Prints      the share of n samples, the ten classes in turn, whose likeliest class is the one asked for, and the share
            of each class. The first row is the classifier's accuracy on the 10,000 bundled images themselves, which it
            was not trained on: where real shirts are taken for coats, made ones may be.
Time        15 s, and 5 s more a run, on two cores
"""

import argparse
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float, Int, UInt8

import jaxgan
from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.fields import Needs
from jaxgan.metrics.seen_by.fashion_cnn import CLASSES, fashion_cnn

CLOTHES = "fashion_mnist_10k"
NEEDS = Needs({"image": "image", "label": "label"})


def main(args: Sequence[str] | None = None) -> None:
    """A row for real clothes, and one for each run."""
    options = parse(args)
    found = data.load(CLOTHES, needs=NEEDS)
    (table,) = data.resident(found, found.spec)
    print(line("real clothes", table["label"], seen(table["image"])))
    for run in options.runs:
        asked, images = samples(run, options.n, options.seed)
        print(line(run, asked, seen(images)), flush=True)


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="How often the class asked for is the class seen.")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="folder of a run of jaxgan train cgan")
    parser.add_argument("--n", type=int, default=1000, help="samples to make with each")
    parser.add_argument("--seed", type=int, default=0, help="of their latent vectors")
    return parser.parse_args(args)


def samples(run: str, n: int, seed: int) -> tuple[Int[np.ndarray, " n"], UInt8[np.ndarray, "n h w c"]]:
    """The classes that are asked for, in turn, and what the run makes of them.

    Raises:
        UserError: a run that is not told the ten classes of clothes.
    """
    opened = jaxgan.load(run)
    verb = opened.system.verbs.get("sample")
    names = verb.given["label"].names if verb and set(verb.given) == {"label"} else ()
    if not verb or len(names) != CLASSES:
        raise UserError(f"{run} is not told the ten classes of clothes; asked_classes.py takes runs of cgan.")
    return np.arange(n) % CLASSES, opened.sample(n, seed)


def seen(images: UInt8[np.ndarray, "n h w c"], batch: int = 250) -> Int[np.ndarray, " n"]:
    """The likeliest class of each image."""
    extractor = fashion_cnn()
    run = jax.jit(extractor.apply)
    parts = [run(extractor.params, images[start : start + batch])["logits"] for start in range(0, len(images), batch)]
    return np.concatenate(parts).argmax(1)


def shares(asked: Int[np.ndarray, " n"], found: Int[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " classes"]]:
    """The share of all that are seen as asked, and that of each class; NaN for a class that nobody asked for."""
    right = asked == found
    by_class = [right[asked == label].mean() if (asked == label).any() else np.nan for label in range(CLASSES)]
    return float(right.mean()), np.array(by_class)


def line(name: str, asked: Int[np.ndarray, " n"], found: Int[np.ndarray, " n"]) -> str:
    """One row of text."""
    share, by_class = shares(asked, found)
    return f"{name}: {share:.3f} of {len(asked):,} as asked; by class {' '.join(f'{one:.2f}' for one in by_class)}"


if __name__ == "__main__":
    main()
