"""The command `jaxgan translate`: files through a trained translator."""

import dataclasses
import glob
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np

from jaxgan.commands.verbs import step_of
from jaxgan.data.readers.files import extensions
from jaxgan.errors import UserError, flag
from jaxgan.fields import Field, Spec
from jaxgan.game import Verb
from jaxgan.options import PathText, parse
from jaxgan.paths import typed
from jaxgan.show import partners, pictures, through, tiled
from jaxgan.show.files import FILES
from jaxgan.show.replace import noticing, told
from jaxgan.show.sampling import PIXELS, example_keys
from jaxgan.show.sets import FILE_ENDINGS, HELD
from jaxgan.show.sheets import near_square, write_png
from jaxgan.train.run import own
from jaxgan.train.run.config import (
    TranslateConfig,
    check_seed,
)
from jaxgan.train.run.load import Described, described, state_of
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import counting

ABOUT = "Translate an image, all images of a folder, or all of a pattern such as 'photos/**/*.jpg'."
SHOWN = 16  # pictures on a sheet, at most
MAGIC = frozenset("*?[")


class Task(NamedTuple):
    """A picture file, the place of its translation without an ending, and where what goes with it comes from.

    Attributes:
        file: the picture.
        place: of the translation.
        said: files or folders of the fields beside the picture, by name.
        root: the folder that names of partners begin at.
    """

    file: Path
    place: Path
    said: Mapping[str, Path]
    root: Path


