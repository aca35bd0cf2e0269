"""Runs from Python: `jaxgan.fit("dcgan", data="photos", image_size=64)` and `jaxgan.load("runs/x").sample(16)`."""

import dataclasses
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import numpy as np

from jaxgan import data as datasets
from jaxgan import fields
from jaxgan.data import Data
from jaxgan.errors import UserError, did_you_mean
from jaxgan.fields import Field
from jaxgan.game import GameState, System
from jaxgan.options import fits, with_homes, words_of
from jaxgan.recipes.common.base import RecipeConfig, check
from jaxgan.show import from_user
from jaxgan.show import given as givens
from jaxgan.show.sampling import BATCH, compiled, example_keys, make_sampler
from jaxgan.train.loop.fit import fit as fit_system
from jaxgan.train.loop.plan import Callback
from jaxgan.train.run import own
from jaxgan.train.run.config import RunConfig, check_seed
from jaxgan.train.run.data import open_data
from jaxgan.train.run.load import Step
from jaxgan.train.run.load import load as load_run
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import Report

Name: TypeAlias = str | os.PathLike[str]
OF_FILES = ("data_dir", "image_size", "resize", "channels", "halves", "skip_unreadable")
"""Options that say how data are read, and mean nothing for data that are there already."""
NAMED_STEPS = ("best", "healthy")


class Run:
    """A trained run: a state of a system, and what it does.

    Attributes:
        folder: of the run.
        step: that the state has seen.
        system: the system.
        state: its state.
    """

    def __init__(self, folder: Path, step: int, system: System, state: GameState) -> None:
        """Keep what `fit` and `load` give."""
        self.folder, self.step, self.system, self.state = folder, step, system, state
        self._draws: dict[str, Any] = {}

    def __repr__(self) -> str:
        """One line."""
        return f"Run({self.folder}, step {self.step}, {self.system})"

    def sample(self, n: int = 64, seed: int = 0, **given: Any) -> Any:
        """What the verb `sample` makes: see `make`."""
        return self.make("sample", n, seed, **given)

    def make(self, verb: str, n: int = 64, seed: int = 0, **given: Any) -> Any:
        """What a verb makes.

        Args:
            verb: its name.
            n: how many examples.
            seed: of the noise; example i is the same whatever n is.
            **given: fields that the verb takes, the same for all examples: a class by name or number, a text, a file,
                or an array as it is stored. Classes and codes that are not given go in turn.

        Returns:
            A stored array `[n, ...]` (uint8 for images); of a verb that makes several fields a dictionary of them.

        Raises:
            UserError: a verb or a field that there is not, one that must be given and is not, or a value that the
                field cannot have.
        """
        chosen = self.system.verb(verb)
        _check_count(n)
        _check_seed(seed)
        stored, rest = self._given(verb, given)
        if missing := [name for name, field in rest.items() if field.kind not in givens.CHOSEN]:
            raise UserError(f"{verb} takes {', '.join(missing)} too.")
        made = make_sampler(chosen, n, seed, givens.together(givens.in_turn(rest), givens.the_same(stored)))(self.state)
        return _alone(made)

    def translate(self, examples: Any, seed: int = 0, verb: str = "translate", **given: Any) -> Any:
        """What a verb makes of each example of the one field that is not given otherwise.

        Args:
            examples: an array `[n, ...]` as the field is stored, such as uint8 `[n, h, w, c]`.
            seed: of the noise, where the verb has any.
            verb: its name.
            **given: the other fields that the verb takes, the same for all examples, as for `make`.

        Returns:
            As for `make`.

        Raises:
            UserError: a verb that there is not or that takes other fields, or an array of another form.
        """
        chosen = self.system.verb(verb)
        _check_seed(seed)
        stored, rest = self._given(verb, given)
        if len(rest) != 1:
            takes = ", ".join(chosen.given) or "nothing"
            raise UserError(f"{verb} takes {takes}, and translate gives one field beside those named.")
        ((name, field),) = rest.items()
        taken = _batch(verb, name, field, np.asarray(examples))
        draw = self._draws.setdefault(verb, compiled(chosen))  # compiled once for each size of examples
        at_once = min(len(taken), BATCH)
        same = givens.the_same(stored)(0, at_once)
        parts = []
        for start in range(0, len(taken), at_once):
            rows = taken[np.arange(start, start + at_once) % len(taken)]  # the last part is filled up
            parts.append(draw(self.state, example_keys(seed, at_once, start), {**same, name: rows}))
        joined = {each: np.concatenate([part[each] for part in parts])[: len(taken)] for each in chosen.makes}
        return _alone(joined)

    def _given(self, verb: str, given: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Field]]:
        """Fields that are given, as they are stored; and those that the verb takes beside them."""
        takes = self.system.verb(verb).given
        if unknown := sorted(set(given) - set(takes)):
            raise UserError(f"{verb} takes {', '.join(takes) or 'nothing'}, got {', '.join(unknown)}.")
        stored = {name: _stored(name, takes[name], value) for name, value in given.items()}
        return stored, {name: field for name, field in takes.items() if name not in stored}


