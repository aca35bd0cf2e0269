"""Images or statistics that a command is given, and what of it is told: for all commands that measure."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from jaxgan import data as datasets
from jaxgan.commands.metric_options import (
    ExtractorConfig,
    ImagesConfig,
)
from jaxgan.data.threads import telling
from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.metrics.compare.protocol import Score
from jaxgan.metrics.numbers import statistics
from jaxgan.metrics.numbers.statistics import Statistics
from jaxgan.metrics.seen_by.extractors import Name, at_hand, choose
from jaxgan.metrics.seen_by.features import Extractor
from jaxgan.paths import typed
from jaxgan.train.screen.report import reading, tell

Source = datasets.Data | Statistics
LOOKED_AT = 64
"""Images whose channels are compared."""


def open_source(name: str, how: ImagesConfig) -> Source:
    """Images by name or path, of one size; or the statistics in an npz."""
    path = typed(name)
    if path.suffix == ".npz" and path.is_file() and statistics.is_statistics(path):
        return statistics.read(path)
    size: Any = "any" if how.image_size is None else how.image_size
    try:
        with telling(reading):
            data = datasets.load(name, image_size=size, resize=how.resize, channels=how.channels, data_dir=how.data_dir)
    except UserError as error:  # here images are named without an option
        said = str(error).replace("--data ", "")
        raise UserError(said if said.startswith(name) else f"{name}: {said}") from error
    if any(word in data.description for word in (" taken as ", "Warning: ", "; split ")):  # what was guessed
        tell(data.description)
    return data


def prepared(how: ImagesConfig, then: str = "") -> str:
    """What the options, and `then`, do to images before an extractor sees them, in a few words; "" for nothing."""
    sides = (how.image_size,) * 2 if isinstance(how.image_size, int) else how.image_size
    size = "" if sides is None else f"{how.resize} to {sides[0]}x{sides[1]}"
    channels = {None: "", 1: "grey", 3: "colour"}[how.channels]
    return ", ".join(part for part in (size, channels, then) if part)


@contextlib.contextmanager
def grey_named(names: Sequence[str], sources: Sequence[Source], how: ImagesConfig) -> Iterator[None]:
    """Lets an error begin with its likely cause: images with three equal channels, which nobody has called grey."""
    try:
        yield
    except UserError as error:
        grey = grey_in_colour(names, sources) if how.channels is None else ""
        raise UserError(f"{grey}. As they are: {error}") if grey else error from error


def grey_in_colour(names: Sequence[str], sources: Sequence[Source]) -> str:
    """A clause on the sides of colour images whose three channels are equal, "" where there are none."""
    found = [name for name, source in zip(names, sources, strict=True) if _all_grey(source)]
    verb = "have" if len(found) > 1 else "has"
    return f"{' and '.join(found)} {verb} three equal channels, and --channels 1 takes as grey" if found else ""


def _all_grey(source: Source) -> bool:
    if isinstance(source, Statistics) or source.spec["image"].shape[-1] != 3:
        return False
    table = source.table("image")
    images = (table.source[int(row)]["image"] for row in datasets.some_rows(table.rows, LOOKED_AT))
    return all((image == image[..., :1]).all() for image in images)


def seen(source: datasets.Data) -> Field:
    """The field of images as extractors are chosen by it: of several sizes the largest."""
    table = source.table("image")
    field, largest = table.spec["image"], getattr(table.source, "largest", None)
    return field._replace(shape=(*largest, field.shape[-1])) if largest else field


def show_warnings(scores: Sequence[Score]) -> None:
    """Each warning once, on stderr."""
    for warning in dict.fromkeys(warning for score in scores for warning in score.warnings):
        tell(f"Warning: {warning}.")


def extractor_of(seen: Sequence[Field], config: ExtractorConfig, name: Name | None = None) -> Extractor:
    """What `choose` makes of the options, or of `name` in place of theirs.

    "auto" is "pixels", as one line on stderr says, where Inception's weights are lacking and no option asks for them.
    """
    options = chosen(config)
    options["name"] = name or options["name"]
    if not (config.download or config.allow_unverified or config.precision != "float32"):
        options["name"] = at_hand(options["name"], seen, lambda text: tell(f"Warning: {text}"), config.weights)
    return choose(seen=seen, **options)


def chosen(config: ExtractorConfig) -> dict[str, Any]:
    """The options of an extractor as `choose` takes them."""
    values = dataclasses.asdict(config)
    return {"name": values.pop("extractor"), **values}
