"""The commands `jaxgan train` and `jaxgan sample`, from their options to their exit codes."""

import dataclasses
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from jaxgan import data as datasets
from jaxgan import recipes
from jaxgan.errors import UserError
from jaxgan.recipes.base import check
from jaxgan.train import config as options
from jaxgan.train.cluster import Cluster, cluster_of, joined
from jaxgan.train.config import MAY_CHANGE, ResumeConfig, RunConfig, SampleConfig, flag, from_json, settled
from jaxgan.train.fit import fit
from jaxgan.train.load import load
from jaxgan.train.options import parse
from jaxgan.train.rundir import check_out, read_config
from jaxgan.train.sampling import check_file, check_size, make_batches, write_images


def train(recipe_name: str, args: Sequence[str]) -> int:
    """Start a run; the exit code is 0, or 128 plus the signal that stopped it."""
    recipe = recipes.load(recipe_name)
    summary = (recipe.__doc__ or "").splitlines()[0]
    kinds = (recipe.Config, RunConfig, Cluster)
    config, run, cluster = parse(f"jaxgan train {recipe_name}", summary, kinds, args)
    with joined(cluster, run.out) as process:
        options.check_run(run)
        check(config)  # before the data are read, which may take a while
        if process == 0:  # which makes the folder
            check_out(run.out)
        return _fit(recipe, config, run, resume=False)


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
    if recipe_name not in (None, saved["recipe"]):
        raise UserError(f"{run_folder} is a run of {saved['recipe']}, not of {recipe_name}; leave the recipe out.")
    recipe = recipes.load(saved["recipe"])
    _check_free(recipe, run_folder, args)
    changes, _ = parse("jaxgan train --resume RUN", "", (ResumeConfig, Cluster), args)
    given = {name: value for name, value in dataclasses.asdict(changes).items() if value is not None}
    config = from_json(recipe.Config, saved["config"], str(folder.config))
    check(config)
    config = dataclasses.replace(settled(config), steps=given.pop("steps", config.steps))
    run = from_json(RunConfig, saved["run"], str(folder.config))
    return _fit(recipe, config, dataclasses.replace(run, **given, out=run_folder), resume=True)


def sample(run_folder: str, args: Sequence[str]) -> int:
    """Write images of a trained run."""
    (wanted,) = parse("jaxgan sample RUN", "Make images with a trained run.", (SampleConfig,), args)
    options.check_at_least("n", wanted.n, 1)
    options.check_seed(wanted.seed)
    out = Path(wanted.out) if wanted.out else None
    check_file(out, wanted.n)
    quiet()
    trained = load(run_folder, wanted.step)
    classes = len(trained.classes)
    batches = make_batches(trained.system, wanted.n, wanted.seed, classes, wanted.label)
    suffix = "" if wanted.label is None else f"-label{wanted.label}"
    out = out or trained.folder.root / f"sample-{trained.step}-seed{wanted.seed}{suffix}.png"
    check_size(out, wanted.n, trained.system.config.image_shape)
    write_images(out, batches(trained.state), classes, wanted.label)
    print(f"{wanted.n} images of step {trained.step}: {out}")
    return 0


def _fit(recipe: ModuleType, config: object, run: RunConfig, resume: bool) -> int:
    quiet()
    if Path(run.data).exists():
        run = dataclasses.replace(run, data=str(Path(run.data).resolve()))  # a run may go on in another folder
    data = datasets.load(
        run.data, image_size=run.image_size, resize=run.resize, channels=run.channels, data_dir=run.data_dir
    )
    name = recipe.__name__.rpartition(".")[2]
    result = fit(recipe.build, config, data, run, recipe=name, resume=resume)
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


def quiet() -> None:
    """No messages from the libraries below; what a user must know, we say."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    logging.getLogger("orbax").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
