"""What a run is, beside the recipe: data, seed, devices, and what it writes and how often."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_type_hints

from annotated_types import Ge
from tyro import conf

from jaxgan.errors import UserError, flag
from jaxgan.metrics.seen_by.extractors import Name
from jaxgan.options import PathText, fits

Parallel = Literal["jit", "pmap", "shard_map"]
MOST_SAMPLES = 4096  # in one picture, which is made and measured again and again
OnCollapse = Literal["warn", "stop", "rollback"]
T = TypeVar("T")
Kept: TypeAlias = Annotated[T | None, conf.arg(help_behavior_hint="(default: what the run has)")]
"""An option of a run that goes on; None leaves it as it is."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Options of a run that no recipe needs to know."""

    from_: Annotated[PathText | None, conf.arg(name="from")] = None
    """Folder of a run whose newest state this one begins with, array by array where names and shapes agree."""
    data: PathText | None = None
    """A folder, a zip, an npz, a TFDS name, or a bundled set; None for the recipe's own."""
    halves: tuple[str, str] | None = None
    """Names of the left and the right half, where each picture is a pair: source target."""
    data_dir: PathText | None = None
    """Folder where TFDS keeps its data sets; None for the usual one."""
    image_size: int | tuple[int, int] | None = None
    """Pixels: one number for squares, or HEIGHT WIDTH; None keeps the size of the data."""
    resize: Literal["crop", "pad", "stretch"] = "crop"
    """How images of another shape reach the image size."""
    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for colour; None keeps the channels of the data."""
    skip_unreadable: bool = False
    """Train without the files that cannot be read, and name them; else they stop the run before it begins."""
    hold_out: int | None = None
    """Examples not to train on, for sheets and paired metrics; None: a tenth, at most 500, where answers are known."""
    mirror: bool = False
    """Mirror examples left to right by chance, all pictures of one together; not for letters or left hands."""
    resident: Literal["auto", "on", "off"] = "auto"
    """Keep the whole data set on the device: on, off, or auto (where it fits and one process trains)."""
    out: PathText | None = None
    """Folder of the run, new or empty; None for runs/RECIPE-DATA-N."""
    seed: int = 0
    """Seed of everything random; the same seed gives the same run."""
    parallel: Parallel = "jit"
    """How all devices are used."""
    steps_per_dispatch: int | None = None
    """Training steps per call of the device; None: about a second's worth. Never changes the result."""
    checkpoint_every: int = 1000
    """Steps between checkpoints; the last step has one too."""
    keep: int = 3
    """Latest checkpoints to keep."""
    sample_every: int = 500
    """Steps between sample pictures, from noise that stays the same."""
    samples: int = 64
    """Images in a sample picture."""
    log_every: int = 10
    """Steps between lines of metrics.jsonl and points of TensorBoard; step 1 is logged too."""
    on_collapse: OnCollapse = "warn"
    """When training has collapsed: say so, stop, or roll back to the last healthy checkpoint and try other noise."""
    eval_every: int | None = None
    """Steps between measurements of the Fréchet distance, by which the best state is kept; None for none."""
    eval_samples: int = 5000
    """Images to generate for a measurement."""
    extractor: Name = "auto"
    """Network of the measurement; auto: fashion-cnn for grey images up to 64 pixels, else inception, or pixels
    where its weights are lacking."""
    weights: PathText | None = None
    """File of Inception weights; None looks in the usual places."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResumeConfig:
    """What may change when a run goes on: nothing that its numbers depend on. None keeps what the run has."""

    steps: Kept[int] = None
    """Training steps in all, those already done included."""
    data: Kept[PathText] = None
    """Where the data are now, if they have moved; they must be the same."""
    data_dir: Kept[PathText] = None
    """Folder where TFDS keeps its data sets."""
    resident: Kept[Literal["auto", "on", "off"]] = None
    """Keep the whole data set on the device."""
    parallel: Kept[Parallel] = None
    """How all devices are used; their number may have changed too."""
    steps_per_dispatch: Kept[int] = None
    """Training steps per call of the device."""
    checkpoint_every: Kept[int] = None
    """Steps between checkpoints."""
    keep: Kept[int] = None
    """Latest checkpoints to keep."""
    sample_every: Kept[int] = None
    """Steps between sample pictures."""
    log_every: Kept[int] = None
    """Steps between lines of metrics.jsonl."""
    on_collapse: Kept[OnCollapse] = None
    """When training has collapsed: warn, stop, or roll back to the last healthy checkpoint."""
    eval_every: Kept[int] = None
    """Steps between measurements."""
    eval_samples: Kept[int] = None
    """Images to generate for a measurement, in a run that has none yet."""
    extractor: Kept[Name] = None
    """Network of the measurement, in a run that has none yet."""
    weights: Kept[PathText] = None
    """Where the Inception weights are now."""
    system: PathText | None = None
    """File of your own system that trained the run, which is executed; None where this machine has trained with it."""


MAY_CHANGE = ("out", *(field.name for field in dataclasses.fields(ResumeConfig) if field.name != "system"))
"""Fields in which a resumed run may differ; data may have moved, but its fingerprint stays."""
OF_MACHINES = ("data", "data_dir", "weights")
"""Those of them that each machine may have for itself."""
OF_MEASURING = ("eval_samples", "extractor")
"""Those of them that are what they were once there is a measurement: a curve has one protocol."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class VerbConfig:
    """Options of `jaxgan sample` and of the other commands that let a trained system do something."""

    n: int = 64
    """Examples to make."""
    seed: int = 0
    """Seed of the noise; example i is the same whatever n is."""
    step: int | Literal["best", "healthy"] | None = None
    """Checkpoint to take, the best of --eval-every, or the last healthy one; None: the newest that is whole."""
    out: PathText | None = None
    """FILE.png for a picture, FILE.npz for arrays, else a folder with a file each; None: a picture in RUN."""
    system: PathText | None = None
    """File of your own system that trained the run, which is executed; None where this machine has trained with it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class InterpolateConfig:
    """Options of `jaxgan interpolate`."""

    n: int = 4
    """Ways: way i leads from example i of `jaxgan sample` with this seed to example i + 1."""
    steps: int = 8
    """Examples on each way, both ends among them."""
    seed: int = 0
    """Seed of the ends."""
    step: int | Literal["best", "healthy"] | None = None
    """Checkpoint to take, as for `jaxgan sample`."""
    out: PathText | None = None
    """FILE.png: a row for each way; FILE.gif: all ways at once, there and back; else as for `jaxgan sample`."""
    system: PathText | None = None
    """File of your own system that trained the run, which is executed; None where this machine has trained with it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TranslateConfig:
    """Options of `jaxgan translate`."""

    seed: int = 0
    """Seed of the noise, where the translator has any."""
    n: Annotated[int, Ge(1)] = 1
    """Translations of each picture, by this seed and those after it, which end the files' names; 1: by this seed."""
    sheet: bool = False
    """Write a sheet too: pictures and their translations, side by side."""
    tile: Annotated[int, Ge(0)] | None = None
    """Side of the tiles that a picture is cut into; 0: none; None: 512 for a picture of more than 1024 x 1024."""
    overlap: Annotated[int, Ge(0)] = 64
    """Margin of a tile, of which the outer half is dropped and the inner half mixed with the neighbour's."""
    step: int | Literal["best", "healthy"] | None = None
    """Checkpoint to take, as for `jaxgan sample`."""
    verb: str | None = None
    """Which translation, where the system has several; None: the one called translate, or the only one."""
    to: str | None = None
    """The field to translate to, in place of --verb: b of a system with translations to a and to b."""
    system: PathText | None = None
    """File of your own system that trained the run, which is executed; None where this machine has trained with it."""


