"""The stages that a recipe declares."""

import itertools
import sys
from collections.abc import Sequence
from typing import Any

from jaxgan.errors import UserError
from jaxgan.game import Stage


def stages_of(build: Any, config: Any) -> tuple[Stage, ...]:
    """The stages of a run.

    Args:
        build: a recipe's `build`; where its module has `stages(config)`, these, and else it is the only one.
        config: the configuration, whose `steps` are those of the whole run.

    Raises:
        UserError: a stage that cannot be reached, or a sequence that is none.
    """
    module = sys.modules.get(getattr(build, "__module__", ""))
    declared = getattr(module, "stages", None) if getattr(module, "build", None) is build else None
    stages = tuple(declared(config)) if declared else (Stage("", build),)
    check_stages(stages, config.steps)
    return stages


def check_stages(stages: Sequence[Stage], steps: int) -> None:
    """Raise UserError for stages of which one cannot be reached within `steps`, or that are no sequence."""
    names = [stage.name for stage in stages]
    if not stages or len(set(names)) < len(names):
        raise UserError(f"stages(config) must return stages of different names, got {names}.")
    if stages[-1].until is not None or any(stage.until is None for stage in stages[:-1]):
        raise UserError("every stage but the last has an `until`, and the last has none: it ends with the run.")
    for before, after in itertools.pairwise((Stage("the beginning", stages[0].build, 0), *stages)):
        if after.until is not None and before.until is not None and after.until <= before.until:
            raise UserError(
                f"stage {after.name} ends after step {after.until:,}, where {before.name} ends after {before.until:,}: "
                "each stage takes at least one step."
            )
    for before, after in itertools.pairwise(stages):
        if before.until is not None and before.until >= steps:
            raise UserError(
                f"stage {after.name} cannot be reached: it begins after step {before.until:,}, and --steps is "
                f"{steps:,}."
            )
