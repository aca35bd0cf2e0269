"""Which number format is used where."""

from typing import Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxgan.errors import UserError

Precision: TypeAlias = Literal["float32", "bfloat16"]


class Policy(NamedTuple):
    """Number formats of a network; what accumulates (parameters, gradients, averages, losses) is always float32.

    Attributes:
        compute: of activations and of the products inside the network (a module's `dtype`).
    """

    compute: DTypeLike = jnp.float32


def policy(precision: str) -> Policy:
    """The policy named `float32` or `bfloat16` (bfloat16 activations; everything that accumulates stays float32)."""
    policies = {"float32": Policy(), "bfloat16": Policy(compute=jnp.bfloat16)}
    if precision not in policies:
        raise UserError(f"precision must be one of {', '.join(policies)}, got {precision!r}.")
    return policies[precision]
