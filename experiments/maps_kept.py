"""How well the pictures that a run makes of label maps keep to the maps, and how much they differ by their styles.

Command     python experiments/maps_kept.py RUN [RUN ...] [--seed 0] [--out sheet.png]
Runs        of `jaxgan train spade` on its default data, maps of the parts of clothes; or of another recipe with the
            verb `translate` on them, such as `jaxgan train pix2pix --data fashion_parts`
Shown on    the rows that the run has held out
Prints      for each row of pictures the intersection of the maps with the parts of the pictures, read by the rule that
            made the maps (`jaxgan.made.parts`), over their union: the mean of all parts, then of each part; and, of
            runs, the mean absolute difference between pictures of one map by two seeds, black to white being 1. Beside
            a run stand the real pictures, whose maps these are (1 by construction); real pictures of other maps; and
            maps painted with the mean grey that each part has in the rows trained on.
            With --out it draws the first maps, their pictures by four seeds of the last run, and the real pictures.
Time        15 s, and 15 s more a run, on two cores
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int32, UInt8

import jaxgan
from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.made.parts import PARTS, parts
from jaxgan.recipes.spade import DATA, NEEDS
from jaxgan.show.sheets import sheet, write_png
from jaxgan.show.tiles import tiles
from jaxgan.train.run.rundir import read_config

SEEDS = 4  # styles of each map
ROWS = 6  # of the picture
Maps = Int32[np.ndarray, "n h w"]
Pictures = UInt8[np.ndarray, "n h w 1"]


def main(args: Sequence[str] | None = None) -> None:
    """Rows for what is known, and one for each run."""
    options, made, held = parse(args), [], {}
    whole = data.load(DATA, needs=NEEDS)
    told: set[int] = set()
    for run in options.runs:
        count = held_out(run)
        trained_on, held = (columns(each) for each in data.hold_out(whole, count))
        maps = held["source"]
        if count not in told:
            known = {"real": held["target"], "real, of others": np.roll(held["target"], 1, axis=0)}
            known["mean greys"] = greys(trained_on["source"], trained_on["target"])[maps]
            for name, pictures in known.items():
                print(f"{name}, {len(maps)} maps: {kept(maps, pictures)}")
            told.add(count)
        trained, seeds = jaxgan.load(run), range(options.seed, options.seed + SEEDS)
        made = [trained.translate(maps, seed=seed) for seed in seeds]
        print(f"{run}: {kept(maps, made[0])}; two styles {difference(made[0], made[1]):.4f}", flush=True)
    if options.out:
        write_png(options.out, drawn(held, made))


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="How well made pictures keep to their maps.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run of jaxgan train spade")
    parser.add_argument("--seed", type=int, default=0, help="of the styles; the second ones have the next")
    parser.add_argument("--out", type=Path, help="a picture of some maps of the last run")
    return parser.parse_args(args)


def held_out(run: str) -> int:
    """How many rows a run has held out; UserError for one on other data."""
    saved = read_config(run)[1]["run"]
    if saved["data"] != DATA or not saved["hold_out"]:
        raise UserError(f"maps_kept.py takes runs on {DATA} that held rows out, but {run} is on {saved['data']}.")
    return saved["hold_out"]


def columns(found: data.Data) -> dict[str, np.ndarray]:
    """All rows of a set, by field."""
    return {name: values for table in data.resident(found, found.spec) for name, values in table.items()}


def greys(maps: Maps, pictures: Pictures) -> UInt8[np.ndarray, "parts 1"]:
    """The mean grey of each part."""
    means = [pictures[..., 0][maps == part].mean() for part in range(len(PARTS))]
    return np.round(means).astype(np.uint8)[:, None]


def kept(maps: Maps, pictures: Pictures) -> str:
    """How well pictures keep to maps, in words."""
    shares = overlaps(maps, parts(pictures))
    each = ", ".join(f"{name} {share:.3f}" for name, share in zip(PARTS, shares, strict=True))
    return f"mean IoU {shares.mean():.3f} ({each})"


def overlaps(maps: Maps, found: Maps) -> Float[np.ndarray, " parts"]:
    """Intersection over union of each part, over all maps together; 1 for a part that neither has."""
    shares = []
    for part in range(len(PARTS)):
        one, other = maps == part, found == part
        union = (one | other).sum()
        shares.append((one & other).sum() / union if union else 1.0)
    return np.array(shares, float)


def drawn(held: dict[str, np.ndarray], made: Sequence[Pictures]) -> UInt8[np.ndarray, "h w c"]:
    """A row a map: itself, its pictures by several seeds, the real one; two maps beside each other."""
    columns = [
        tiles(Field("label_map", (28, 28), PARTS), held["source"][: 2 * ROWS]),
        *(list(pictures[: 2 * ROWS]) for pictures in (*made, held["target"])),
    ]
    rows = list(zip(*columns, strict=True))
    heads = ["map", *(f"style {i + 1}" for i in range(len(made))), "real"]
    return sheet([(*rows[i], *rows[ROWS + i]) for i in range(ROWS)], heads * 2)


def difference(one: Pictures, other: Pictures) -> float:
    """Mean absolute difference, black to white being 1."""
    return float(np.abs(one.astype(float) - other).mean() / 255)


if __name__ == "__main__":
    main()
