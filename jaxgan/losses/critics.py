"""A generator against several discriminators."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.errors import UserError


def several_critics(
    losses: Float[Array, "critics b"],
    how: str = "softmax",
    sharpness: float = 1.0,
    axis_name: str | None = None,
) -> Float[Array, "b"]:
    """What a generator minimises against several discriminators (GMAN, Durugkar et al. 2017, section 3).

    Args:
        losses: G's loss against each critic for each example.
        how: "mean" of all; "max", the harshest critic, that with the largest mean loss; "softmax", a mean with weights
            softmax(sharpness * mean loss) between the two.
        sharpness: at least 0, where 0 is the mean and infinity the maximum; read by "softmax".
        axis_name: the mapped axis whose devices share a batch.

    Raises:
        UserError: another way, or a negative sharpness.
    """
    if how not in ("mean", "max", "softmax"):
        raise UserError(f"several critics are combined by mean, max or softmax, got {how!r}.")
    if sharpness < 0:
        raise UserError(f"the sharpness of the softmax over critics must be at least 0, got {sharpness}.")
    local = losses.mean(1)
    harshness = local if axis_name is None else jax.lax.pmean(local, axis_name)
    weights = {
        "mean": jnp.full_like(harshness, 1 / len(losses)),
        "max": jax.nn.one_hot(harshness.argmax(), len(losses)),
        "softmax": jax.nn.softmax(sharpness * harshness),
    }[how]
    return weights @ losses
