"""Perceptual path length: how fast images change along lines between latents.

Karras, Laine and Aila 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks"
(arXiv:1812.04948), section 4.1:

    PPL = E[ d(G(interpolate(a, b; t)), G(interpolate(a, b; t + epsilon))) / epsilon^2 ]

over pairs of latents and positions t, d being a distance that grows with the square of a small change, as LPIPS does.
Images stay floating point: rounded to uint8 nothing changes along so short a step.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.errors import UserError

EPSILON = 1e-4
PERCENTILES = (1, 99)
_STRAIGHT = 1e-6  # sine of an angle
Latents: TypeAlias = Float[Array, "n d"] | Float[np.ndarray, "n d"]
OtherLatents: TypeAlias = Float[Array, "_ _"] | Float[np.ndarray, "_ _"]
Generate = Callable[[Array], Array]
"""Latents [b, d] to floating-point images [b, ...]."""
Distance = Callable[[Array, Array], Array]
"""Two batches of images to one distance a pair [b]."""
Space = Literal["z", "w"]
Sampling = Literal["full", "end"]


class PathLength(NamedTuple):
    """A perceptual path length; lower is smoother.

    Attributes:
        value: mean over the pairs kept.
        std: their standard deviation.
        kept: pairs that lie between the percentiles.
    """

    value: float
    std: float
    kept: int


def path_length(
    generate: Generate,
    distance: Distance,
    start: Latents,
    end: OtherLatents,
    *,
    space: Space = "z",
    sampling: Sampling = "full",
    epsilon: float = EPSILON,
    seed: int = 2020,
    batch_size: int = 16,
) -> PathLength:
    """The perceptual path length over pairs of latents; the paper takes 100,000 of them.

    Args:
        generate: the generator; for space "w" the part of it after the mapping network.
        distance: LPIPS, or any other squared distance of images.
        start: one latent of each pair: z, or w for space "w".
        end: the other one.
        space: "z" follows great circles, "w" straight lines.
        sampling: steps anywhere on the path ("full") or only from its start ("end").
        epsilon: length of a step.
        seed: of the positions on the paths.
        batch_size: pairs at a time.

    Returns:
        Mean and standard deviation without the pairs below the 1st and above the 99th percentile.

    Raises:
        UserError: pairs that do not match, an unknown option, or images that are not floating point.
    """
    lengths = path_lengths(
        generate,
        distance,
        start,
        end,
        space=space,
        sampling=sampling,
        epsilon=epsilon,
        seed=seed,
        batch_size=batch_size,
    )
    return without_outliers(lengths)


def path_lengths(
    generate: Generate,
    distance: Distance,
    start: Latents,
    end: OtherLatents,
    *,
    space: Space = "z",
    sampling: Sampling = "full",
    epsilon: float = EPSILON,
    seed: int = 2020,
    batch_size: int = 16,
) -> Float[np.ndarray, " n"]:
    """The length at every pair, distance / epsilon^2; arguments and errors as for `path_length`."""
    _check(start, end, space, sampling)
    interpolate = slerp if space == "z" else lerp
    t = jax.random.uniform(jax.random.key(seed), (len(start),)) if sampling == "full" else jnp.zeros(len(start))

    @jax.jit
    def measure(a: Array, b: Array, t: Array) -> Array:
        before, after = (_images(generate, interpolate(a, b, at)) for at in (t, t + epsilon))
        return distance(before, after) / epsilon**2

    a, b = jnp.asarray(start), jnp.asarray(end)
    parts = [slice(first, first + batch_size) for first in range(0, len(start), batch_size)]
    return np.concatenate([np.asarray(measure(a[part], b[part], t[part])) for part in parts])


def without_outliers(lengths: Float[np.ndarray, " n"]) -> PathLength:
    """Mean and standard deviation of the lengths from the 1st to the 99th percentile, which themselves count."""
    low = np.percentile(lengths, PERCENTILES[0], method="lower")
    high = np.percentile(lengths, PERCENTILES[1], method="higher")
    kept = np.asarray(lengths, np.float64)[(lengths >= low) & (lengths <= high)]
    return PathLength(float(kept.mean()), float(kept.std()), len(kept))


def lerp(a: Latents, b: OtherLatents, t: Float[Array, " n"]) -> Float[Array, "n d"]:
    """The point at t in 0..1 on the straight line from a to b, row by row."""
    a, b = jnp.asarray(a), jnp.asarray(b)
    return a + t[:, None] * (b - a)


def slerp(a: Latents, b: OtherLatents, t: Float[Array, " n"]) -> Float[Array, "n d"]:
    """The point at t in 0..1 on the arc from a to b, row by row (Shoemake 1985, "Animating Rotation with Quaternions").

    On the sphere for latents of one length; the length changes from that of a to that of b else. Latents in one
    direction, or in opposite ones, have no arc of their own and are joined by a line.
    """
    a, b, t = jnp.asarray(a), jnp.asarray(b), t[:, None]
    unit_a, unit_b = (x / jnp.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    # Of the half chords, not the arc cosine of a product, which loses small angles in float32.
    apart, along = (jnp.linalg.norm(x, axis=1, keepdims=True) for x in (unit_a - unit_b, unit_a + unit_b))
    angle = 2 * jnp.arctan2(apart, along)
    bent = jnp.sin(angle) > _STRAIGHT
    sine = jnp.where(bent, jnp.sin(angle), 1)
    arc = jnp.sin((1 - t) * angle) / sine * a + jnp.sin(t * angle) / sine * b
    return jnp.where(bent, arc, a + t * (b - a))


def _images(generate: Generate, latents: Array) -> Array:
    images = generate(latents)
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise UserError(f"path lengths take floating-point images, which show so short steps, not {images.dtype}.")
    return images


def _check(start: Any, end: Any, space: str, sampling: str) -> None:
    if start.shape != end.shape or len(start) == 0:
        raise UserError(f"path lengths take pairs of latents, got {list(start.shape)} and {list(end.shape)}.")
    for name, value, known in (("space", space, get_args(Space)), ("sampling", sampling, get_args(Sampling))):
        if value not in known:
            raise UserError(f"{name} is {' or '.join(known)}, got {value!r}.")
