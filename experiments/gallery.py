"""One picture of what the systems make: a strip a run, each by the command of its run card.

Command     python experiments/gallery.py RUN [RUN ...] [--out docs/images/gallery.png] [--seed 0]
Runs        of `python experiments/card.py NAME`; one that is not finished, or that differs from its card in more than
            its seed and what it leaves on the disk, is refused
Shows       the first examples of the last checkpoint, all of one seed and none chosen, by year of the paper. A
            translator has two rows: what it is given, of held-out rows of its data, and what it makes of that. A system
            of pairs has a row for each part. Voxels are seen from the front, the right and above.
Time        about 10 s a run on two cores
"""

import argparse
import itertools
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cards
import numpy as np
from jaxtyping import UInt8

from jaxgan import data, recipes
from jaxgan.errors import UserError
from jaxgan.options import parse
from jaxgan.show import given as givens
from jaxgan.show.layout import GAP, TILE, alike, centre, magnify
from jaxgan.show.sampling import make_sampler
from jaxgan.show.sheets import write_png
from jaxgan.show.text import font
from jaxgan.show.tiles import tiles
from jaxgan.train.run.config import RunConfig, from_json, settled
from jaxgan.train.run.data import open_data
from jaxgan.train.run.load import Trained, load
from jaxgan.train.run.rundir import read_config

WIDTH, NAME = 1000, 128  # pixels of the picture, and of its column of names
WIDE = 32  # pixels between examples that have several views
MOST = WIDTH // TILE  # examples that a strip could have room for
SIZE, LETTERS = 15, 15  # pixels of a letter, and letters a line, of a name
MADE_OF = ("data", "image_size", "resize", "channels", "halves", "mirror", "from_")
"""Options of a run that change what is trained; `hold_out` counts where the card names it."""

Picture = UInt8[np.ndarray, "_ _ _"]


class Strip(NamedTuple):
    """What one run shows: its card, and rows of pictures of examples."""

    card: cards.Card
    rows: list[list[Picture]]


def main(args: Sequence[str] | None = None) -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description="One picture of what the systems make.")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images" / "gallery.png")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(args)
    strips = [strip(run, options.seed) for run in options.runs]
    write_png(options.out, gallery(strips))
    print(f"{len(strips)} systems: {options.out}")


def strip(run: str, seed: int) -> Strip:
    """The strip of a run; UserError where its card's command made something else."""
    saved = read_config(run)[1]
    trained = load(run)
    card = cards.load(saved["recipe"])
    check(run, card, saved, trained.step)
    return Strip(card, list(_rows(trained, saved, seed)))


def check(run: str, card: cards.Card, saved: dict[str, Any], step: int) -> None:
    """Raise UserError, naming the first difference, where a run is not what its card's command makes."""
    module = recipes.load(saved["recipe"])
    config, wanted = parse("", "", (module.Config, RunConfig), shlex.split(card.command)[3:])
    got = {**saved["run"], **vars(from_json(module.Config, saved["config"], run)), "step": step}
    want = {**{name: getattr(wanted, name) for name in MADE_OF}, **vars(settled(config)), "step": config.steps}
    want["data"] = want["data"] or getattr(module, "DATA", data.BUNDLED)
    if wanted.hold_out is not None:
        want["hold_out"] = wanted.hold_out
    default = vars(RunConfig())
    for name, value in want.items():
        has = got.get(name, default.get(name))
        if has != value:
            raise UserError(f"{run} was not made by `{card.command}`: {name} is {has}, the card's is {value}.")


def _rows(trained: Trained, saved: dict[str, Any], seed: int) -> Iterator[list[Picture]]:
    """Pictures of what the first preview is given, apart from classes and codes, and of what it makes."""
    verb = trained.system.verb(trained.system.shows[0].verb)
    given = givens.in_turn(verb.given)
    shown = {name: field for name, field in verb.given.items() if field.kind not in givens.CHOSEN}
    if shown:
        examples = open_data(from_json(RunConfig, saved["run"], str(trained.folder.config)), trained.needs)
        given = givens.for_pictures(verb, data.hold_out(examples, saved["run"]["hold_out"] or 0)[1])
        yield from (tiles(field, given(0, MOST)[name]) for name, field in shown.items())
    made = make_sampler(verb, MOST, seed, given)(trained.state)
    yield from (tiles(field, made[name]) for name, field in verb.makes.items())


def gallery(strips: Sequence[Strip]) -> Picture:
    """All strips below each other, by year of the system's first paper, each beside the system's name."""
    ordered = sorted(strips, key=lambda each: cards.year(each.card))
    lines = alike([_line(each) for each in ordered])
    gap = np.full((3 * GAP, WIDTH, lines[0].shape[-1]), 255, np.uint8)
    return np.concatenate([part for line in lines for part in (line, gap)][:-1])


def _line(shown: Strip) -> Picture:
    rows = [_row([magnify(each, TILE) for each in row]) for row in shown.rows]
    rows = alike(rows)
    between = np.full((GAP, *rows[0].shape[1:]), 255, np.uint8)
    pictures = np.concatenate([part for row in rows for part in (row, between)][:-1])
    name = _name(shown.card.system, pictures.shape[0])
    return np.concatenate(alike([name, pictures]), axis=1)


def _row(row: Sequence[Picture]) -> Picture:
    """As many examples as there is room for, beside each other."""
    tile = row[0]
    space = GAP if tile.shape[1] == tile.shape[0] else WIDE  # several views of one example
    count = min(len(row), (WIDTH - NAME) // (tile.shape[1] + space))
    gap = np.full((tile.shape[0], space, tile.shape[2]), 255, np.uint8)
    line = np.concatenate(list(itertools.chain(*((each, gap) for each in row[:count]))), axis=1)
    rest = np.full((tile.shape[0], WIDTH - NAME - line.shape[1], tile.shape[2]), 255, np.uint8)
    return np.concatenate([line, rest], axis=1)


def _name(system: str, height: int) -> Picture:
    """A system's name in a column of its own, in the middle of its strip."""
    from PIL import Image, ImageDraw

    lines = "\n".join(textwrap.wrap(system, LETTERS))
    page = Image.new("L", (NAME, height), 255)
    ImageDraw.Draw(page).multiline_text((0, height // 2), lines, 0, font(SIZE), anchor="lm")
    return centre(np.asarray(page)[..., None], height, NAME)


if __name__ == "__main__":
    main()
