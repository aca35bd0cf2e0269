"""Finds convolutions that are not this package's in a traced function: on a CPU, loops run their gradients slowly.

XLA's CPU backend gives a convolution to Eigen in one layout only, and transposes others into it nowhere but in the
entry computation (see `conv_forms`): within a loop the gradients of `flax.linen.Conv` run as naive loops, 13 to 40
times slower as measured. The layers of this package are written out for that.
"""

from collections.abc import Iterator
from typing import Any

from jax.extend.core import ClosedJaxpr, Jaxpr  # pyright: ignore[reportPrivateImportUsage] (public, says JAX)

from jaxgan.layers.conv.forms import SCOPE

_LOOPS = ("scan", "while")


def plain_convolutions(jaxpr: ClosedJaxpr | Jaxpr) -> int:
    """Convolutions within loops of a traced function that do not come from the layers of this package.

    Args:
        jaxpr: of the function, as `jax.make_jaxpr` or `jax.jit(f).trace(...).jaxpr` gives it, gradients and all.

    Returns:
        The number of `conv_general_dilated` equations in bodies of `lax.scan`, `lax.fori_loop`, `lax.map` and
        `lax.while_loop`, at any depth. Each is counted once, however often its loop runs.
    """
    return _count(jaxpr, looped=False)


def _count(jaxpr: Any, looped: bool) -> int:
    found = 0
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        # Each gradient of a layer is one of its maps again, traced in the scope of its own; see `conv_forms`.
        if SCOPE in str(equation.source_info.name_stack):
            continue
        name = equation.primitive.name
        found += looped and name == "conv_general_dilated"
        found += sum(_count(inner, looped or name in _LOOPS) for inner in _inner(equation.params.values()))
    return found


def _inner(values: Any) -> Iterator[Any]:
    """The functions among an equation's parameters, also those in tuples (the branches of `lax.cond`)."""
    for value in values:
        if isinstance(value, ClosedJaxpr | Jaxpr):
            yield value
        elif isinstance(value, tuple | list):
            yield from _inner(value)
