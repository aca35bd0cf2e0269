"""How a class label enters a network (Mirza and Osindero 2014, arXiv:1411.1784)."""

import jax
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError


def one_hot(label: Int[Array, "b"] | None, classes: int) -> Float[Array, "b classes"] | None:
    """The labels as one-hot rows, or None for a network without classes.

    Args:
        label: class numbers in [0, classes), or None when `classes` is 0.
        classes: how many classes the network was built for; 0 for an unconditional one.

    Returns:
        One row per example with a single 1, float32.

    Raises:
        UserError: if a network with classes gets no label, or one without classes gets some.
    """
    if (label is None) != (classes == 0):
        got = "no label" if label is None else "labels"
        raise UserError(
            f"A network built with classes={classes} got {got}; give labels exactly when classes is above 0."
        )
    return None if label is None else jax.nn.one_hot(label, classes)
