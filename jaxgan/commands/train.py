"""The command `jaxgan train`, from its options to its exit code."""

import dataclasses
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import jax

from jaxgan import data as datasets
from jaxgan.errors import UserError
from jaxgan.options import parse
from jaxgan.recipes.common.base import RecipeConfig, check
from jaxgan.train.cluster.joining import Cluster, cluster_of, joined
from jaxgan.train.loop.fit import fit
from jaxgan.train.run import config as options
from jaxgan.train.run import own, repeat
from jaxgan.train.run.config import MAY_CHANGE, ResumeConfig, RunConfig, flag, from_json, settled
from jaxgan.train.run.data import open_data
from jaxgan.train.run.rundir import check_out, read_config
from jaxgan.train.screen.log import LoggedReport
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import Report, make_report


def train(recipe_name: str | None, args: Sequence[str]) -> int:
    """Start a run, of the recipe that --config names where none is given.

    The exit code is 0, or 128 plus the signal that stopped it.
    """
    if recipe_name is None:
        system, args = _without("--system", args)
        recipe = repeat.recipe_of(own.taken(args, "--config"), system)
    else:
        recipe = own.named(recipe_name)
    summary = (recipe.module.__doc__ or recipe.name).splitlines()[0]
    config, run, cluster = _options(recipe, summary, args)
    with joined(cluster, run.out) as process:
        options.check_run(run)
        if isinstance(config, RecipeConfig):
            check(config)  # before the data are read, which may take a while
        if process == 0:  # which makes the folder
            check_out(run.out)
        own.trust(recipe)
        run = dataclasses.replace(run, data=run.data or getattr(recipe.module, "DATA", datasets.BUNDLED))
        return _fit(recipe, config, run, resume=False)


def _options(recipe: own.Recipe, summary: str, args: Sequence[str]) -> list[Any]:
    """The recipe's configuration, the run's and the cluster's; from --preset or --config where one is given."""
    command, kinds = f"jaxgan train {recipe.name}", (recipe.module.Config, RunConfig, Cluster)
    presets: dict[str, Any] = getattr(recipe.module, "PRESETS", {})
    summary += f" Presets (--preset NAME): {', '.join(presets)}." if presets else ""
    summary += " --config FILE takes the options of another run's config.json."
    name, rest = _without("--preset", args)
    file, rest = _without("--config", rest)
    if name is not None and file is not None:
        raise UserError("--preset and --config both say what the options are; one of them is enough.")
    if name is not None and name not in presets:
        raise UserError(
            f"--preset takes one of {', '.join(presets) or 'none: this recipe has no presets'}; got {name}."
        )
    named = {recipe.module.Config: presets[name]} if name is not None else {}
    return parse(command, summary, kinds, rest, named if file is None else repeat.options_of(file, recipe))


def _without(option: str, args: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of an option, and the other arguments."""
    for i, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name == option:
            given = [value] if equals else list(args[i + 1 : i + 2])
            return (given[0] if given else ""), [*args[:i], *args[i + (1 if equals else 2) :]]
    return None, list(args)


def resume(run_folder: str, recipe_name: str | None, args: Sequence[str]) -> int:
    """Go on with a run; exit codes as for `train`."""
    if set(args) & {"-h", "--help"}:
        about = "Go on with a run as if it had never stopped."
        parse("jaxgan train --resume RUN", about, (ResumeConfig, Cluster), args)
    with joined(cluster_of(args), run_folder):
        return _resume(run_folder, recipe_name, args)


def _resume(run_folder: str, recipe_name: str | None, args: Sequence[str]) -> int:
    folder, saved = read_config(run_folder)
    if saved["recipe"] is None:
        raise UserError(f"{run_folder} was trained by a system of your own; go on with fit(..., resume=True).")
    if recipe_name is not None and not own.is_own(recipe_name) and recipe_name != saved["recipe"]:
        raise UserError(f"{run_folder} is a run of {saved['recipe']}, not of {recipe_name}; leave the recipe out.")
    given_again = recipe_name if recipe_name is not None and own.is_own(recipe_name) else None
    recipe = own.of_run(saved, run_folder, own.taken(args) or given_again)
    report = LoggedReport(make_report()) if jax.process_index() == 0 else Report()
    if changed := own.differs(saved, recipe):
        report.line(f"Warning     {changed}")
    own.trust(recipe)
    _check_free(recipe.module, run_folder, args)
    changes, _ = parse("jaxgan train --resume RUN", "", (ResumeConfig, Cluster), args)
    given = {name: value for name, value in dataclasses.asdict(changes).items() if value is not None}
    given.pop("system", None)
    config = from_json(recipe.module.Config, saved["config"], str(folder.config))
    if isinstance(config, RecipeConfig):
        check(config)
    config = dataclasses.replace(settled(config), steps=given.pop("steps", config.steps))
    run = from_json(RunConfig, saved["run"], str(folder.config))
    return _fit(recipe, config, dataclasses.replace(run, **given, out=run_folder), resume=True, report=report)


def _fit(recipe: own.Recipe, config: object, run: RunConfig, resume: bool, report: Report | None = None) -> int:
    quiet()
    data = open_data(run, recipe.module.NEEDS)
    if run.data:
        run = dataclasses.replace(run, data=datasets.absolute(run.data))  # a run may go on in another folder
    about: dict[str, Any] = {"recipe": recipe.name, "code": recipe.code, "report": report}
    result = fit(recipe.module.build, config, data, run, resume=resume, **about)
    return 128 + result.signal if result.signal else 0


def _check_free(recipe: ModuleType, run_folder: str, args: Sequence[str]) -> None:
    """Raise UserError for an option that made the run what it is."""
    fields = (*dataclasses.fields(recipe.Config), *dataclasses.fields(RunConfig))
    fixed = {flag(field.name) for field in fields} - {flag(name) for name in MAY_CHANGE if name != "out"}
    for arg in args:
        name = arg.partition("=")[0].replace("_", "-")
        if name in fixed:
            free = ", ".join(flag(each) for each in MAY_CHANGE if each != "out")
            raise UserError(f"{name} belongs to what {run_folder} is; with --resume only {free} may change.")