def fit(
    recipe: Name,
    data: Any = None,
    *,
    report: Report | None = None,
    callbacks: Sequence[Callback] = (),
    **options: Any,
) -> Run:
    """Train, as `jaxgan train RECIPE` does.

    Args:
        recipe: a recipe's name, a file or a module of your own.
        data: a name or a path, as for `--data`; or data of your own, from `jaxgan.data.of_arrays`.
        report: where progress is told; on standard output unless given.
        callbacks: functions `(step, state, metrics) -> None`, as for `jaxgan.train.fit`.
        **options: those of the command, with underscores: `image_size=64`, `steps=1000`, `out="runs/x"`, `preset=...`.

    Raises:
        UserError: an option that there is not, or something that cannot work.
        TrainingError: as for `jaxgan.train.fit`.
    """
    if not isinstance(data, str | os.PathLike | Data | None):
        raise UserError(
            f"data takes a name, a path or what jaxgan.data.of_arrays makes, got {_what(data)}; "
            'of_arrays({"image": images}, {"image": jaxgan.fields.image(h, w, c)}) makes data of an array.'
        )
    found = own.named(_text("recipe", recipe))
    config, run = _split(found.module, options)
    if isinstance(config, RecipeConfig):
        check(config)
    with warnings.catch_warnings():  # those of the libraries below are silenced for the run, not for the caller
        quiet()
        run, loaded = _open(found.module, data, run, options)
        own.trust(found)
        about: dict[str, Any] = {"recipe": found.name, "code": found.code}
        told: dict[str, Any] = {"report": report, "callbacks": callbacks}
        result = fit_system(found.module.build, config, loaded, run, **about, **told)
    return Run(result.folder.root, result.step, result.system, result.state)


def load(run: Name, step: Step | str = None, system: Name | None = None) -> Run:
    """A trained run; arguments and errors as for `jaxgan.train.load`."""
    if not (step is None or step in NAMED_STEPS or isinstance(step, int)):
        raise UserError(f"step takes a number of a checkpoint, {' or '.join(map(repr, NAMED_STEPS))}, got {step!r}.")
    number: Any = step
    found = load_run(_text("run", run), number, system=None if system is None else _text("system", system))
    return Run(found.folder.root, found.step, found.system, found.state)


def _open(module: Any, data: Any, run: RunConfig, options: Mapping[str, Any]) -> tuple[RunConfig, Data]:
    """The data of a run, and the run with their name."""
    if isinstance(data, Data):
        if unused := [name for name in OF_FILES if name in options]:
            raise UserError(
                f"{', '.join(unused)} would do nothing: data that are given as arrays are taken as they are."
            )
        fields.check(data.spec, module.NEEDS, data.name)
        return dataclasses.replace(run, data=data.name), data
    name = getattr(module, "DATA", datasets.BUNDLED) if data is None else os.fspath(data)
    run = dataclasses.replace(run, data=name)
    loaded = open_data(run, module.NEEDS)
    return dataclasses.replace(run, data=datasets.absolute(name)), loaded  # evaluation may be asked for elsewhere


