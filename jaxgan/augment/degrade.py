"""Pictures made worse twice over, as those from the net are: blurred, resized, noisy, compressed, and that again.

Real-ESRGAN (Wang et al. 2021, arXiv:2107.10833), sections 3.1 to 3.3, with the chances and ranges of its authors. They
draw most choices once for a batch, and mix batches in a pool; here each picture has its own. Pictures have black 0 and
white 1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from jaxgan.augment import blur, noise
from jaxgan.augment.canvas import MODES, Canvas, canvas, clamped, mirrored, resized
from jaxgan.augment.jpeg import compressed, rounded

Scalar = Float[Array, ""]
KERNELS = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
"""Chances of round and of oblong Gaussians, generalised ones, plateaus."""
RINGING = 0.1  # chance of a low-pass filter in place of those
RINGING_AT_THE_END = 0.8
REACHES = (3, blur.REACH)  # of kernels, pixels
GREY = 0.4  # chance of noise that is the same in all channels
QUALITIES = (30.0, 95.0)
_OF_255 = 255.0
_POINT = np.pad(np.ones((1, 1), np.float32), blur.REACH)


class Stage(NamedTuple):
    """One of the two times.

    Attributes:
        blurred: chance of blur.
        deviations: of kernels, pixels.
        resizes: chances of enlarging, shrinking and neither.
        factors: of the original size.
        noises: standard deviations of Gaussian noise, of 255, which every other picture has.
        lights: scales of Poisson noise, which the rest has.
    """

    blurred: float
    deviations: tuple[float, float]
    resizes: tuple[float, float, float]
    factors: tuple[float, float]
    noises: tuple[float, float]
    lights: tuple[float, float]


FIRST = Stage(1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1.0, 30.0), (0.05, 3.0))
SECOND = Stage(0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1.0, 25.0), (0.05, 2.5))


def degraded(key: Key[Array, ""], x: Float[Array, "h w c"]) -> Float[Array, "h w c"]:
    """A picture made worse twice over, of the same size, in 8 bits.

    Args:
        key: of all choices and of the noise.
        x: in colour or grey, of 14 pixels a side or more.
    """
    first, second, last = jax.random.split(key, 3)
    room = [int(np.ceil(side * FIRST.factors[1])) for side in x.shape[:2]]
    middle = _stage(FIRST, first, canvas(x, *room), x.shape[:2])
    middle = middle._replace(pixels=_compressed(jax.random.fold_in(first, 1), middle))
    return _ended(last, _stage(SECOND, second, middle, x.shape[:2]), x.shape[:2])


def _stage(stage: Stage, key: Key[Array, ""], x: Canvas, original: Sequence[int]) -> Canvas:
    """Blur, another size, noise."""
    blurs, kernel, sizes, noises = jax.random.split(key, 4)
    soft = blur.filtered(mirrored(x, blur.REACH), drawn_kernel(kernel, stage.deviations))
    x = x._replace(pixels=jnp.where(jax.random.bernoulli(blurs, stage.blurred), soft, x.pixels))
    x = resized(x, drawn_size(stage, sizes, original), _mode(jax.random.fold_in(sizes, 1)))
    return x._replace(pixels=jnp.clip(_noisy(stage, noises, x), 0, 1))


def _ended(key: Key[Array, ""], x: Canvas, original: Sequence[int]) -> Float[Array, "h w c"]:
    """The original size with ringing, and compression before or after that."""
    order, mode, ringing, cut, quality = jax.random.split(key, 5)
    ring = jnp.where(jax.random.bernoulli(ringing, RINGING_AT_THE_END), drawn_sinc(cut, np.pi / 3), _POINT)

    def sized(x: Canvas) -> Canvas:
        x = resized(x, jnp.array(original, jnp.int32), _mode(mode))
        return x._replace(pixels=jnp.clip(blur.filtered(mirrored(x, blur.REACH), ring), 0, 1))

    before = sized(x._replace(pixels=_compressed(quality, x))).pixels
    after = _compressed(quality, sized(x))
    made = jnp.where(jax.random.bernoulli(order), after, before)[: original[0], : original[1]]
    return rounded(made * _OF_255) / _OF_255


def drawn_kernel(key: Key[Array, ""], deviations: tuple[float, float]) -> blur.Kernel:
    """A kernel of a size, a form and a width of its own."""
    kind, reach, turn, sizes, power, ringing, cut = jax.random.split(key, 7)
    form = jax.random.choice(kind, len(KERNELS), p=np.array(KERNELS))
    wide, high = jax.random.uniform(sizes, (2,), minval=deviations[0], maxval=deviations[1])
    oblong = form % 2 == 1
    shape = (wide, jnp.where(oblong, high, wide), _between(turn, (-np.pi, np.pi)) * oblong)
    general = blur.gaussian(*shape, jnp.where(form < 2, 1.0, _power(power, 0.5, 4.0)))
    bell = jnp.where(form < 4, general, blur.plateau(*shape, _power(power, 1.0, 2.0)))
    bell = blur.within(bell, _reach(reach))
    return jnp.where(jax.random.bernoulli(ringing, RINGING), drawn_sinc(cut, None), bell)


def drawn_sinc(key: Key[Array, ""], lowest: float | None) -> blur.Kernel:
    """A low-pass filter; its lowest frequency is pi / 3 for small kernels and pi / 5 for others where none is given."""
    size, cutoff = jax.random.split(key)
    reach = _reach(size)
    low = jnp.where(reach < 6, np.pi / 3, np.pi / 5) if lowest is None else lowest
    return blur.sinc(jax.random.uniform(cutoff, minval=low, maxval=np.pi), reach)


def drawn_size(stage: Stage, key: Key[Array, ""], original: Sequence[int]) -> Int[Array, "2"]:
    """Height and width of the next picture: the original's times a factor."""
    kind, up, down = jax.random.split(key, 3)
    low, high = stage.factors
    factors = jnp.stack([_between(up, (1.0, high)), _between(down, (low, 1.0)), jnp.ones(())])
    factor = factors[jax.random.choice(kind, 3, p=np.array(stage.resizes))]
    return jnp.maximum(jnp.floor(jnp.array(original) * factor), 2).astype(jnp.int32)


def _noisy(stage: Stage, key: Key[Array, ""], x: Canvas) -> Float[Array, "H W c"]:
    kind, grey, amount, drawn = jax.random.split(key, 4)
    same = jax.random.bernoulli(grey, GREY)
    bell = noise.gaussian(drawn, x.pixels, _between(amount, stage.noises) / _OF_255, same)
    counted = noise.poisson(drawn, x.pixels, _between(amount, stage.lights), same)
    return jnp.where(jax.random.bernoulli(kind), bell, counted)


def _compressed(key: Key[Array, ""], x: Canvas) -> Float[Array, "H W c"]:
    return compressed(clamped(x), jnp.round(_between(key, QUALITIES)))


def _mode(key: Key[Array, ""]) -> Int[Array, ""]:
    return jax.random.randint(key, (), 0, len(MODES))


def _reach(key: Key[Array, ""]) -> Int[Array, ""]:
    return jax.random.randint(key, (), REACHES[0], REACHES[1] + 1)


def _power(key: Key[Array, ""], low: float, high: float) -> Scalar:
    """Below 1 as often as above."""
    side, place = jax.random.split(key)
    return jnp.where(jax.random.bernoulli(side), _between(place, (low, 1.0)), _between(place, (1.0, high)))


def _between(key: Key[Array, ""], ends: tuple[float, float]) -> Scalar:
    return jax.random.uniform(key, minval=ends[0], maxval=ends[1])
