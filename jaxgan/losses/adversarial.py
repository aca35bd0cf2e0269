r"""The objectives of the two players, from logits.

With l the logit of D, log D = -softplus(-l) and log(1 - D) = -softplus(l): no logarithm of a sigmoid is ever taken.
Every function is elementwise: logits of any shape in, losses of that shape out.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jaxtyping import Array, Float

Logits = Float[Array, "..."]


class AdversarialLoss(NamedTuple):
    """A game's two objectives, each to be minimised by its player.

    Attributes:
        d: `(real_logits, fake_logits) -> loss` of the discriminator; real and fake logits are paired by position.
        g: `(fake_logits) -> loss` of the generator.
    """

    d: Callable[[Logits, Logits], Logits]
    g: Callable[[Logits], Logits]


def binary_cross_entropy(real_logits: Float[Array, "*s"], fake_logits: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """Discriminator's loss -log D(x) - log(1 - D(G(z))) (Goodfellow et al. 2014, equation 1, negated)."""
    return jax.nn.softplus(-real_logits) + jax.nn.softplus(fake_logits)


def saturating(fake_logits: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """Generator's loss log(1 - D(G(z))) of the min-max game (Goodfellow et al. 2014, equation 1).

    Its gradient with respect to the logit is -D(G(z)): it vanishes where the discriminator is sure.
    """
    return -jax.nn.softplus(fake_logits)


def non_saturating(fake_logits: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """Generator's loss -log D(G(z)) (Goodfellow et al. 2014, section 3).

    The same fixed point as the min-max game; its gradient with respect to the logit is D(G(z)) - 1.
    """
    return jax.nn.softplus(-fake_logits)


def value(real_logits: Float[Array, "*s"], fake_logits: Float[Array, "*s"]) -> Float[Array, "*s"]:
    """Value V(D, G) = log D(x) + log(1 - D(G(z))), whose mean D maximises and G minimises; -log 4 where D = 1/2."""
    return -binary_cross_entropy(real_logits, fake_logits)


minimax = AdversarialLoss(d=binary_cross_entropy, g=saturating)
"""The min-max game: a zero-sum game up to the terms without the generator."""

non_saturating_gan = AdversarialLoss(d=binary_cross_entropy, g=non_saturating)
"""The game that Goodfellow et al. (2014) train in practice."""


def scoreboard(real_logits: Float[Array, "..."], fake_logits: Float[Array, "..."]) -> dict[str, Float[Array, ""]]:
    """What to watch in every game: means of D(x), of D(G(z)) and of the value V(D, G)."""
    return {
        "d_real": jax.nn.sigmoid(real_logits).mean(),
        "d_fake": jax.nn.sigmoid(fake_logits).mean(),
        "value": value(real_logits, fake_logits).mean(),
    }
