"""How often the two pictures that `cogan` makes of one latent vector show the same kind of clothes.

Command     python experiments/coupled_pairs.py RUN [RUN ...] [--pairs 5000] [--seed 0]
Runs        of `jaxgan train cogan` on its default data, clothes (`a`) and negatives of others with outlines (`b`)
Seen by     `fashion-cnn`, the bundled classifier of clothes: a as it is, b turned back (`turned_back`)
Prints      the share of pairs whose pictures get the same class, what independent pictures with these classes would
            have, how many pictures of each domain get each class, and each domain's Fréchet distance from its data.
            The first row is of real clothes and their own negatives, which are the data of b: what the lines
            have covered is lost, so that no pair can be expected to do better.
Time        25 s, and 15 s more a run, on two cores
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import grey_closing

import jaxgan
from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.made.outlines import negatives
from jaxgan.metrics.numbers.frechet import frechet_distance
from jaxgan.metrics.seen_by.fashion_cnn import CLASSES, fashion_cnn
from jaxgan.recipes.cogan import NEEDS

CLOTHES, DOMAINS = "fashion_mnist_10k", "fashion_negatives"
Pictures = UInt8[np.ndarray, "n h w 1"]


class Seen(NamedTuple):
    """What the classifier makes of pictures: the likeliest class and the features of each."""

    classes: Int[np.ndarray, " n"]
    features: Float[np.ndarray, "n f"]


class Pairs(NamedTuple):
    """What pairs are like.

    Attributes:
        agreement: share of pairs of one class.
        chance: the same share if the two pictures of a pair had nothing to do with each other.
        a: number of pictures of each class in domain a.
        b: the same in domain b.
        distances: Fréchet distances of a and b from the data.
    """

    agreement: float
    chance: float
    a: Int[np.ndarray, " classes"]
    b: Int[np.ndarray, " classes"]
    distances: tuple[float, float]


def main(args: Sequence[str] | None = None) -> None:
    """A row for real clothes, and one for each run."""
    options = parse(args)
    real = columns(data.load(DOMAINS, needs=NEEDS))
    truth = see(real)
    same = columns(data.load(CLOTHES))["image"][-len(real["b"]) :]
    print(line("real clothes", compare(see({"a": same, "b": negatives(same)}), truth)))
    for run in options.runs:
        print(line(run, compare(see(pairs_of(run, options.pairs, options.seed)), truth)), flush=True)


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="How often the two pictures of a pair are of one class.")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="folder of a run of jaxgan train cogan")
    parser.add_argument("--pairs", type=int, default=5000, help="pairs to make with each")
    parser.add_argument("--seed", type=int, default=0, help="of their latent vectors")
    return parser.parse_args(args)


def pairs_of(run: str, n: int, seed: int) -> dict[str, Pictures]:
    """What a run makes.

    Raises:
        UserError: no pictures of a and b.
    """
    made = jaxgan.load(run).sample(n, seed)
    if not isinstance(made, dict) or set(made) != {"a", "b"}:
        raise UserError(f"{run} makes no pictures of a and b; coupled_pairs.py takes runs of jaxgan train cogan.")
    return made


def columns(found: data.Data) -> dict[str, Pictures]:
    """All pictures of a set, by field."""
    return {name: values for table in data.resident(found, found.spec) for name, values in table.items()}


def see(pictures: dict[str, Pictures]) -> dict[str, Seen]:
    """Each domain's pictures by the bundled classifier, negatives turned back."""
    return {name: _seen(turned_back(images) if name == "b" else images) for name, images in pictures.items()}


def turned_back(negatives: Pictures) -> Pictures:
    """Clothes of negatives with outlines: `255 - b`, and white lines filled from what lies around them."""
    clothes = 255 - negatives
    filled = grey_closing(clothes, size=(1, 3, 3, 1))
    return np.where(clothes == 0, filled, clothes)


def _seen(images: Pictures, batch: int = 250) -> Seen:
    extractor = fashion_cnn()
    run = jax.jit(extractor.apply)
    parts = [run(extractor.params, images[start : start + batch]) for start in range(0, len(images), batch)]
    logits, features = (np.concatenate([np.asarray(part[tap]) for part in parts]) for tap in ("logits", "features"))
    return Seen(logits.argmax(1), features)


def compare(made: dict[str, Seen], truth: dict[str, Seen]) -> Pairs:
    """What pairs are like.

    Args:
        made: pictures of which row i of both domains is a pair.
        truth: the data, in no order.
    """
    a, b = (np.bincount(made[name].classes, minlength=CLASSES) for name in "ab")
    agreement = float((made["a"].classes == made["b"].classes).mean())
    chance = float(a @ b / (a.sum() * b.sum()))
    distances = [frechet_distance(truth[name].features, made[name].features).value for name in "ab"]
    return Pairs(agreement, chance, a, b, (distances[0], distances[1]))


def line(name: str, pairs: Pairs) -> str:
    """One row of text."""
    counts = "; ".join(f"{domain} {' '.join(map(str, getattr(pairs, domain)))}" for domain in "ab")
    distances = " ".join(f"{value:.2f}" for value in pairs.distances)
    return f"{name}: agreement {pairs.agreement:.3f}, chance {pairs.chance:.3f}; FD a, b {distances}; classes {counts}"


if __name__ == "__main__":
    main()
