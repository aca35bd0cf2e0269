"""One program for many games: the adversarial loss is chosen by an array, so that `vmap` runs them all side by side."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.losses import adversarial
from jaxgan.losses.adversarial import AdversarialLoss

LOSSES = (
    "minimax",
    "non_saturating",
    "lsgan",
    "wasserstein",
    "hinge",
    "ra_non_saturating",
    "rp_non_saturating",
)


def chosen_loss(index: Int[Array, ""] | int) -> AdversarialLoss:
    """The game `LOSSES[index]`; its `g` always takes `(fake_logits, real_logits)`.

    All losses are elementwise in the logits (the relativistic average needs one mean more), so computing all of them
    and keeping one costs next to nothing beside the networks, and the gradients of the others are exact zeros.
    """
    games = [adversarial.named(name) for name in LOSSES]

    def d(real: Array, fake: Array) -> Array:
        return _pick(index, [game.d(real, fake) for game in games])

    def g(fake: Array, real: Array) -> Array:
        return _pick(index, [game.g(fake, real) if game.relative else game.g(fake) for game in games])

    return AdversarialLoss(d, g, high=None, relative=True, boundary=None)


def _pick(index: Int[Array, ""] | int, losses: list[Array]) -> Float[Array, " b"]:
    one_hot = jax.nn.one_hot(index, len(losses))
    # A sum with weights 0 and 1 would turn an overflowing neighbour into NaN; a selection does not.
    return jnp.sum(jnp.where(one_hot[:, None] > 0, jnp.stack(losses), 0.0), 0)
