"""The command `jaxgan data`: what was understood of a data set, before anything is trained on it."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Integer

from jaxgan import data as datasets
from jaxgan import fields
from jaxgan.data.bundles import known
from jaxgan.data.source import Data, Table, gather, side, spread
from jaxgan.data.threads import in_threads, telling
from jaxgan.errors import UserError, first_of
from jaxgan.fields import Field
from jaxgan.options import PathText, parse
from jaxgan.show.replace import noticing, told
from jaxgan.show.sheets import write_png
from jaxgan.train.loop.previews import reals
from jaxgan.train.run import own
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import reading

SAMPLE = 256
"""Examples whose range is looked at."""
SHOWN = 20
"""Names in a line."""
TILES = 64
"""Examples in a picture."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Options of `jaxgan data`."""

    needs: PathText | None = None
    """A recipe, file or module of your own whose fields are looked for; None for images, with labels if there are."""
    halves: tuple[str, str] | None = None
    """The fields that are the left and the right half of each picture."""
    image_size: int | tuple[int, int] | None = None
    """Pixels: one number for squares, or HEIGHT WIDTH; None keeps the size of the data."""
    resize: Literal["crop", "pad", "stretch"] = "crop"
    """How images of another shape reach the image size."""
    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for colour; None keeps the channels of the data."""
    data_dir: PathText | None = None
    """Folder where TFDS keeps its data sets; None for the usual one."""
    skip_unreadable: bool = False
    """Leave out files that cannot be read, and name them."""
    out: PathText | None = None
    """A .png file for a picture of some examples; None for none."""


def command(spec: str, args: Sequence[str]) -> int:
    """Say what a data set is; the exit code is 0.

    Args:
        spec: what `--data` takes.
        args: the options.

    Raises:
        UserError: one sentence on what is wrong with the options, the recipe or the data.
    """
    (wanted,) = parse("jaxgan data SPEC", "What is understood of a data set.", (DataConfig,), args)
    _check_out(wanted.out)
    quiet()
    usual = fields.Needs({}) if known(spec) else fields.IMAGES
    needs = usual if wanted.needs is None else own.named(wanted.needs).module.NEEDS
    with telling(reading):
        loaded = datasets.load(
            spec,
            needs=needs,
            halves=wanted.halves,
            image_size=wanted.image_size,
            resize=wanted.resize,
            channels=wanted.channels,
            data_dir=wanted.data_dir,
            skip_unreadable=wanted.skip_unreadable,
        )
    print("\n".join(lines(loaded)))
    if wanted.out is not None:
        with noticing() as stood:
            write_png(Path(wanted.out), reals(loaded, loaded.spec, TILES))
        print(f"Some examples: {wanted.out}{told(stood)}")
    return 0


def _check_out(out: str | None) -> None:
    if out is None:
        return
    if not out.endswith(".png"):
        raise UserError(f"--out takes a .png file, got {out}.")
    if not Path(out).absolute().parent.is_dir():
        raise UserError(f"--out {out}: the folder {Path(out).absolute().parent} does not exist.")


def lines(data: Data) -> Iterator[str]:
    """Yields what there is to say of the data: a line for all, then a line or two for each field."""
    yield data.description
    for table in data.tables:
        batch = gather(table.source, spread(table.rows, SAMPLE))
        for name, field in table.spec.items():
            yield f"  {name}: {_form(field)}, {_range(batch[name])}"
            yield from (f"    {line}" for line in _values(table, name, batch[name]))


def _form(field: Field) -> str:
    shape = f" {side(field)}" if field.shape else ""
    rate = f", {field.rate:g} a second" if field.rate else ""
    return f"{field.kind}{shape}{rate}, stored as {field.dtype}"


def _range(values: np.ndarray) -> str:
    examples = "1 example" if len(values) == 1 else f"{len(values):,} examples"
    return f"from {values.min():g} to {values.max():g} in {examples}"


def _values(table: Table, name: str, sample: np.ndarray) -> Iterator[str]:
    """Yields what the field's numbers mean."""
    field = table.spec[name]
    match field.kind:
        case "label" | "code":
            yield f"{len(field.names)} classes: {_counted(field.names, _column(table, name))}"
        case "label_map":
            shares = np.bincount(sample.ravel(), minlength=len(field.names)) / sample.size
            told = [f"{value} {share:.1%}" for value, share in zip(field.names, shares, strict=True)]
            yield f"{len(field.names)} classes, of the sample's pixels: {first_of(told, SHOWN)}"
        case "tokens":
            yield f"a vocabulary of {len(field.names):,} words: {first_of([repr(word) for word in field.names], SHOWN)}"


def _counted(names: Sequence[str], labels: Integer[np.ndarray, "n"]) -> str:
    counts = np.bincount(labels, minlength=len(names))
    return first_of([f"{name} {count:,}" for name, count in zip(names, counts, strict=True)], SHOWN)


def _column(table: Table, name: str) -> Integer[np.ndarray, "n"]:
    """Returns a field of all rows."""
    if isinstance(table.source, datasets.ArraySource):
        return table.source.arrays[name]
    return np.asarray(in_threads(lambda row: table.source[row][name], table.rows))