def command(run: str, source: str, target: str, args: Sequence[str]) -> int:
    """Put an image file, all those of a folder, or all of a pattern, through the run's translator."""
    if run == "-":
        parse("jaxgan translate RUN IN OUT", ABOUT, (TranslateConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=step_of(args))
    fitting = _fitting(found)
    config, texts = parse(f"jaxgan translate {run} IN OUT", ABOUT, (TranslateConfig, _texts(fitting)), args)
    check_seed(config.seed)
    if config.interpolate is not None:
        found = described(run, config.system, step=config.step, changes={"interpolate": config.interpolate})
        fitting = _fitting(found)
    tiled.check(tiled.TILE if config.tile is None else config.tile, config.overlap)
    verb = _translator(found, fitting, config.verb, config.to)
    said = {name: typed(text) for name, text in vars(texts).items() if text is not None}
    partners.check(verb.given, said, vars(texts))
    files = _files(typed(source), next(iter(verb.given.values())))
    places = _places(typed(source), typed(target), files, verb.makes)
    root = Path(os.path.commonpath([file.parent for file in files]))
    tasks = [Task(file, place, said, root) for file, place in zip(files, places, strict=True)]
    state, step = state_of(found)
    how = through.translator(verb, state, config.tile, config.overlap)
    with noticing() as stood:
        rows = _all(how, tasks, config, Path(target).suffix)
        if config.sheet:
            heads = [*verb.given, *(name for _ in range(config.n) for name in verb.makes)]
            place = tasks[0].place
            beside = place.with_name(f"{place.name}-sheet.png") if len(tasks) == 1 else typed(target) / "sheet.png"
            write_png(beside, near_square(rows, heads))
    print(f"{len(tasks)} translated by step {step}: {target}{told(stood)}")
    return 0


def _all(
    how: through.Translator, tasks: Sequence[Task], config: TranslateConfig, suffix: str
) -> list[list[np.ndarray]]:
    """Translates each file; returns the first pictures with their translations, small, where there is to be a sheet."""
    rows, done = [], 0
    seen = pictures.looked(next(iter(how.verb.given.values())), [task.file for task in tasks])
    if seen.note:
        print(f"IN: {seen.note}")
    with counting("translating", config.n * sum(through.parts(how, head) for head in seen.heads.values())) as progress:
        for i, task in enumerate(tasks):
            given, picture = partners.read(how.verb.given, task.file, task.said, task.root, seen)
            shown = config.sheet and i < SHOWN
            row = through.small(how.verb.given, given) if shown else []
            for seed in range(config.seed, config.seed + config.n):
                keys, before = example_keys(seed, 1, i), done
                made = through.made_of(how, given, keys, lambda n, before=before: progress(before + n))
                done += through.count(how, picture.stored.shape)
                progress(done)
                place = task.place if config.n == 1 else task.place.with_name(f"{task.place.name}-{seed}")
                _write(place, suffix, how.verb.makes, made, picture)
                row += through.small(how.verb.makes, made) if shown else []
            rows += [row] if shown else []
    return rows


def _fitting(found: Described) -> dict[str, Verb]:
    """The verbs that picture files are enough for."""
    return {name: verb for name, verb in found.system.verbs.items() if partners.fits(verb.given)}


def _texts(fitting: Mapping[str, Verb]) -> type:
    """A dataclass with a text for each field that one of the verbs takes beside the picture."""
    import tyro

    others = {name: field for verb in fitting.values() for name, field in partners.beside(verb.given).items()}
    about = "{}: a file for all pictures, or a folder with one of the same name for each; None: {}."
    none = {"mask": "where pictures are transparent"}
    helps = {name: about.format(field.kind, none.get(field.kind, "not given")) for name, field in others.items()}
    options = [
        (name, Annotated[PathText | None, tyro.conf.arg(help=text)], dataclasses.field(default=None))
        for name, text in helps.items()
    ]
    return dataclasses.make_dataclass("Beside", options, frozen=True, kw_only=True)


def _translator(found: Described, fitting: Mapping[str, Verb], name: str | None, to: str | None) -> Verb:
    """The verb that translates: of this name, or to this field."""
    if to is not None:
        makes = {next(iter(verb.makes)): each for each, verb in reversed(list(fitting.items()))}
        if name or to not in makes:
            raise UserError(f"{flag('to')} takes one of {', '.join(makes) or 'none'}, without --verb; got {to}.")
        name = makes[to]
    wanted = name or ("translate" if "translate" in fitting or len(fitting) != 1 else next(iter(fitting)))
    if wanted not in fitting:
        has = ", ".join(fitting) or "none"
        raise UserError(
            f"{found.folder.root} has no verb {wanted} that takes pictures; those that do ({flag('verb')}): {has}."
        )
    return fitting[wanted]


def _files(source: Path, field: Field) -> list[Path]:
    """The pictures to translate, by name; label maps may lie in `.npy` files too."""
    if source.is_file():
        return [source]
    pattern = not source.exists() and bool(MAGIC & set(str(source)))
    if not source.is_dir() and not pattern:
        raise UserError(f"IN takes an image file or a folder of them, but {source} does not exist.")
    endings = {*extensions(), *([".npy"] if field.kind == "label_map" else [])}
    paths = map(Path, glob.glob(str(source), recursive=True)) if pattern else source.iterdir()
    found = sorted(
        path for path in paths if path.is_file() and path.suffix.lower() in endings and not path.name.startswith(".")
    )
    if not found and pattern:
        raise UserError(f"IN takes an image file, a folder or a pattern of them, but {source} fits no image.")
    if not found:
        raise UserError(f"IN takes an image file or a folder of them, but {source} holds no images.")
    return found


def _places(source: Path, out: Path, files: Sequence[Path], makes: Spec) -> list[Path]:
    """Where each file's translation goes, without an ending; UserError where something would be lost."""
    endings = {FILES[field.kind].ending for field in makes.values()}
    suffix = out.suffix.lower()
    if suffix in endings or (suffix in (*HELD, *FILE_ENDINGS, *extensions()) and not out.is_dir()):
        if suffix not in endings:
            raise UserError(f"OUT takes a {' or '.join(sorted(endings))} file or a folder, got {out}.")
        if not source.is_file():
            raise UserError(f"OUT takes a folder where IN is one, got the file {out}.")
        if out.is_dir():
            raise UserError(f"OUT takes a file, but {out} is a folder.")
        if out.exists() and out.samefile(source):
            raise UserError(f"OUT takes another file than IN, got {out} for both.")
        return [out.with_suffix("")]
    if out.is_file():
        raise UserError(f"OUT takes a new file or a folder, but {out} is a file of another kind.")
    if not source.is_file() and out.is_dir() and any(out.iterdir()):
        raise UserError(f"OUT takes a new or empty folder where IN is one, but {out} has files.")
    root = Path(os.path.commonpath([file.parent for file in files]))
    stems = Counter(file.with_suffix("") for file in files)
    kept = [file.with_suffix("") if stems[file.with_suffix("")] == 1 else file for file in files]
    places = [out / each.relative_to(root) for each in kept]
    if any(place.with_name(place.name + ending) == source for place in places for ending in endings):
        raise UserError(f"OUT takes another folder than that of IN, got {out}.")
    return places


def _write(path: Path, suffix: str, makes: Spec, made: Mapping[str, Any], picture: pictures.Picture) -> None:
    """One file for each made field; several get the field's name too; `suffix` is the user's spelling of an ending."""
    for name, field in makes.items():
        file = FILES[field.kind]
        ending = suffix if suffix.lower() == file.ending else file.ending
        place = path.with_name(path.name + ("" if len(makes) == 1 else f"-{name}") + ending)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if field.kind in PIXELS:
                pictures.write(place, made[name], picture)
            else:
                file.write(place, field, made[name])
        except OSError as error:
            raise UserError(f"OUT {place} cannot be written: {error.strerror or error}.") from error
