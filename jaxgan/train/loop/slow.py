"""What would make a user's own system slow."""

from collections.abc import Callable
from typing import Any

import jax

from jaxgan import recipes
from jaxgan.layers.conv.plain import plain_convolutions
from jaxgan.train.loop.plan import Plan


def warn_of_convolutions(plan: Plan, run: Callable[..., Any], *args: Any) -> None:
    """Say, of a user's own system, that Flax's convolutions are slow on a CPU; those of the recipes are all ours.

    Args:
        plan: the run.
        run: the steps, as they are compiled.
        *args: what it takes.
    """
    ours = plan.recipe in recipes.own() and plan.code is None
    if ours or plan.mesh.devices.flat[0].platform != "cpu":
        return
    if plain_convolutions(jax.make_jaxpr(run)(*args)):
        plan.report.line(
            "Warning     on a CPU the gradients of flax.linen.Conv take 13 to 40 times as long as those of "
            "jaxgan.layers.Conv, which takes the same arguments."
        )
