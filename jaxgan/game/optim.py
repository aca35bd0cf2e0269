"""Optimisers of the players.

Two time scales (TTUR, Heusel et al. 2017) are two entries of the dictionary that the step takes:
`{"g": adam(1e-4), "d": adam(4e-4)}`.
"""

import optax

from jaxgan.errors import UserError


def adam(
    learning_rate: optax.ScalarOrSchedule,
    b1: float = 0.5,
    b2: float = 0.999,
    eps: float = 1e-8,
    lazy_every: int | None = None,
) -> optax.GradientTransformation:
    """Adam with the momentum that GANs use (Radford et al. 2015: b1 = 0.5).

    Args:
        learning_rate: a number, or a schedule of the training step.
        b1: decay of the first moment, per training step.
        b2: decay of the second moment, per training step.
        eps: added to the root of the second moment.
        lazy_every: set it to k when this player also moves in a round with `every=k`. The player then makes k + 1
            updates in k steps, so the rate is multiplied by c = k / (k + 1) and the betas are raised to the power c,
            which keeps rate and averaging time per training step what they were (Karras et al. 2020, StyleGAN2,
            appendix B).
    """
    _check(learning_rate, b1, b2, lazy_every)
    if lazy_every is None:
        return optax.adam(learning_rate, b1, b2, eps)
    c = lazy_every / (lazy_every + 1)
    if callable(learning_rate):
        schedule = learning_rate
        return optax.adam(lambda updates: c * schedule(updates * c), b1**c, b2**c, eps)
    return optax.adam(c * learning_rate, b1**c, b2**c, eps)


def _check(learning_rate: optax.ScalarOrSchedule, b1: float, b2: float, lazy_every: int | None) -> None:
    if not callable(learning_rate) and not learning_rate > 0:
        raise UserError(f"a learning rate must be above 0, got {learning_rate}.")
    for name, beta in {"b1": b1, "b2": b2}.items():
        if not 0 <= beta < 1:
            raise UserError(f"{name} must be at least 0 and below 1, got {beta}.")
    if lazy_every is not None and lazy_every < 1:
        raise UserError(f"lazy_every must be at least 1 step, got {lazy_every}.")
