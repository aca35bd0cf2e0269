"""Images or statistics that a command is given, and what of it is told: for all commands that measure."""

import dataclasses
from collections.abc import Sequence
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


def open_source(name: str, how: ImagesConfig) -> Source:
    """Images by name or path, of one size; or the statistics in an npz."""
    path = typed(name)
    if path.suffix == ".npz" and path.is_file() and statistics.is_statistics(path):
        return statistics.read(path)
    size: Any = "own" if how.image_size is None else how.image_size
    try:
        with telling(reading):
            data = datasets.load(name, image_size=size, resize=how.resize, channels=how.channels, data_dir=how.data_dir)
    except UserError as error:  # here images are named without an option
        said = str(error).replace("--data ", "")
        raise UserError(said if said.startswith(name) else f"{name}: {said}") from error
    if any(word in data.description for word in (" taken as ", "Warning: ", "; split ")):  # what was guessed
        tell(data.description)
    return data


def prepared(how: ImagesConfig) -> str:
    """What the options do to images before an extractor sees them, in a few words; "" for nothing."""
    sides = (how.image_size,) * 2 if isinstance(how.image_size, int) else how.image_size
    size = "" if sides is None else f"{how.resize} to {sides[0]}x{sides[1]}"
    channels = {None: "", 1: "grey", 3: "colour"}[how.channels]
    return ", ".join(part for part in (size, channels) if part)


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
