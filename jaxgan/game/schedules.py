"""Numbers that change while a game is played: rates, betas, the weight of a penalty.

A schedule is a function of the step. Optimisers call theirs; a loss reads the step as `vars["step"]`:
`gamma(vars["step"]) * r1(critic, x)`. Those of Optax do as well (`optax.linear_schedule(start, end, steps)`).
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from jaxgan.errors import UserError

Schedule: TypeAlias = Callable[[ArrayLike], Float[Array, ""]]  # of the step, which lazy optimisers cut in fractions


def cosine(start: float, end: float, steps: int) -> Schedule:
    """From `start` at step 0 to `end` at step `steps` along half a wave, and `end` for ever after.

    The schedule of R3GAN's rate, gamma and beta2 (Huang et al. 2024, arXiv:2501.05441, appendix). Unlike
    `optax.cosine_decay_schedule`, whose end is a share of its start, it may begin at 0.

    Args:
        start: value at step 0.
        end: value from step `steps` on.
        steps: length of the change.

    Raises:
        UserError: ends that are not finite, or no steps.
    """
    if not math.isfinite(start + end):
        raise UserError(f"a schedule takes a finite start and end, got {start} and {end}.")
    if not steps >= 1:
        raise UserError(f"a schedule takes at least 1 step, got {steps}.")

    def value(step: ArrayLike) -> Float[Array, ""]:
        done = jnp.clip(jnp.asarray(step, jnp.float32) / steps, 0.0, 1.0)
        share = (1 - jnp.cos(jnp.pi * done)) / 2
        return jnp.asarray(start + (end - start) * share, jnp.float32)

    return value


def constant_then_linear(value: float, steps: int, share: float) -> optax.ScalarOrSchedule:
    """The value itself, and over the last share of the steps a line from there to 0, where it stays.

    Rates of pix2pix and CycleGAN: the line is the second half of their training (Zhu et al. 2017, arXiv:1703.10593,
    section 4; with steps here where their code has epochs).

    Args:
        value: until the line begins.
        steps: after which it ends.
        share: of the steps, from 0 (no line: the value as a number) to 1.

    Raises:
        UserError: another share, or no steps.
    """
    if not 0 <= share <= 1:
        raise UserError(f"a schedule falls over a share of its steps from 0 to 1, got {share}.")
    if not steps >= 1:
        raise UserError(f"a schedule takes at least 1 step, got {steps}.")
    falling = round(share * steps)
    return optax.linear_schedule(value, 0.0, falling, steps - falling) if falling else value
