"""What a batch is to the discriminator: which fakes count, and how many images it judges at a time."""

from numbers import Integral

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from jaxgan.errors import UserError
from jaxgan.losses.checks import check_share
from jaxgan.losses.reduce import example_means


def top_k_weights(
    fake_logits: PyTree[Float[Array, "b ..."]], fraction: float | Float[Array, ""], axis_name: str | None = None
) -> Float[Array, " b"]:
    """Weights for G's losses: equal ones for the fakes that look most real, 0 for the others; their mean is 1.

    Of several losses an example `reduce.example_means` makes the one that is weighed.

    Sinha et al. 2020, "Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples"
    (arXiv:2002.06224). The paper lets k fall by a factor an epoch down to a floor; in a loss of G:

        fraction = jnp.maximum(0.5, 0.99 ** (vars["step"] // steps_per_epoch))

    Args:
        fake_logits: of the fakes; of several logits an example the mean counts. No gradient flows through the choice.
        fraction: k as a share of the batch, above 0 and at most 1; at least one fake is kept.
        axis_name: the mapped axis whose devices share the batch.

    Raises:
        UserError: a fraction that is no share.
    """
    check_share("fraction of the top k", fraction)
    own = lax.stop_gradient(example_means(fake_logits))
    everyone = own if axis_name is None else lax.all_gather(own, axis_name, tiled=True)
    k = jnp.clip(jnp.round(jnp.asarray(fraction) * everyone.size), 1, everyone.size)
    ranks = jnp.argsort(jnp.argsort(-everyone))
    weights = jnp.where(ranks < k, everyone.size / k, 0.0)
    return weights if axis_name is None else lax.dynamic_slice(weights, (_first_row(own, axis_name),), own.shape)


def pack(x: Float[Array, "b *s c"], m: int) -> Float[Array, "packs *s joined"]:
    """PacGAN: m neighbouring rows become one, their channels side by side, so that D judges m images together.

    Lin et al. 2018, "PacGAN: The Power of Two Samples in Generative Adversarial Networks" (arXiv:1712.04086), section
    3. Pack real images with real ones and fakes with fakes; D's first layer then sees m times as many channels.

    Args:
        x: images or points, channels last.
        m: images a pack.

    Returns:
        b / m packs, with m c channels: those of the first image, then those of the second, ...

    Raises:
        UserError: if m is no positive divisor of the number of rows.
    """
    if not isinstance(m, Integral) or m < 1 or x.shape[0] % m:
        raise UserError(f"packing takes a whole number that divides the {x.shape[0]} rows of a device, got {m}.")
    groups = jnp.moveaxis(x.reshape(-1, m, *x.shape[1:]), 1, -2)
    return groups.reshape(*groups.shape[:-2], -1)


def _first_row(own: Array, axis_name: str) -> Array:
    return lax.axis_index(axis_name) * own.shape[0]
