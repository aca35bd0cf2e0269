"""A trained system back from the folder of its run."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import jax

from jaxgan import fields, recipes
from jaxgan.errors import UserError
from jaxgan.fields import Needs, Spec
from jaxgan.game import GameState, System, parallel
from jaxgan.recipes.base import check
from jaxgan.train import checkpoint
from jaxgan.train.config import from_json
from jaxgan.train.plan import abstract_state
from jaxgan.train.rollback import healthy_step
from jaxgan.train.rundir import RunDir, read_config

Step: TypeAlias = int | Literal["best", "healthy"] | None


class Described(NamedTuple):
    """What a run is.

    Attributes:
        system: the recipe's system.
        spec: the fields of the data that it was trained on.
        needs: what its recipe takes of data.
        folder: the run.
    """

    system: System
    spec: Spec
    needs: Needs
    folder: RunDir


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


def load(run: str | Path, step: Step = None, say: Callable[[str], None] = print) -> Trained:
    """The recipe and a checkpoint of a run, on this process's first device.

    Args:
        run: the run's folder.
        step: which checkpoint, "best" for the one that --eval-every has kept, "healthy" for the last one that was saved
            while the monitor saw nothing wrong; the newest that is whole unless given.
        say: is told of checkpoints that are damaged.

    Raises:
        UserError: no such run or checkpoint, or one that is damaged.
    """
    about = described(run)
    state, found = restore(run, about.system, step, say)
    return Trained(about.system, state, found, about.spec, about.needs, about.folder)


def described(run: str | Path) -> Described:
    """What a run is, read from its config.json; errors as for `load`."""
    folder, saved = read_config(run)
    if saved["recipe"] is None:
        raise UserError(f"{run} was trained by a system of your own; read it with jaxgan.train.restore(run, system).")
    recipe = recipes.load(saved["recipe"])
    config = from_json(recipe.Config, saved["config"], str(folder.config))
    check(config)
    spec = fields.from_json(saved["data"]["fields"], str(folder.config))
    return Described(recipe.build(config, spec), spec, recipe.NEEDS, folder)


def restore(
    run: str | Path, system: System, step: Step = None, say: Callable[[str], None] = print
) -> tuple[GameState, int]:
    """The state of `system` from a checkpoint of a run, and its step; arguments and errors as for `load`."""
    paths = read_config(run)[0]
    folder = paths.best if step == "best" else paths.checkpoints
    if isinstance(step, int):
        found = _require(folder, step)
    else:
        found = healthy_step(paths, say) if step == "healthy" else checkpoint.latest(folder, say)
    if found is None:
        none = {"best": "no best checkpoint; --eval-every keeps one", "healthy": "no healthy checkpoint"}
        raise UserError(f"{run} has {none.get(str(step), 'no checkpoint yet')}.")
    mesh = parallel.make_mesh(jax.local_devices()[:1])
    return checkpoint.restore(folder, found, abstract_state(system, mesh)), found


def _require(folder: Path, step: int) -> int:
    found = checkpoint.steps(folder)
    if step not in found:
        raise UserError(f"--step takes one of {', '.join(map(str, found)) or 'none yet'}, got {step}.")
    damage = checkpoint.damage_of(folder, step)
    if damage:
        raise UserError(f"checkpoint {folder / str(step)} is damaged ({damage}); choose another --step.")
    return step