def check_run(run: RunConfig) -> None:
    """Raise UserError for values that no run can have."""
    for name in ("checkpoint_every", "keep", "sample_every", "samples", "log_every"):
        check_at_least(name, getattr(run, name), 1)
    for name in ("steps_per_dispatch", "eval_every"):
        if getattr(run, name) is not None:
            check_at_least(name, getattr(run, name), 1)
    if run.samples > MOST_SAMPLES:
        raise UserError(
            f"--samples must be at most {MOST_SAMPLES}, got {run.samples}; `jaxgan sample` makes any number."
        )
    check_at_least("eval_samples", run.eval_samples, 2)
    if run.hold_out is not None:
        check_at_least("hold_out", run.hold_out, 0)
    for name in ("data", "out", "from_"):
        if getattr(run, name) == "":
            raise UserError(f"{flag(name)} takes a text, got an empty one.")
    check_seed(run.seed)


def check_seed(seed: int) -> None:
    """Raise UserError for a number that is no seed."""
    if not 0 <= seed < 2**32:
        raise UserError(f"--seed takes a number from 0 to {2**32 - 1}, got {seed}.")


def check_at_least(name: str, value: int, least: int) -> None:
    """Raise UserError where the option `name` is below `least`."""
    if value < least:
        raise UserError(f"{flag(name)} must be at least {least}, got {value}.")


