"""What the recipe of restoration makes of good pictures, for it to learn the way back."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxgan.augment import blur, noise
from jaxgan.augment.degrade import degraded
from jaxgan.augment.jpeg import compressed
from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.game import Derived

Damage: TypeAlias = Literal["denoise", "deblur", "colourise", "jpeg", "real"]
Range: TypeAlias = tuple[float, float]
Degrade: TypeAlias = Callable[[Key[Array, " b"], Float[Array, "b h w c"]], Float[Array, "b h w k"]]
"""`(a key for each, good pictures) -> bad ones`, both in [-1, 1]; each is made of its own picture and key alone."""
SENSOR = 2.0  # standard deviation of the noise in blurred pictures, of 255
_LEAST = {"noise": 0.0, "blur": 0.1, "quality": 1.0}
_MOST = {"noise": 255.0, "blur": blur.REACH / 2, "quality": 100.0}


def damage(kind: Damage, target: Field, noises: Range, blurs: Range, qualities: Range) -> Degrade:
    """What is done to pictures; how much is drawn for each between the ends of a range.

    Args:
        kind: noise; blur, with a little noise; grey in place of colours; JPEG; or all that Real-ESRGAN does.
        target: the good pictures.
        noises: standard deviations, of 255.
        blurs: standard deviations of round Gaussians, pixels.
        qualities: of JPEG.

    Raises:
        UserError: a range that is none, or pictures of which this cannot be made.
    """
    for name, ends in (("noise", noises), ("blur", blurs), ("quality", qualities)):
        if not _LEAST[name] <= ends[0] <= ends[1] <= _MOST[name]:
            low, high = _LEAST[name], _MOST[name]
            raise UserError(f"--{name} takes two numbers from {low:g} to {high:g}, the smaller first, got {ends}.")
    _check(kind, target)

    def denoise(key: Array, x: Array) -> Array:
        amount, drawn = jax.random.split(key)
        return noise.gaussian(drawn, x, _between(amount, noises) / 255)

    def deblur(key: Array, x: Array) -> Array:
        amount, drawn = jax.random.split(key)
        width = _between(amount, blurs)
        return noise.gaussian(drawn, blur.blurred(x, blur.gaussian(width, width)), SENSOR / 255)

    def colourise(key: Array, x: Array) -> Array:
        return noise.luminance(x)

    def jpeg(key: Array, x: Array) -> Array:
        return compressed(x, jnp.round(_between(key, qualities)))

    one = {"denoise": denoise, "deblur": deblur, "colourise": colourise, "jpeg": jpeg, "real": degraded}[kind]

    def all_of(keys: Array, y: Array) -> Array:
        made = 2 * jax.vmap(one)(keys, (y + 1) / 2) - 1
        return target.inside(target.outside(made))  # a file's 8 bits

    return all_of


def source_of(degrade: Degrade, target: Field, channels: int) -> Derived:
    """The bad pictures of rows of the data; what is drawn depends on the good picture alone."""

    @jax.jit
    def bad(stored: Array) -> Array:
        key = jax.random.key(stored.astype(jnp.int32).sum())
        return target.outside(degrade(key[None], target.inside(stored[None])))[0]

    field = target._replace(shape=(*target.shape[:-1], channels))
    return Derived(field, "target", lambda stored: np.asarray(bad(jnp.asarray(stored))))


def _check(kind: Damage, target: Field) -> None:
    height, width, channels = target.fixed
    if kind == "colourise" and channels != 3:
        raise UserError(f"--degradation colourise takes pictures with 3 channels, got {channels}.")
    if kind in ("jpeg", "real") and channels not in (1, 3):
        raise UserError(f"--degradation {kind} takes pictures with 1 or 3 channels, got {channels}.")
    if kind == "real" and min(height, width) < 16:
        raise UserError(f"--degradation real takes pictures of at least 16 pixels a side, got {height}x{width}.")


def _between(key: Array, ends: Range) -> Array:
    return jax.random.uniform(key, minval=ends[0], maxval=ends[1])
