"""Exponential moving average of parameters, its horizon given in images so that batch size does not change it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError


class Ema(NamedTuple):
    """How a player's parameters are averaged (Karras et al. 2020, training details of StyleGAN2-ADA).

    Attributes:
        halflife_kimg: thousands of images after which a parameter's weight in the average has halved.
        rampup: the half-life is at most this fraction of the images seen so far, so that the average does not
            remember the initialisation; None for no ramp-up.
    """

    halflife_kimg: float = 10.0
    rampup: float | None = 0.05


def check_ema(ema: Ema) -> Ema:
    """Return `ema`, or raise a UserError for a half-life or ramp-up that is not positive."""
    if not ema.halflife_kimg > 0:
        raise UserError(f"ema halflife_kimg must be above 0 thousand images, got {ema.halflife_kimg}.")
    if ema.rampup is not None and not ema.rampup > 0:
        raise UserError(f"ema rampup must be above 0 or None, got {ema.rampup}.")
    return ema


def decay(ema: Ema, step: Int[Array, ""], images_per_step: int) -> Float[Array, ""]:
    """Weight of the old average after `step` completed steps: 2^(-images_per_step / half-life in images)."""
    halflife = jnp.float32(ema.halflife_kimg * 1000)
    if ema.rampup is not None:
        halflife = jnp.minimum(halflife, ema.rampup * step.astype(jnp.float32) * images_per_step)
    # At step 0 a ramped half-life is 0 and the average becomes a copy of the parameters.
    return jnp.exp2(-images_per_step / jnp.maximum(halflife, 1e-8))


def average(old: Any, new: Any, weight: Float[Array, ""]) -> Any:
    """`weight * old + (1 - weight) * new`, leaf by leaf, in the leaf's own dtype."""
    return jax.tree.map(lambda o, n: (weight * o + (1 - weight) * n).astype(o.dtype), old, new)