def check_game(config: Any, rows: int, devices: int) -> None:
    """Raise UserError for a recipe configuration that cannot be trained on this many devices.

    Args:
        config: has `steps` and `batch_size`.
        rows: examples a step takes: `batch_size` times the microbatches of the game.
        devices: number of devices.
    """
    for name in ("steps", "batch_size"):
        if not isinstance(getattr(config, name, None), int):
            raise UserError(f"the configuration must have a whole number {name!r}, got {type(config).__name__}.")
        check_at_least(name, getattr(config, name), 1)
    if rows % devices:
        raise UserError(
            f"--batch-size {config.batch_size} makes {rows} images a step, which {devices} devices cannot share evenly."
        )


def check_shares(config: Any, devices: int) -> None:
    """Raise UserError for batches that pmap and shard_map, where each device has its own share, cannot cut."""
    accumulate = getattr(config, "accumulate", 1)
    if config.batch_size % (devices * accumulate):
        raise UserError(
            f"--batch-size must be a multiple of {devices * accumulate} with --parallel pmap or shard_map ({devices} "
            f"devices times --accumulate {accumulate}), got {config.batch_size}."
        )


def settled(config: Any) -> Any:
    """`config` with the length of its schedules written out where it was the run's, so that it stays on resume."""
    if getattr(config, "schedule_steps", 0) is None:
        return dataclasses.replace(config, schedule_steps=config.steps)
    return config


def to_json(config: Any) -> dict[str, Any]:
    """A frozen dataclass as JSON values."""
    return {name: _plain(value) for name, value in dataclasses.asdict(config).items()}


def defaults(kind: type[Any]) -> dict[str, Any]:
    """The fields of a dataclass that have a default, as JSON values."""
    given = {field.name: field.default for field in dataclasses.fields(kind)}
    return {name: _plain(value) for name, value in given.items() if value is not dataclasses.MISSING}


def from_json(kind: type[Any], values: Mapping[str, Any], source: str) -> Any:
    """A dataclass `kind` from what `to_json` made; missing fields take their defaults, `source` is named in errors."""
    unknown = sorted(set(values) - {field.name for field in dataclasses.fields(kind)})
    if unknown:
        raise UserError(f"{source} has {', '.join(unknown)}, which this version of jaxgan does not know.")
    hints, read = get_type_hints(kind), {name: _tuples(value) for name, value in values.items()}
    for name, value in read.items():
        if not fits(value, hints[name]):
            raise UserError(f"{source} gives {name!r} as {values[name]!r}, which it cannot be.")
    return kind(**read)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
