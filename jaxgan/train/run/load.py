"""A trained system back from the folder of its run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import jax

from jaxgan import fields
from jaxgan.errors import UserError, flag
from jaxgan.fields import Needs, Spec
from jaxgan.game import GameState, System, parallel, with_frozen
from jaxgan.recipes.common.base import RecipeConfig, check
from jaxgan.train.loop.declared import stages_of
from jaxgan.train.loop.plan import abstract_state
from jaxgan.train.loop.rollback import healthy_step
from jaxgan.train.run import checkpoint, own
from jaxgan.train.run.config import from_json
from jaxgan.train.run.rundir import RunDir, read_config

Step: TypeAlias = int | Literal["best", "healthy"] | None


class Described(NamedTuple):
    """What a run is, as one of its checkpoints left it.

    Attributes:
        system: the recipe's system, of the stage in which the checkpoint was saved.
        spec: the fields of the data that it was trained on.
        needs: what its recipe takes of data.
        folder: the run.
        checkpoint: its folder; None where the run has none yet.
    """

    system: System
    spec: Spec
    needs: Needs
    folder: RunDir
    checkpoint: Path | None


class Trained(NamedTuple):
    """What `load` finds in a run.

    Attributes:
        system: the recipe's system.
        state: a checkpoint of it.
        step: the checkpoint's step.
        spec: the fields of the data that it was trained on.
        needs: what its recipe takes of data.
        folder: the run.
    """

    system: System
    state: GameState
    step: int
    spec: Spec
    needs: Needs
    folder: RunDir

    def __repr__(self) -> str:
        """One line."""
        return f"Trained({self.folder.root}, step {self.step}, {self.system})"


def load(run: str | Path, step: Step = None, say: Callable[[str], None] = print, system: str | None = None) -> Trained:
    """The recipe and a checkpoint of a run, on this process's first device.

    Args:
        run: the run's folder.
        step: which checkpoint, "best" for the one that --eval-every has kept, "healthy" for the last one that was saved
            while the monitor saw nothing wrong; the newest that is whole unless given.
        say: is told of checkpoints that are damaged.
        system: the file or module of the user's own system that trained the run, which is executed; needed where this
            user has not trained with that very content on this machine.

    Raises:
        UserError: no such run or checkpoint, or one that is damaged.
    """
    about = described(run, system, say, step)
    state, found = state_of(about)
    return Trained(about.system, state, found, about.spec, about.needs, about.folder)


def described(
    run: str | Path,
    system: str | None = None,
    say: Callable[[str], None] = print,
    step: Step = None,
    changes: Mapping[str, Any] | None = None,
) -> Described:
    """What a run is, read from its config.json and a checkpoint.

    Args:
        run: as for `load`.
        system: as for `load`.
        say: as for `load`.
        step: as for `load`.
        changes: options of the recipe that are to be others than the run's, and change no array of its state.

    Raises:
        UserError: as for `load`; an option that the recipe does not have.
    """
    folder, saved = read_config(run)
    recipe = own.of_run(saved, str(run), system)
    if changed := own.differs(saved, recipe):
        say(f"Warning     {changed}")
    if unknown := sorted(set(changes or {}) - set(saved["config"])):
        raise UserError(f"{flag(unknown[0])} is an option of other recipes; {recipe.name}, of {run}, has none.")
    config = from_json(recipe.module.Config, {**saved["config"], **(changes or {})}, str(folder.config))
    if isinstance(config, RecipeConfig):
        check(config)
    spec = fields.from_json(saved["data"]["fields"], str(folder.config))
    found = _found(folder, step, say)
    name = _stage_in(found) if found else saved["stage"]
    stages = {stage.name: stage for stage in stages_of(recipe.module.build, config)}
    if name not in stages:
        raise UserError(f"{run} is at a stage {name!r}, which its system does not have; it has {', '.join(stages)}.")
    return Described(stages[name].build(config, spec, None), spec, recipe.module.NEEDS, folder, found)


def state_of(about: Described) -> tuple[GameState, int]:
    """The state of a run's checkpoint, and its step; UserError where the run has none yet."""
    if about.checkpoint is None:
        raise UserError(f"{about.folder.root} has no checkpoint yet.")
    return _restored(about.checkpoint, about.system)


def restore(
    run: str | Path, system: System, step: Step = None, say: Callable[[str], None] = print
) -> tuple[GameState, int]:
    """The state of `system` from a checkpoint of a run, and its step; arguments and errors as for `load`."""
    found = _found(read_config(run)[0], step, say)
    if found is None:
        raise UserError(f"{run} has no checkpoint yet.")
    return _restored(found, system)


def _found(paths: RunDir, step: Step, say: Callable[[str], None]) -> Path | None:
    """The folder of the checkpoint that is asked for; None where the newest is and there is none."""
    folder = paths.best if step == "best" else paths.checkpoints
    if isinstance(step, int):
        return folder / str(_require(folder, step))
    found = healthy_step(paths, say) if step == "healthy" else checkpoint.latest(folder, say)
    if found is None and step is not None:
        none = {"best": "no best checkpoint; --eval-every keeps one", "healthy": "no healthy checkpoint"}
        raise UserError(f"{paths.root} has {none[step]}.")
    return None if found is None else folder / str(found)


def _stage_in(found: Path) -> str:
    return checkpoint.metadata_of(found.parent, int(found.name)).get("stage", "")


def _restored(found: Path, system: System) -> tuple[GameState, int]:
    mesh = parallel.make_mesh(jax.local_devices()[:1])
    state = checkpoint.restore(found.parent, int(found.name), abstract_state(system, mesh))
    if system.frozen:
        state = with_frozen(state, parallel.place_state(dict(system.frozen()), mesh))
    return state, int(found.name)


def _require(folder: Path, step: int) -> int:
    found = checkpoint.steps(folder)
    if step not in found:
        raise UserError(f"--step takes one of {', '.join(map(str, found)) or 'none yet'}, got {step}.")
    damage = checkpoint.damage_of(folder, step)
    if damage:
        raise UserError(f"checkpoint {folder / str(step)} is damaged ({damage}); choose another --step.")
    return step
