"""What a trained system does for users: what the commands that perform its verbs have in common."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from jaxgan import data as datasets
from jaxgan.errors import UserError, flag
from jaxgan.fields import Spec
from jaxgan.game import Verb
from jaxgan.options import parse
from jaxgan.show import from_user
from jaxgan.show import given as givens
from jaxgan.show.replace import free, noticing, told
from jaxgan.show.sampling import make_batches
from jaxgan.show.sets import Labels, check_out, slug, write_set
from jaxgan.train.run import own
from jaxgan.train.run.config import (
    RunConfig,
    VerbConfig,
    check_at_least,
    check_seed,
    from_json,
)
from jaxgan.train.run.data import open_data
from jaxgan.train.run.load import Described, Step, described, state_of
from jaxgan.train.run.rundir import read_config
from jaxgan.train.screen.quiet import quiet


def perform(name: str, about: str, run: str, args: Sequence[str]) -> int:
    """Let the run's verb `name` make examples, and write them; `about` is the help's first line."""
    if run == "-":  # help without a run
        parse(f"jaxgan {name} RUN", about, (VerbConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=step_of(args))
    verb = found.system.verb(name)
    config, texts = parse(f"jaxgan {name} {run}", about, (VerbConfig, texts_of(verb.given)), args)
    check_at_least("n", config.n, 1)
    check_seed(config.seed)
    chosen = chosen_of(verb.given, texts)
    out = Path(config.out) if config.out else None
    check_out(out or found.folder.root / f"{name}.png", verb.makes, config.n)
    given = given_of(found, verb, chosen)
    state, step = state_of(found)
    out = out or free(found.folder.root / f"{name}-{step}-seed{config.seed}{suffix_of(verb.given, chosen)}.png")
    batches = make_batches(verb, config.n, config.seed, given)
    with noticing() as stood:
        write_set(out, verb.makes, batches(state), label_of(verb, given))
    print(f"{config.n} {things(verb.makes)} of step {step}: {out}{told(stood)}")
    return 0


def step_of(args: Sequence[str]) -> Step:
    """The value of --step, read before the other options: they are those of the checkpoint's system."""
    said = own.taken(args, "--step")
    if said == "best" or said == "healthy":
        return said
    return int(said) if said and said.isdecimal() else None  # what else it is, the options refuse


def texts_of(given: Spec) -> type:
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


def chosen_of(given: Spec, texts: Any) -> dict[str, np.ndarray]:
    """What the user said of the given fields, as it is stored."""
    said = {name: getattr(texts, name) for name in given}
    return {name: from_user.stored(name, given[name], text) for name, text in said.items() if text is not None}


def given_of(found: Described, verb: Verb, chosen: Mapping[str, np.ndarray]) -> givens.Given:
    """What the user chose; for the rest classes in turn, or rows that the run has held out."""
    rest = {name: field for name, field in verb.given.items() if name not in chosen}
    if all(field.kind in givens.CHOSEN for field in rest.values()):
        return givens.together(givens.in_turn(rest), givens.the_same(chosen))
    known = {*found.spec, *found.system.derives}
    missing = [name for name in rest if name not in known and rest[name].kind != "code"]
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
    return datasets.with_derived(datasets.hold_out(data, run.hold_out or 0)[1], found.system.derives)


def suffix_of(given: Spec, chosen: Mapping[str, np.ndarray]) -> str:
    """What a file's name says of chosen classes and codes, such as "-label3", or "-label-cat" where it has a name."""
    said = {name: int(value) for name, value in chosen.items() if value.shape == () and value.dtype == np.int32}
    return "".join(f"-{name}{_word(given[name].names, value)}" for name, value in said.items())


def _word(names: Sequence[str], value: int) -> str:
    name = slug(names[value]) if value < len(names) else ""
    return str(value) if name in ("", str(value)) else f"-{name}"


def label_of(verb: Verb, given: givens.Given) -> Labels | None:
    """The classes of examples, where the verb takes one."""
    named = [name for name, field in verb.given.items() if field.kind in givens.CHOSEN]
    if len(named) != 1:
        return None
    return Labels(lambda i: int(given(i, 1)[named[0]][0]), verb.given[named[0]].names)


def things(makes: Spec) -> str:
    """What the made examples are called."""
    return "images" if {field.kind for field in makes.values()} == {"image"} else "examples"
