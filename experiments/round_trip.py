"""Whether clothes are still of their kind after `cyclegan` has made chalk drawings of them and clothes of those.

Command     python experiments/round_trip.py RUN [RUN ...]
Runs        of `jaxgan train cyclegan` on its default data, clothes (`a`) and chalk drawings of others (`b`)
Seen by     `fashion-cnn`, the bundled classifier of clothes
Examples    the 500 clothes and 500 drawings that such a run has held out, whose classes the data know
Prints      the share of pictures to which the classifier gives the class of the data: clothes as they are; after the
            way there and back (a2b2a), with how many keep the class that they were given before it; drawings made of
            clothes (a2b) and real ones, both undone (`undone`); clothes made of drawings (b2a). Then the mean absolute
            difference, of 0 to 1, between pictures and their way there and back, with its standard error over pictures,
            beside that between pictures and their mean; and between made drawings and the true ones of those clothes.
Time        20 s, and 15 s more a run, on two cores
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from coupled_pairs import CLOTHES, Pictures, columns, see
from jaxtyping import Float, Int
from scipy.ndimage import grey_opening

import jaxgan
from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.fields import label
from jaxgan.made.outlines import chalk
from jaxgan.metrics.seen_by.fashion_cnn import CLASSES
from jaxgan.recipes.cyclegan import DATA, NEEDS

HELD = 500
_DARK = 85  # what is brighter in a drawing is a line
VERBS = ("a2b2a", "b2a2b")
Classes = Int[np.ndarray, " n"]


class Set(NamedTuple):
    """Pictures of one domain, and the classes of the clothes that they show."""

    pictures: Pictures
    classes: Classes


def main(args: Sequence[str] | None = None) -> None:
    """A row for what is held out, and two for each run."""
    parser = argparse.ArgumentParser(description="Whether clothes are of their kind after a way there and back.")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="folder of a run of jaxgan train cyclegan")
    runs = parser.parse_args(args).runs
    held = held_out()
    print(shares("held out", {"a": held["a"], "b undone": undone(held["b"])}))
    for run in runs:
        made = travelled(run, held)
        print(shares(run, {name: undone(each) if name == "a2b" else each for name, each in made.items()}), end="; ")
        print(f"a2b2a keeps {kept(held['a'].pictures, made['a2b2a'].pictures):.3f}")
        trips = {name: (held[name[0]].pictures, made[name].pictures) for name in VERBS}
        drawn = l1(chalk(held["a"].pictures), made["a2b"].pictures).mean()
        print(f"{differences(run, trips)}, a2b and the true drawing {drawn:.4f}", flush=True)


def held_out() -> dict[str, Set]:
    """What a run of the default data holds out, by domain."""
    clothes = columns(data.load(CLOTHES))["label"]
    half = len(clothes) // 2
    found = columns(data.hold_out(data.load(DATA, needs=NEEDS), HELD)[1])
    classes = {"a": clothes[:half], "b": clothes[half:]}
    return {name: Set(found[name], held_classes(rows)) for name, rows in classes.items()}


def held_classes(classes: Classes) -> Classes:
    """Those of the rows that are held out of a set of so many."""
    table = data.of_arrays({"label": classes}, {"label": label(tuple(map(str, range(CLASSES))))}, "classes")
    return columns(data.hold_out(table, HELD)[1])["label"]


def travelled(run: str, held: dict[str, Set]) -> dict[str, Set]:
    """What a run makes of what it has held out: both ends of both ways there and back.

    Raises:
        UserError: it makes none.
    """
    trained = jaxgan.load(run)
    if not set(VERBS) <= set(trained.system.verbs):
        raise UserError(f"{run} makes no way there and back; round_trip.py takes runs of jaxgan train cyclegan.")
    there = {verb: trained.translate(held[verb[0]].pictures, verb=verb) for verb in VERBS}
    a, b = (held[name].classes for name in "ab")
    ends = {"a2b": Set(there["a2b2a"]["b"], a), "a2b2a": Set(there["a2b2a"]["a"], a)}
    return {**ends, "b2a": Set(there["b2a2b"]["a"], b), "b2a2b": Set(there["b2a2b"]["b"], b)}


def undone(drawings: Set) -> Set:
    """The clothes of drawings: lines filled from what lies around them, and the rest as bright as it was."""
    lines = drawings.pictures > _DARK
    filled = np.where(lines, grey_opening(drawings.pictures, size=(1, 3, 3, 1)), drawings.pictures)
    return drawings._replace(pictures=(3 * np.minimum(filled, _DARK)).astype(np.uint8))


def shares(name: str, sets: dict[str, Set]) -> str:
    """A row: the share of each set's pictures that are given their class."""
    clothes = {each: found for each, found in sets.items() if each != "b2a2b"}
    right = {each: (seen(found.pictures) == found.classes).mean() for each, found in clothes.items()}
    return f"{name}: of their class {', '.join(f'{each} {share:.3f}' for each, share in right.items())}"


def kept(before: Pictures, after: Pictures) -> float:
    """The share of pictures to which the classifier gives the class that it gave before."""
    return float((seen(before) == seen(after)).mean())


def seen(pictures: Pictures) -> Classes:
    """What the classifier takes each picture for."""
    return see({"a": pictures})["a"].classes


def differences(name: str, trips: dict[str, tuple[Pictures, Pictures]]) -> str:
    """A row: how far the way there and back leads from where it began."""
    return f"{name}: L1 " + ", ".join(f"{verb} {_told(*pictures)}" for verb, pictures in trips.items())


def _told(before: Pictures, after: Pictures) -> str:
    off, mean = l1(before, after), l1(before, before.mean(0, keepdims=True))
    return f"{off.mean():.4f} +- {off.std(ddof=1) / np.sqrt(len(off)):.4f} (the mean picture {mean.mean():.4f})"


def l1(x: np.ndarray, y: np.ndarray) -> Float[np.ndarray, " n"]:
    """Mean absolute difference of each picture, of 0 to 1."""
    return np.abs(x.astype(np.float64) - y).mean((1, 2, 3)) / 255


if __name__ == "__main__":
    main()
