"""The options of an earlier run, or of a file like its config.json, for a run that repeats it."""

import dataclasses
import json
from typing import Any

from jaxgan.errors import UserError
from jaxgan.paths import typed
from jaxgan.train.run import own
from jaxgan.train.run.config import RunConfig, from_json
from jaxgan.train.run.own import Recipe
from jaxgan.train.run.rundir import CONFIG

PARTS = ("recipe", "config", "run")
"""What is read of a file: the recipe's name, its options, and those of the run."""
BESIDE = ("jaxgan", "code", "stages", "stage", "data", "frozen")
"""What a config.json says beside: it follows from the other parts, or tells where the run stood."""


def options_of(file: str, recipe: Recipe) -> dict[type[Any], Any]:
    """The options that a file gives, for `parse`: what it does not say has its default, and the folder is a new one.

    Raises:
        UserError: no such file, another recipe's, or a field that is unknown or wrong; names the file and the field.
    """
    content = _read(file)
    if content.get("recipe") not in (None, recipe.name):
        raise UserError(f"--config {file} is of {content['recipe']}, not of {recipe.name}; leave the recipe out.")
    config = from_json(recipe.module.Config, _part(content, "config", file), f"--config {file}")
    run = from_json(RunConfig, _part(content, "run", file), f"--config {file}")
    if getattr(config, "schedule_steps", None) == config.steps:  # as `settled` writes it: as long as the run
        config = dataclasses.replace(config, schedule_steps=None)
    return {recipe.module.Config: config, RunConfig: dataclasses.replace(run, out=None)}


def recipe_of(file: str | None, system: str | None) -> Recipe:
    """The recipe that a file names.

    Args:
        file: given by --config.
        system: the file of a user's own system, where the command line names it.

    Raises:
        UserError: it names none, or code of the user's own that this command line must name.
    """
    content = _read(file or "")
    if not isinstance(content.get("recipe"), str):
        raise UserError(f"--config {file} names no recipe; say it first: jaxgan train RECIPE --config {file}.")
    return own.of_run(content, f"--config {file}", system)


def _read(file: str) -> dict[str, Any]:
    """The content of a file, or of the config.json of a run's folder."""
    if not file:
        raise UserError("--config takes a file such as a run's config.json, got an empty text.")
    path = typed(file) / CONFIG if typed(file).is_dir() else typed(file)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--config {file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if not isinstance(content, dict):
        raise UserError(f"--config {file} takes a JSON object such as a run's config.json.")
    if unknown := sorted(set(content) - {*PARTS, *BESIDE}):
        raise UserError(f"--config {file} has {', '.join(unknown)}, but takes {', '.join(PARTS)}.")
    return content


def _part(content: dict[str, Any], name: str, file: str) -> dict[str, Any]:
    part = content.get(name, {})
    if not isinstance(part, dict):
        raise UserError(f"--config {file} gives {name!r} as {part!r}, which takes options by their names.")
    return part
