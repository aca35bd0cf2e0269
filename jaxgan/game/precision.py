"""Which number format is used where."""

from typing import Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxgan.errors import UserError

Precision: TypeAlias = Literal["float32", "bfloat16"]


class Policy(NamedTuple):
    """Number formats of a network.

    Attributes:
        params: of the parameters, of their gradients, of the optimiser and of the moving average.
        compute: of activations and of the products inside the network (a module's `dtype`).
        output: of images and logits, and so of losses, penalties and metrics.
    """

    params: DTypeLike = jnp.float32
    compute: DTypeLike = jnp.float32
    output: DTypeLike = jnp.float32


def policy(precision: str) -> Policy:
    """The policy named `float32` or `bfloat16` (bfloat16 activations; everything that accumulates stays float32)."""
    policies = {"float32": Policy(), "bfloat16": Policy(compute=jnp.bfloat16)}
    if precision not in policies:
        raise UserError(f"precision must be one of {', '.join(policies)}, got {precision!r}.")
    return policies[precision]
