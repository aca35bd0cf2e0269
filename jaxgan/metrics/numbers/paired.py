"""How close images are to their right answers: the scores of translators, pair by pair.

L1 and PSNR count pixels, SSIM windows of 11 x 11 pixels (`image_quality`). All of them favour a blurred picture over a
sharp one that is wrong: read them beside a distance between distributions.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.image_quality import WINDOW, psnr, ssim

_WHITE = 255
_PART = 128  # images at a time
Images = UInt8[np.ndarray, "n h w c"] | UInt8[Array, "n h w c"]
Score = Callable[[Array, Array], dict[str, Array]]
Others = UInt8[np.ndarray, "_ _ _ _"] | UInt8[Array, "_ _ _ _"]


class Paired(NamedTuple):
    """A score of a made image and its right answer.

    Attributes:
        name: as reports spell it.
        better: which numbers are better.
        unit: of the number.
    """

    name: str
    better: Literal["lower", "higher"]
    unit: str


PAIRED = {
    "l1": Paired("L1", "lower", "mean absolute difference, black to white being 1"),
    "l1_levels": Paired("L1", "lower", "mean absolute difference in grey levels, 0 to 255"),
    "psnr": Paired("PSNR", "higher", "decibels"),
    "ssim": Paired("SSIM", "higher", "at most 1, which equal images have"),
}
"""Scores by key."""


def paired_scores(made: Images, truth: Others) -> dict[str, float]:
    """Means over all pairs, and what they are known to.

    Args:
        made: the images to score, 0..255.
        truth: the right answer of each.

    Returns:
        For every key of `PAIRED` the mean and, as `KEY_stderr`, its standard error over the pairs; without the errors
        where there is one pair, and without SSIM where a side is under 11 pixels.

    Raises:
        UserError: shapes that differ, or no images.
    """
    scores = {}
    for key, values in each_pair(made, truth).items():
        scores[key] = float(values.mean())
        if len(values) > 1:
            scores[f"{key}_stderr"] = float(values.std(ddof=1) / math.sqrt(len(values)))
    return scores


def each_pair(made: Images, truth: Others) -> dict[str, Float[np.ndarray, " n"]]:
    """The scores of every pair by key of `PAIRED`, without SSIM where a side is under 11 pixels.

    The PSNR of equal images, which is infinite, counts as that of images with one number one level apart, the closest
    that differ: means stay finite, and no pair overtakes an equal one.

    Args:
        made: the images to score, 0..255.
        truth: the right answer of each.

    Raises:
        UserError: shapes that differ, or no images.
    """
    if made.shape != truth.shape:
        raise UserError(f"images are compared one to one, got shapes {list(made.shape)} and {list(truth.shape)}.")
    if not len(made):
        raise UserError("paired scores take one pair of images or more, got none.")
    score = _with_ssim if min(made.shape[1:3]) >= WINDOW else _pixels
    parts = [_scored(score, made[i : i + _PART], truth[i : i + _PART]) for i in range(0, len(made), _PART)]
    return {key: np.concatenate([part[key] for part in parts]).astype(np.float64) for key in parts[0]}


def _scored(score: Score, made: Images, truth: Others) -> dict[str, np.ndarray]:
    # The last part is filled up with its first pair: one compiled program for all.
    rows = np.arange(_PART) % len(made) if len(made) < _PART else np.arange(_PART)
    values = score(jnp.asarray(made)[rows], jnp.asarray(truth)[rows])
    return {key: np.asarray(value)[: len(made)] for key, value in values.items()}


@jax.jit
def _pixels(made: Array, truth: Array) -> dict[str, Array]:
    difference = jnp.abs(made.astype(jnp.float32) - truth.astype(jnp.float32)).mean((1, 2, 3))
    closest = 10 * math.log10(_WHITE**2 * math.prod(made.shape[1:]))
    ratio = jnp.minimum(psnr(truth, made, data_range=_WHITE), closest)
    return {"l1": difference / _WHITE, "l1_levels": difference, "psnr": ratio}


@jax.jit
def _with_ssim(made: Array, truth: Array) -> dict[str, Array]:
    return {**_pixels(made, truth), "ssim": ssim(truth, made, data_range=_WHITE)}
