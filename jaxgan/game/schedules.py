"""Numbers that change while a game is played: rates, betas, the weight of a penalty.

A schedule is a function of the step. Optimisers call theirs; a loss reads the step as `vars["step"]`:
`gamma(vars["step"]) * r1(critic, x)`.
"""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from jaxgan.errors import UserError

Schedule: TypeAlias = Callable[[ArrayLike], Float[Array, ""]]  # of the step, which lazy optimisers cut in fractions
Shape = Literal["constant", "linear", "cosine"]


def schedule(shape: str, start: float, end: float, steps: int) -> Schedule:
    """From `start` at step 0 to `end` at step `steps`, and `end` for ever after.

    Args:
        shape: "constant" stays at `start`; "linear"; "cosine", half a wave (the schedule of R3GAN's rate, gamma and
            beta2: Huang et al. 2024, arXiv:2501.05441, appendix).
        start: value at step 0.
        end: value from step `steps` on.
        steps: length of the change.

    Raises:
        UserError: an unknown shape, ends that are not finite, or no steps.
    """
    if shape not in get_args(Shape):
        raise UserError(f"there is no schedule {shape!r}; there are {', '.join(get_args(Shape))}.")
    if not math.isfinite(start + end):
        raise UserError(f"a schedule takes a finite start and end, got {start} and {end}.")
    if not steps >= 1:
        raise UserError(f"a schedule takes at least 1 step, got {steps}.")

    def value(step: ArrayLike) -> Float[Array, ""]:
        done = jnp.clip(jnp.asarray(step, jnp.float32) / steps, 0.0, 1.0)
        share = {"constant": 0 * done, "linear": done, "cosine": (1 - jnp.cos(jnp.pi * done)) / 2}[shape]
        return jnp.asarray(start + (end - start) * share, jnp.float32)

    return value


def cosine(start: float, end: float, steps: int) -> Schedule:
    """`schedule("cosine", start, end, steps)`."""
    return schedule("cosine", start, end, steps)
