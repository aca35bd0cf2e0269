"""DiffAugment: changes to whatever a discriminator sees, through which the generator is taught.

Zhao, Liu, Lin, Zhu and Han 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv:2006.10738),
section 3.2 and equations 2 and 3: D judges T(x) and T(G(z)), in its own move and in the generator's. T is
differentiable with respect to the image. With few images D cannot learn them by heart, and what G makes is not changed.

Every image has draws of its own, by its key. There is no clipping: colours may leave [-1, 1].
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

_SHIFT = 1 / 8  # of a side, the most that a picture moves
_HOLE = 1 / 2  # of a side

OneImage = Callable[[Array, Array], Array]
"""`(key, [h, w, c]) -> [h, w, c]`."""


def colour(rng: Key[Array, "b"], x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Brightness, then saturation, then contrast of each image, changed at random.

    With u uniform, anew each time: x + u(-1/2, 1/2); then x scaled about each pixel's mean over channels by u(0, 2);
    then about the image's mean by u(1/2, 3/2).

    Args:
        rng: one key an image.
        x: images, black being -1 and white 1.
    """

    def one(key: Array, x: Array) -> Array:
        brightness, saturation, contrast = jax.random.uniform(key, (3,), x.dtype)
        x = x + (brightness - 0.5)
        x = _about(x.mean(-1, keepdims=True), x, 2 * saturation)
        return _about(x.mean(), x, contrast + 0.5)

    return jax.vmap(one)(rng, x)


def translation(rng: Key[Array, "b"], x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Each image moved by up to an eighth of its sides, rounded, zeros moving in.

    Args:
        rng: one key an image.
        x: images.
    """

    def one(key: Array, x: Array) -> Array:
        # Products with shifted identities: gradients of every order are products too.
        rows, columns = (_shift(key, side, x.dtype) for key, side in zip(jax.random.split(key), x.shape[:2]))
        exact = jax.lax.Precision.HIGHEST
        return jnp.einsum("yi,ijc,xj->yxc", rows, x, columns, precision=exact)

    return jax.vmap(one)(rng, x)


def cutout(rng: Key[Array, "b"], x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """A rectangle of half the sides set to 0 in each image, its centre anywhere, cut off at the edges.

    Args:
        rng: one key an image.
        x: images.
    """

    def one(key: Array, x: Array) -> Array:
        def inside(key: Array, side: int) -> Array:
            size = int(side * _HOLE + 0.5)
            # A hole of even size has its centre between two pixels, of which there is one place more.
            first = jax.random.randint(key, (), 0, side + 1 - size % 2) - size // 2
            return (jnp.arange(side) >= first) & (jnp.arange(side) < first + size)

        down, right = jax.random.split(key)
        hole = inside(down, x.shape[0])[:, None, None] & inside(right, x.shape[1])[:, None]
        return jnp.where(hole, 0, x)

    return jax.vmap(one)(rng, x)


def diffaugment(rng: Key[Array, "b"], x: Float[Array, "b h w c"], conditions: int = 0) -> Float[Array, "b h w c"]:
    """Colour, translation and cutout, one after the other: the paper's policy for few images.

    Args:
        rng: one key an image.
        x: images.
        conditions: so many of the first channels are what the picture belongs to (a map, a source): they move with it
            and are cut with it, and keep their colours.
    """
    keys = jax.vmap(lambda key: jax.random.split(key, 3), out_axes=1)(rng)
    x = jnp.concatenate([x[..., :conditions], colour(keys[0], x[..., conditions:])], -1)
    return cutout(keys[2], translation(keys[1], x))


def _about(centre: Array, x: Array, factor: Array) -> Array:
    return (x - centre) * factor + centre


def _shift(key: Array, side: int, dtype: jnp.dtype) -> Array:
    """The matrix that moves an axis by a random whole number of pixels."""
    most = int(side * _SHIFT + 0.5)
    by = jax.random.randint(key, (), -most, most + 1)
    places = jnp.arange(side)
    return (places[None, :] == places[:, None] + by).astype(dtype)
