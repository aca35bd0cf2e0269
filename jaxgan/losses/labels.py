"""Labels that are wrong on purpose, so that a discriminator is never quite sure."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from jaxgan.losses.adversarial import Logits
from jaxgan.losses.checks import check_keys, check_probability, check_same_shape
from jaxgan.losses.reduce import arrays


def exchange_labels(
    rng: Key[Array, " b"], real_logits: Logits, fake_logits: Logits, probability: float | Array
) -> tuple[Logits, Logits]:
    """Noisy labels: each pair of a real and a fake image changes its labels with this probability.

    Every label is then wrong with that probability, as in the advice of Chintala et al. 2016 ("How to train a GAN",
    section 6); give the result to `AdversarialLoss.d`.

    Args:
        rng: one key an example.
        real_logits: arrays `[b, ...]`.
        fake_logits: of the same shapes.
        probability: from 0 to 1/2.

    Raises:
        UserError: another probability, logits of different shapes, or not one key an example.
    """
    check_probability("label noise", probability, 0.5)
    check_same_shape("real and fake logits", real_logits, fake_logits)
    for logits in arrays(real_logits):
        check_keys(rng, logits)
    swap = jax.vmap(lambda key: jax.random.bernoulli(key, probability))(rng)

    def choose(yes: Array, no: Array) -> Array:
        return jnp.where(swap.reshape(-1, *(1,) * (yes.ndim - 1)), yes, no)

    return jax.tree.map(choose, fake_logits, real_logits), jax.tree.map(choose, real_logits, fake_logits)
