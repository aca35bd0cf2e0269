"""What the losses refuse, in one sentence. Numbers that are traced cannot be looked at and pass."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array

from jaxgan.errors import UserError


def check_at_least_zero(name: str, value: Any) -> None:
    """Raise a UserError for a number below 0 or not finite; None passes."""
    if not _hidden(value) and not 0 <= value < math.inf:
        raise UserError(f"{name} must be at least 0 and finite, got {value}.")


def check_decay(decay: Any) -> None:
    """Raise a UserError for a decay of a moving average outside [0, 1)."""
    if not _hidden(decay) and not 0 <= decay < 1:
        raise UserError(f"decay must be at least 0 and below 1, got {decay}.")


def check_share(name: str, value: Any) -> None:
    """Raise a UserError for a number that is not above 0 and at most 1."""
    if not _hidden(value) and not 0 < value <= 1:
        raise UserError(f"{name} must be above 0 and at most 1, got {value}.")


def check_probability(name: str, value: Any, highest: float) -> None:
    """Raise a UserError for a number outside [0, highest]."""
    if not _hidden(value) and not 0 <= value <= highest:
        raise UserError(f"{name} takes a probability from 0 to {highest}, got {value}.")


def check_same_shape(names: str, *trees: Any) -> None:
    """Raise a UserError where pytrees that are compared number by number differ in structure or in shapes.

    Broadcasting would compare each number of `[b]` with each of `[b, 1]`, and say nothing.
    """
    forms = [(jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]) for tree in trees]
    if any(form != forms[0] for form in forms[1:]):
        got = " and ".join(str(jax.tree.map(jnp.shape, tree)) for tree in trees)
        raise UserError(f"{names} must have the same shape, got {got}.")


def check_array(name: str, x: Any) -> None:
    """Raise a UserError for a tuple, or another pytree, in place of one array of examples."""
    if not hasattr(x, "astype"):
        raise UserError(
            f"{name} takes one array of examples, got a {type(x).__name__}; of a critic of pairs hold one fixed: "
            "r1(lambda x: critic((x, z)), x)."
        )


def check_keys(rng: Any, x: Array) -> None:
    """Raise a UserError unless there is a key for each example of x."""
    if jnp.shape(rng)[:1] != x.shape[:1]:
        got = "one key" if not jnp.ndim(rng) else f"{len(rng)}"
        raise UserError(f"rng takes one key an example, {len(x)} here, got {got}; jax.random.split makes them.")


def _hidden(value: Any) -> bool:
    return value is None or isinstance(value, Tracer)
