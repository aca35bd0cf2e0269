"""The command `jaxgan translate`: files through a trained translator."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.commands.verbs import step_of
from jaxgan.data.readers.files import extensions
from jaxgan.errors import UserError, flag
from jaxgan.fields import Field, Spec
from jaxgan.game import Verb
from jaxgan.options import parse
from jaxgan.paths import typed
from jaxgan.show import from_user
from jaxgan.show.files import FILES
from jaxgan.show.replace import noticing, told
from jaxgan.show.sampling import compiled, example_keys
from jaxgan.show.sets import FILE_ENDINGS, HELD
from jaxgan.train.run import own
from jaxgan.train.run.config import (
    TranslateConfig,
    check_seed,
)
from jaxgan.train.run.load import Described, described, state_of
from jaxgan.train.screen.quiet import quiet

ABOUT = "Translate an image, or all images of a folder."
PICTURES = ("image", "mask", "label_map")  # kinds that a file of pixels can fill


def command(run: str, source: str, target: str, args: Sequence[str]) -> int:
    """Put an image file, or all those of a folder, through the run's translator."""
    if run == "-":
        parse("jaxgan translate RUN IN OUT", ABOUT, (TranslateConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=step_of(args))
    config = parse(f"jaxgan translate {run} IN OUT", ABOUT, (TranslateConfig,), args)[0]
    check_seed(config.seed)
    verb, field = _translator(found, config.verb, config.to)
    files = _files(typed(source), verb.given[field])
    places = _places(typed(source), typed(target), files, verb.makes)
    state, step = state_of(found)
    draw = compiled(verb)
    with noticing() as stood:
        for i, (file, place) in enumerate(zip(files, places, strict=True)):
            taken = {field: from_user.READ[verb.given[field].kind]("IN", verb.given[field], str(file))[None]}
            made = draw(state, example_keys(config.seed, 1, i), taken)
            _write(place, Path(target).suffix, verb.makes, made)
    print(f"{len(files)} translated by step {step}: {target}{told(stood)}")
    return 0


def _translator(found: Described, name: str | None, to: str | None) -> tuple[Verb, str]:
    """The verb that translates (of this name, or to this field), and the one field of pixels that it takes."""
    fitting = {
        each: next(iter(verb.given))
        for each, verb in found.system.verbs.items()
        if len(verb.given) == 1 and next(iter(verb.given.values())).kind in PICTURES
    }
    if to is not None:
        makes = {next(iter(found.system.verbs[each].makes)): each for each in reversed(fitting)}
        if name or to not in makes:
            raise UserError(f"{flag('to')} takes one of {', '.join(makes) or 'none'}, without --verb; got {to}.")
        name = makes[to]
    wanted = name or ("translate" if "translate" in fitting or len(fitting) != 1 else next(iter(fitting)))
    if wanted not in fitting:
        has = ", ".join(fitting) or "none"
        raise UserError(
            f"{found.folder.root} has no verb {wanted} that takes one image; those that do ({flag('verb')}): {has}."
        )
    return found.system.verb(wanted), fitting[wanted]


def _files(source: Path, field: Field) -> list[Path]:
    """The pictures to translate, by name; label maps may lie in `.npy` files too."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise UserError(f"IN takes an image file or a folder of them, but {source} does not exist.")
    endings = {*extensions(), *([".npy"] if field.kind == "label_map" else [])}
    found = sorted(
        path
        for path in source.iterdir()
        if path.is_file() and path.suffix.lower() in endings and not path.name.startswith(".")
    )
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
        if source.is_dir():
            raise UserError(f"OUT takes a folder where IN is one, got the file {out}.")
        if out.is_dir():
            raise UserError(f"OUT takes a file, but {out} is a folder.")
        if out.exists() and out.samefile(source):
            raise UserError(f"OUT takes another file than IN, got {out} for both.")
        return [out.with_suffix("")]
    if out.is_file():
        raise UserError(f"OUT takes a new file or a folder, but {out} is a file of another kind.")
    if source.is_dir() and out.is_dir() and any(out.iterdir()):
        raise UserError(f"OUT takes a new or empty folder where IN is one, but {out} has files.")
    stems = Counter(file.stem for file in files)
    places = [out / (file.stem if stems[file.stem] == 1 else file.name) for file in files]
    if any(place.with_name(place.name + ending) == source for place in places for ending in endings):
        raise UserError(f"OUT takes another folder than that of IN, got {out}.")
    return places


def _write(path: Path, suffix: str, makes: Spec, made: Mapping[str, Any]) -> None:
    """One file for each made field; several get the field's name too; `suffix` is the user's spelling of an ending."""
    for name, field in makes.items():
        file = FILES[field.kind]
        ending = suffix if suffix.lower() == file.ending else file.ending
        place = path.with_name(path.name + ("" if len(makes) == 1 else f"-{name}") + ending)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            file.write(place, field, np.asarray(made[name])[0])
        except OSError as error:
            raise UserError(f"OUT {place} cannot be written: {error.strerror or error}.") from error
