"""Runs from Python: `jaxgan.fit("dcgan", data="photos", image_size=64)` and `jaxgan.load("runs/x").sample(16)`."""

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan import data as datasets
from jaxgan.data import Data
from jaxgan.errors import UserError
from jaxgan.fields import inside, outside
from jaxgan.game import GameState, System
from jaxgan.recipes.base import RecipeConfig, check
from jaxgan.show import from_user
from jaxgan.show import given as givens
from jaxgan.show.sampling import example_keys, make_sampler
from jaxgan.train import own
from jaxgan.train.config import RunConfig, check_at_least, check_seed
from jaxgan.train.fit import fit as fit_system
from jaxgan.train.launch import open_data, quiet
from jaxgan.train.load import Step
from jaxgan.train.load import load as load_run
from jaxgan.train.report import Report


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
            UserError: a verb or a field that there is not, or one that must be given and is not.
        """
        chosen = self.system.verb(verb)
        check_at_least("n", n, 1)
        check_seed(seed)
        if unknown := sorted(set(given) - set(chosen.given)):
            raise UserError(f"{verb} takes {', '.join(chosen.given) or 'nothing'}, got {', '.join(unknown)}.")
        stored = {name: _stored(name, chosen.given[name], value) for name, value in given.items()}
        rest = {name: field for name, field in chosen.given.items() if name not in stored}
        if missing := [name for name, field in rest.items() if field.kind not in givens.CHOSEN]:
            raise UserError(f"{verb} takes {', '.join(missing)} too.")
        made = make_sampler(chosen, n, seed, givens.together(givens.in_turn(rest), givens.the_same(stored)))(self.state)
        return _alone(made)

    def translate(self, examples: np.ndarray, seed: int = 0, verb: str = "translate") -> Any:
        """Stored examples `[n, ...]` through a verb that takes one field; the result as for `make`."""
        chosen = self.system.verb(verb)
        if len(chosen.given) != 1:
            raise UserError(f"{verb} takes {', '.join(chosen.given) or 'nothing'}, and translate gives one field.")
        ((name, field),) = chosen.given.items()
        if np.ndim(examples) != len(field.shape) + 1 or np.asarray(examples).dtype != field.dtype:
            got = f"{np.asarray(examples).dtype} {list(np.shape(examples))}"
            raise UserError(f"{verb} takes {name} as {field.dtype} of {len(field.shape) + 1} axes, got {got}.")
        keys = example_keys(seed, len(examples))
        made = outside(chosen.makes, chosen(self.state, inside(chosen.given, {name: examples}), keys))
        return _alone({each: np.asarray(values) for each, values in made.items()})


def fit(recipe: str, data: str | Data | None = None, *, report: Report | None = None, **options: Any) -> Run:
    """Train, as `jaxgan train RECIPE` does.

    Args:
        recipe: a recipe's name, a file or a module of your own.
        data: a name or a path, as for `--data`; or data of your own, from `jaxgan.data.of_arrays`.
        report: where progress is told; on standard output unless given.
        **options: those of the command, with underscores: `image_size=64`, `steps=1000`, `out="runs/x"`.

    Raises:
        UserError: an option that there is not, or something that cannot work.
        TrainingError: as for `jaxgan.train.fit`.
    """
    quiet()
    found = own.named(recipe)
    config, run = _split(found.module.Config, options)
    if isinstance(config, RecipeConfig):
        check(config)
    name = data if isinstance(data, str) else None
    run = dataclasses.replace(run, data=name or getattr(found.module, "DATA", datasets.BUNDLED))
    loaded = data if isinstance(data, Data) else open_data(run, found.module.NEEDS)
    own.trust(found)
    result = fit_system(found.module.build, config, loaded, run, recipe=found.name, code=found.code, report=report)
    return Run(result.folder.root, result.step, result.system, result.state)


def load(run: str | Path, step: Step = None, system: str | None = None) -> Run:
    """A trained run; arguments and errors as for `jaxgan.train.load`."""
    found = load_run(run, step, system=system)
    return Run(found.folder.root, found.step, found.system, found.state)


def _split(kind: type[Any], options: Mapping[str, Any]) -> tuple[Any, RunConfig]:
    """The recipe's configuration and the run's, from options of both."""
    own_names = {field.name for field in dataclasses.fields(kind)}
    run_names = {field.name for field in dataclasses.fields(RunConfig)}
    for name in options:
        if name not in own_names | run_names:
            close = difflib.get_close_matches(name, sorted(own_names | run_names), 1)
            raise UserError(f"there is no option {name!r}{f'; did you mean {close[0]!r}?' if close else '.'}")
    config = kind(**{name: value for name, value in options.items() if name in own_names})
    return config, RunConfig(**{name: value for name, value in options.items() if name in run_names - own_names})


def _stored(name: str, field: Any, value: Any) -> np.ndarray:
    if isinstance(value, str | int):
        return from_user.stored(name, field, str(value))
    return np.asarray(value, field.dtype)


def _alone(made: Mapping[str, np.ndarray]) -> Any:
    return next(iter(made.values())) if len(made) == 1 else dict(made)
