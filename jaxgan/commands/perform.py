"""The commands `jaxgan sample`, `interpolate`, `translate` and `rollout`: what a trained system does for users."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from jaxgan import data as datasets
from jaxgan.commands.train import open_data, quiet
from jaxgan.data.readers.files import extensions
from jaxgan.errors import UserError, flag
from jaxgan.fields import Field, Spec
from jaxgan.game import Verb
from jaxgan.latent.paths import between
from jaxgan.options import parse
from jaxgan.show import from_user, morph
from jaxgan.show import given as givens
from jaxgan.show.files import FILES
from jaxgan.show.sampling import compiled, example_keys, make_batches, make_sampler
from jaxgan.show.sets import FILE_ENDINGS, HELD, check_out, write_set
from jaxgan.train.run import own
from jaxgan.train.run.config import (
    InterpolateConfig,
    RunConfig,
    TranslateConfig,
    VerbConfig,
    check_at_least,
    check_seed,
    from_json,
)
from jaxgan.train.run.load import Described, Step, described, state_of
from jaxgan.train.run.rundir import read_config

ABOUT = {
    "sample": "Make images, or whatever the system makes, with a trained run.",
    "rollout": "Let a trained agent or simulator act.",
}
INTERPOLATE = "Make what lies between the samples of a trained run, on ways through its latent space."
TRANSLATE = "Translate an image, or all images of a folder."
PICTURES = ("image", "mask", "label_map")  # kinds that a file of pixels can fill


def command(name: str, run: str, args: Sequence[str]) -> int:
    """Let the run's verb `name` make examples, and write them."""
    if run == "-":  # help without a run
        parse(f"jaxgan {name} RUN", ABOUT[name], (VerbConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=_step(args))
    verb = found.system.verb(name)
    config, texts = parse(f"jaxgan {name} {run}", ABOUT[name], (VerbConfig, _texts(verb.given)), args)
    check_at_least("n", config.n, 1)
    check_seed(config.seed)
    chosen = _stored(verb.given, texts)
    out = Path(config.out).expanduser() if config.out else None
    check_out(out or found.folder.root / f"{name}.png", verb.makes, config.n)
    given = _given(found, verb, chosen)
    state, step = state_of(found)
    out = out or found.folder.root / f"{name}-{step}-seed{config.seed}{_suffix(chosen)}.png"
    batches = make_batches(verb, config.n, config.seed, given)
    write_set(out, verb.makes, batches(state), _label_of(verb, given))
    print(f"{config.n} {_things(verb.makes)} of step {step}: {out}")
    return 0


def translate(run: str, source: str, target: str, args: Sequence[str]) -> int:
    """Put an image file, or all those of a folder, through the run's translator."""
    if run == "-":
        parse("jaxgan translate RUN IN OUT", TRANSLATE, (TranslateConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=_step(args))
    config = parse(f"jaxgan translate {run} IN OUT", TRANSLATE, (TranslateConfig,), args)[0]
    check_seed(config.seed)
    verb, field = _translator(found, config.verb)
    files = _files(Path(source).expanduser(), verb.given[field])
    places = _places(Path(source).expanduser(), Path(target).expanduser(), files, verb.makes)
    state, step = state_of(found)
    draw = compiled(verb)
    for i, (file, place) in enumerate(zip(files, places, strict=True)):
        taken = {field: from_user.READ[verb.given[field].kind]("IN", verb.given[field], str(file))[None]}
        made = draw(state, example_keys(config.seed, 1, i), taken)
        _write(place, Path(target).suffix, verb.makes, made)
    print(f"{len(files)} translated by step {step}: {target}")
    return 0


def _step(args: Sequence[str]) -> Step:
    """The value of --step, read before the other options: they are those of the checkpoint's system."""
    said = own.taken(args, "--step")
    if said == "best" or said == "healthy":
        return said
    return int(said) if said and said.isdecimal() else None  # what else it is, the options refuse


def interpolate(run: str, args: Sequence[str]) -> int:
    """Write what the run's system decodes on the ways between latents that it draws."""
    if run == "-":
        parse("jaxgan interpolate RUN", INTERPOLATE, (InterpolateConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=_step(args))
    draw, decode = found.system.verb("draw"), found.system.verb("decode")
    rest = {name: field for name, field in decode.given.items() if name not in draw.makes}
    config, texts = parse(f"jaxgan interpolate {run}", INTERPOLATE, (InterpolateConfig, _texts(rest)), args)
    check_at_least("n", config.n, 1)
    check_at_least("steps", config.steps, 2)
    check_seed(config.seed)
    chosen = _stored(rest, texts)
    out = Path(config.out).expanduser() if config.out else None
    moving = out is not None and morph.fits(out, decode.makes)
    check_out(out.with_suffix(".png") if out and moving else out, decode.makes, config.n * config.steps)
    of_ways = _given(found, dataclasses.replace(decode, given=rest), chosen)(0, config.n)
    state, step = state_of(found)
    out = out or found.folder.root / f"interpolate-{step}-seed{config.seed}{_suffix(chosen)}.png"
    ends = make_sampler(draw, config.n + 1, config.seed, givens.nothing)(state)
    given = givens.rows_of(_on_ways(ends, of_ways, config.steps))
    made = make_batches(decode, config.n * config.steps, config.seed, given)(state)
    if moving:
        morph.write_morph(out, decode.makes, made, config.steps)
    else:
        write_set(out, decode.makes, made, _label_of(dataclasses.replace(decode, given=rest), given), config.steps)
    print(f"{config.n} ways of {config.steps} {_things(decode.makes)} by step {step}: {out}")
    return 0


def _on_ways(ends: Mapping[str, np.ndarray], of_ways: Mapping[str, np.ndarray], steps: int) -> dict[str, np.ndarray]:
    """What is given on all ways, one after the other: latents between the ends, and all else the same on a way."""
    ways = {name: np.asarray(between(each, steps)) for name, each in ends.items()}
    latents = {name: each.reshape(-1, *each.shape[2:]) for name, each in ways.items()}
    return {**latents, **{name: np.repeat(each, steps, axis=0) for name, each in of_ways.items()}}


def _texts(given: Spec) -> type:
    """A dataclass with a text for each field that a verb is given."""
    import tyro

    fields = [
        (
            name,
            Annotated[str | None, tyro.conf.arg(help=_help(field.kind, field.names))],
            dataclasses.field(default=None),
        )
        for name, field in given.items()
    ]
    return dataclasses.make_dataclass("Given", fields, frozen=True, kw_only=True)


def _help(kind: str, names: Sequence[str]) -> str:
    takes = {"label": "Class of all examples, by name or number", "code": "Code of all examples"}.get(kind)
    some = f" ({', '.join(names[:10])}{', ...' if len(names) > 10 else ''})" if takes and names else ""
    rest = "all in turn" if takes else "rows of the data"
    return f"{takes or f'The {kind} for all examples: a file, or words'}{some}; None: {rest}."


def _stored(given: Spec, texts: Any) -> dict[str, np.ndarray]:
    said = {name: getattr(texts, name) for name in given}
    return {name: from_user.stored(name, given[name], text) for name, text in said.items() if text is not None}


def _given(found: Described, verb: Verb, chosen: Mapping[str, np.ndarray]) -> givens.Given:
    """What the user chose; for the rest classes in turn, or rows that the run has held out."""
    rest = {name: field for name, field in verb.given.items() if name not in chosen}
    if all(field.kind in givens.CHOSEN for field in rest.values()):
        return givens.together(givens.in_turn(rest), givens.the_same(chosen))
    missing = [name for name in rest if name not in found.spec and rest[name].kind != "code"]
    if missing:
        raise UserError(f"{' and '.join(map(flag, missing))} must be given: the data of the run do not have it.")
    held = _held(found, rest)
    return givens.together(givens.for_pictures(dataclasses.replace(verb, given=rest), held), givens.the_same(chosen))


def _held(found: Described, wanted: Spec) -> datasets.Data:
    """The rows that the run has held out; all of them, where it has held out none."""
    run = from_json(RunConfig, read_config(found.folder.root)[1]["run"], str(found.folder.config))
    try:
        data = open_data(run, found.needs, like=found.spec)
    except UserError as error:
        raise UserError(
            f"rows of the run's data are taken unless {' and '.join(map(flag, wanted))} is given, but: {error}"
        ) from error
    return datasets.hold_out(data, run.hold_out or 0)[1]


def _suffix(chosen: Mapping[str, np.ndarray]) -> str:
    return "".join(
        f"-{name}{int(value)}" for name, value in chosen.items() if value.shape == () and value.dtype == np.int32
    )


def _label_of(verb: Verb, given: givens.Given) -> Callable[[int], int] | None:
    """The class of an example by its number, where the verb takes one."""
    named = [name for name, field in verb.given.items() if field.kind in givens.CHOSEN]
    return (lambda i: int(given(i, 1)[named[0]][0])) if len(named) == 1 else None


def _things(makes: Spec) -> str:
    return "images" if {field.kind for field in makes.values()} == {"image"} else "examples"


def _translator(found: Described, name: str | None) -> tuple[Verb, str]:
    """The verb that translates, and the one field of pixels that it takes."""
    fitting = {
        each: next(iter(verb.given))
        for each, verb in found.system.verbs.items()
        if len(verb.given) == 1 and next(iter(verb.given.values())).kind in PICTURES
    }
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
