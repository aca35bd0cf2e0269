"""A generator against several discriminators."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxgan.errors import UserError
from jaxgan.losses.checks import check_at_least_zero, check_same_shape
from jaxgan.losses.reduce import example_means


def several_critics(
    losses: Sequence[PyTree[Float[Array, "b ..."]]] | Float[Array, "critics b ..."],
    how: str = "softmax",
    sharpness: float | Array = 1.0,
    axis_name: str | None = None,
) -> Float[Array, "b"]:
    """What a generator minimises against several discriminators (GMAN, Durugkar et al. 2017, section 3).

    Args:
        losses: G's loss against each critic, critic by critic: arrays [b, ...] of any shapes (patches), or pytrees of
            them (scales). Of several losses an example the mean counts.
        how: "mean" of all; "max", the harshest critic, that with the largest mean loss; "softmax", a mean with weights
            softmax(sharpness * mean loss) between the two.
        sharpness: at least 0, where 0 is the mean and more comes nearer to the maximum; read by "softmax".
        axis_name: the mapped axis whose devices share a batch.

    Returns:
        One float32 loss an example.

    Raises:
        UserError: another way, a negative or infinite sharpness, no critic, or different numbers of examples.
    """
    if how not in ("mean", "max", "softmax"):
        raise UserError(f"several critics are combined by mean, max or softmax, got {how!r}.")
    check_at_least_zero("sharpness of the softmax over critics", sharpness)
    if not len(losses):
        raise UserError("several critics are at least one, got none.")
    means = [example_means(of_one) for of_one in losses]
    check_same_shape("losses against several critics, one number an example,", *means)
    by_critic = jnp.stack(means)
    local = by_critic.mean(1)
    harshness = local if axis_name is None else jax.lax.pmean(local, axis_name)
    weights = {
        "mean": jnp.full_like(harshness, 1 / len(by_critic)),
        "max": jax.nn.one_hot(harshness.argmax(), len(by_critic)),
        "softmax": jax.nn.softmax(sharpness * harshness),
    }[how]
    return weights @ by_critic