def _split(module: Any, options: Mapping[str, Any]) -> tuple[Any, RunConfig]:
    """The recipe's configuration and the run's, from options of both."""
    rest = dict(options)
    start = _preset(module, rest.pop("preset")) if "preset" in rest else None
    own_hints, run_hints = get_type_hints(module.Config), get_type_hints(RunConfig)
    for name in rest:
        if name not in own_hints | run_hints:
            near = did_you_mean(name, sorted(own_hints | run_hints))
            raise UserError(f"there is no option {name!r}{f'; {near}' if near else '.'}")
    for_own = {name: _value(name, value, own_hints[name]) for name, value in rest.items() if name in own_hints}
    for_run = {name: _value(name, value, run_hints[name]) for name, value in rest.items() if name not in own_hints}
    try:
        config = module.Config(**for_own) if start is None else dataclasses.replace(start, **for_own)
    except TypeError as error:  # a field of a user's own configuration that has no default
        raise UserError(f"the configuration cannot be made: {error}.") from error
    return with_homes(config), with_homes(RunConfig(**for_run))


def _preset(module: Any, name: Any) -> Any:
    presets: dict[str, Any] = getattr(module, "PRESETS", {})
    if name not in presets:
        takes = ", ".join(presets) or "none: this recipe has no presets"
        raise UserError(f"preset takes one of {takes}; got {name!r}.")
    return presets[name]


def _value(name: str, value: Any, hint: Any) -> Any:
    """An option's value, of its type; lists, paths and NumPy's numbers become what they stand for."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    value = tuple(value) if isinstance(value, list) else value
    try:
        good = fits(value, hint)
    except TypeError:  # a type of a user's own configuration that isinstance does not know
        return value
    if not good:
        raise UserError(f"{name} takes {'True or False' if hint is bool else words_of(hint)}, got {value!r}.")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"{name} takes a name or a path, got {_what(value)}.")
    return os.fspath(value)


def _check_count(n: Any) -> None:
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise UserError(f"n takes a whole number from 1 on, got {n!r}.")


def _check_seed(seed: Any) -> None:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise UserError(f"seed takes a whole number, got {seed!r}.")
    check_seed(int(seed))


def _stored(name: str, field: Field, value: Any) -> np.ndarray:
    """What a user gives for all examples, as it is stored."""
    if isinstance(value, str | os.PathLike | int | np.integer):
        text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
        return from_user.READ[field.kind](name, field, text)
    return from_user.fitting(name, field, "the array", _numbers(name, value))


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise UserError(f"{name} takes an array of numbers, got {_what(value)}.") from error
    if array.dtype.kind not in "biuf":
        raise UserError(f"{name} takes an array of numbers, got {_what(value)}.")
    return array


def _batch(verb: str, name: str, field: Field, examples: np.ndarray) -> np.ndarray:
    """Examples as a verb takes them; UserError for others."""
    alike = examples.ndim == len(field.shape) + 1 and len(examples)
    sides = zip(field.shape, examples.shape[1:], strict=False)
    if not alike or examples.dtype != field.dtype or any(want not in (None, got) for want, got in sides):
        wanted = ", ".join(["n", *("any" if side is None else str(side) for side in field.shape)])
        raise UserError(
            f"{verb} takes {name} as {field.dtype} [{wanted}], got {examples.dtype} {list(examples.shape)}."
        )
    return examples


def _what(value: Any) -> str:
    shape = f" of shape {list(value.shape)}" if isinstance(value, np.ndarray) else ""
    return f"{type(value).__name__}{shape}"


def _alone(made: Mapping[str, np.ndarray]) -> Any:
    return next(iter(made.values())) if len(made) == 1 else dict(made)
