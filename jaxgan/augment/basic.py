"""Flips and shifts, which leave an image as likely as it was: the augmentation of consistency regularisation.

Zhang et al. 2020, "Consistency Regularization for Generative Adversarial Networks" (arXiv:1910.12027), section 3. Both
are differentiable with respect to the images.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.fields import Kind, Spec

MIRRORED: dict[Kind, int] = {"image": -2, "mask": -2, "label_map": -1, "video": -2}
"""The axis from left to right, of the kinds that have one."""


def mirror(rng: Key[Array, " b"], spec: Spec, batch: Mapping[str, Array]) -> dict[str, Array]:
    """Each example as it is or mirrored left to right, with equal chances: all of its pictures together.

    Args:
        rng: one key an example.
        spec: the fields; those whose kind has no left and right stay as they are.
        batch: {name: stored [b, ...]}.
    """
    mirrored = jax.vmap(jax.random.bernoulli)(rng)
    turned = dict(batch)
    for name, field in spec.items():
        if field.kind in MIRRORED:
            chosen = mirrored.reshape(-1, *(1,) * len(field.shape))
            turned[name] = jnp.where(chosen, jnp.flip(batch[name], MIRRORED[field.kind]), batch[name])
    return turned


def flip(rng: Key[Array, " b"], x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Each image as it is or mirrored left to right, with equal chances."""
    mirrored = jax.vmap(jax.random.bernoulli)(rng)
    return jnp.where(mirrored[:, None, None, None], x[:, :, ::-1], x)


def shift(rng: Key[Array, " b"], x: Float[Array, "b h w c"], pixels: int) -> Float[Array, "b h w c"]:
    """Each image moved by up to `pixels` down or up and right or left, what comes in being mirrored at the edge.

    Args:
        rng: one key an example.
        x: images.
        pixels: the largest distance; every whole number from -pixels to pixels is as likely on either axis.

    Raises:
        UserError: a negative distance, or one for which the image has not enough pixels to mirror.
    """
    if not 0 <= pixels < min(x.shape[1:3]):
        raise UserError(
            f"a shift of {x.shape[1]}x{x.shape[2]} images takes 0 to {min(x.shape[1:3]) - 1} pixels, got {pixels}."
        )
    edges = ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0))
    starts = jax.vmap(lambda key: jax.random.randint(key, (2,), 0, 2 * pixels + 1))(rng)

    def cut(image: Array, start: Array) -> Array:
        return jax.lax.dynamic_slice(image, (start[0], start[1], 0), x.shape[1:])

    return jax.vmap(cut)(jnp.pad(x, edges, mode="reflect"), starts)
