"""How well `inpainting` fills holes of pictures that it has not seen, beside fills that need no training.

Command     python experiments/holes_filled.py RUN [RUN ...] [--n 500] [--seed 0] [--out PICTURE]
Runs        of `jaxgan train inpainting`; the pictures are those that the run has held out (all, where it has none)
Holes       the data's masks, or drawn by the run's own law from the seed; the same for all fills
Fills       the mean of the picture's known pixels; harmonic inpainting (the Laplace equation in the hole, what is
            known at its edge, no flow through the picture's border); biharmonic inpainting (of the square of that
            operator); the run
Prints      of the pixels in holes alone: the mean absolute error, of 0 to 1, and the PSNR of the mean squared error of
            all of them, in decibels; and how many known pixels a fill has changed
Draws       the first pictures: with the hole, filled by each, and as they are
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import spsolve

import jaxgan
from jaxgan import data
from jaxgan.data import gather
from jaxgan.errors import UserError
from jaxgan.recipes.inpainting import NEEDS
from jaxgan.show.given import rows_of
from jaxgan.show.sampling import make_sampler
from jaxgan.show.sheets import sheet, write_png
from jaxgan.train.run.config import RunConfig, from_json
from jaxgan.train.run.data import open_data
from jaxgan.train.run.rundir import read_config

Pictures = UInt8[np.ndarray, "n h w c"]
Masks = Bool[np.ndarray, "n h w"]
SHOWN = 8  # pictures that are drawn


def main(args: Sequence[str] | None = None) -> None:
    """Four rows for each run."""
    options = parse(args)
    for run in options.runs:
        given = held_out(run, options.n)
        truth, made = given["image"], fill(run, given, options.seed)
        hole = made["mask"][..., 0] > 0
        print(f"{run}: {len(truth)} pictures, {hole.mean():.1%} of their pixels in holes")
        fills = {name: each(one)(truth, hole) for name, one in FILLS.items()} | {"the run": made["image"]}
        for name, filled in fills.items():
            print(line(name, filled, truth, hole), flush=True)
        if options.out:
            write_png(options.out, drawn(truth, hole, fills))


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="How well holes are filled.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run of jaxgan train inpainting")
    parser.add_argument("--n", type=int, default=500, help="pictures, at most")
    parser.add_argument("--seed", type=int, default=0, help="of the holes")
    parser.add_argument("--out", type=Path, help="PNG file of the first pictures, of the last run")
    return parser.parse_args(args)


def held_out(run: str, n: int) -> dict[str, np.ndarray]:
    """The first n examples that a run has held out: pictures, and their masks if it has its own."""
    folder = jaxgan.load(run).folder
    said = from_json(RunConfig, read_config(folder)[1]["run"], str(folder))
    held = data.hold_out(open_data(said, NEEDS), said.hold_out or 0)[1].table("image")
    return gather(held.source, np.arange(min(n, held.rows)), list(held.spec))


def fill(run: str, given: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """What a run makes of the pictures, `image`, and the holes, `mask`.

    Raises:
        UserError: a run of another recipe.
    """
    found = jaxgan.load(run)
    if "fill" not in found.system.verbs:
        raise UserError(f"{run} fills no holes; holes_filled.py takes runs of jaxgan train inpainting.")
    verb = found.system.verb("fill")
    rows = rows_of({name: given[name] for name in verb.given})
    return make_sampler(verb, len(given["image"]), seed, rows)(found.state)


def each(fill: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Pictures, Masks], Pictures]:
    """A fill of all pictures of a fill of one channel, `(float64 [h, w], hole [h, w]) -> [h, w]`."""

    def run(pictures: Pictures, hole: Masks) -> Pictures:
        planes = [
            np.stack([fill(x[..., c].astype(float), m) for c in range(x.shape[-1])], -1)
            for x, m in zip(pictures, hole, strict=True)
        ]
        filled = np.clip(np.round(np.stack(planes)), 0, 255).astype(np.uint8)
        return np.where(hole[..., None], filled, pictures)

    return run


def mean_fill(x: Float[np.ndarray, "h w"], hole: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """The mean of what is known, in the hole."""
    return np.where(hole, x[~hole].mean(), x)


def harmonic(x: Float[np.ndarray, "h w"], hole: Bool[np.ndarray, "h w"], order: int = 1) -> Float[np.ndarray, "h w"]:
    """In the hole each pixel is the mean of its neighbours; with order 2 the Laplacian of the Laplacian is 0 there."""
    places = np.arange(x.size).reshape(x.shape)
    pairs = np.concatenate(
        [
            np.stack([places[:-1].ravel(), places[1:].ravel()]),
            np.stack([places[:, :-1].ravel(), places[:, 1:].ravel()]),
        ],
        1,
    )
    a, b = np.concatenate([pairs, pairs[::-1]], 1)
    near = csr_array((np.ones(len(a)), (a, b)), shape=(x.size, x.size))
    laplace = eye_array(x.size).multiply(near.sum(1)[:, None]).tocsr() - near
    inside, known = np.flatnonzero(hole), np.flatnonzero(~hole)
    rows = csr_array(laplace if order == 1 else laplace @ laplace)[inside]
    filled = x.ravel().copy()
    filled[inside] = spsolve(rows[:, inside].tocsc(), -(rows[:, known] @ filled[known]))
    return filled.reshape(x.shape)


def biharmonic(x: Float[np.ndarray, "h w"], hole: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Values and slopes go on into the hole."""
    return harmonic(x, hole, 2)


FILLS = {"mean": mean_fill, "harmonic": harmonic, "biharmonic": biharmonic}


def drawn(truth: Pictures, hole: Masks, fills: Mapping[str, Pictures]) -> UInt8[np.ndarray, "h w c"]:
    """A sheet of the first pictures; holes are mid-grey."""
    columns = {"hole": np.where(hole[..., None], 128, truth).astype(np.uint8), **fills, "real": truth}
    return sheet([[each[i] for each in columns.values()] for i in range(min(SHOWN, len(truth)))], list(columns))


def line(name: str, made: Pictures, truth: Pictures, hole: Masks) -> str:
    """One row of text."""
    off = made[hole].astype(float) / 255 - truth[hole] / 255
    changed = int((made[~hole] != truth[~hole]).sum())
    psnr = -10 * np.log10((off**2).mean())
    return f"  {name:10} L1 in the hole {np.abs(off).mean():.4f}, PSNR {psnr:.2f} dB, known numbers changed {changed}"


if __name__ == "__main__":
    main()
