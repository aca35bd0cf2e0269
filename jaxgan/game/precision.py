"""Which number format is used where."""

from typing import Literal, TypeAlias, get_args

import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxgan.errors import UserError

Precision: TypeAlias = Literal["float32", "bfloat16"]


def dtype_of(precision: str) -> DTypeLike:
    """The `dtype` of a network's modules: of activations and of the products inside.

    What accumulates (parameters, gradients, averages, losses) is float32 whatever the precision.

    Args:
        precision: `float32` or `bfloat16`.

    Raises:
        UserError: another name.
    """
    if precision not in get_args(Precision):
        raise UserError(f"precision must be one of {', '.join(get_args(Precision))}, got {precision!r}.")
    return {"float32": jnp.float32, "bfloat16": jnp.bfloat16}[precision]
