"""How many modes of a known distribution a generator reaches: of a mixture of Gaussians, or classes of images."""

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError

WITHIN = 3.0  # standard deviations
Samples: TypeAlias = Float[Array, "n d"] | Float[np.ndarray, "n d"]
Centres: TypeAlias = Float[Array, "modes _"] | Float[np.ndarray, "modes _"]
Predicted: TypeAlias = Int[Array, " n"] | Int[np.ndarray, " n"]
Probabilities: TypeAlias = Float[Array, "_"] | Float[np.ndarray, "_"]


class MixtureModes(NamedTuple):
    """How samples lie around the centres of a mixture.

    Attributes:
        covered: modes with at least one sample near; higher is better, at most all of them.
        high_quality: share of the samples that are near a mode, 0 to 1; higher is better. Samples of the mixture itself
            reach 1 - exp(-9/2) = 0.989 in two dimensions.
        counts: samples near each mode.
    """

    covered: int
    high_quality: float
    counts: Int[np.ndarray, " modes"]


class ClassModes(NamedTuple):
    """How samples spread over classes.

    Attributes:
        covered: classes with at least one sample; higher is better.
        reverse_kl: KL(samples || target) in nats; lower is better, at least 0. n samples of the target itself give
            about (modes - 1) / (2 n).
        counts: samples of each class.
    """

    covered: int
    reverse_kl: float
    counts: Int[np.ndarray, " modes"]


def mixture_modes(samples: Samples, centres: Centres, sigma: float, within: float = WITHIN) -> MixtureModes:
    """Modes covered and share of high-quality samples: rings and grids of Gaussians.

    Metz, Poole, Pfau and Sohl-Dickstein 2017 (arXiv:1611.02163) and Srivastava et al. 2017, VEEGAN (arXiv:1705.07761):
    a sample is near a mode within three standard deviations of its centre.

    Args:
        samples: generated points.
        centres: of the modes.
        sigma: standard deviation of each mode along each axis.
        within: standard deviations that are near.

    Raises:
        UserError: no samples, or points and centres of different dimension.
    """
    if len(samples) == 0 or samples.shape[1] != centres.shape[1]:
        raise UserError(
            f"modes are counted over samples of their dimension, got {list(samples.shape)} samples "
            f"and {list(centres.shape)} centres."
        )
    counts, near_any = _near(jnp.asarray(samples), jnp.asarray(centres), within * sigma)
    counts = np.asarray(counts)
    return MixtureModes(int((counts > 0).sum()), float(near_any) / len(samples), counts)


def class_modes(predicted: Predicted, modes: int, target: Probabilities | None = None) -> ClassModes:
    """Modes covered and reverse Kullback-Leibler divergence of classified samples.

    For stacked MNIST (Metz et al. 2017; protocol of Lin, Khetan, Fanti and Oh 2018, PacGAN, arXiv:1712.04086): 26,000
    samples, each colour channel classified, `joint` of the three digits among 1000 modes.

    Args:
        predicted: the class of each generated sample.
        modes: number of classes.
        target: their probabilities in the data; equal ones unless given.

    Returns:
        The KL is infinite where samples are of a class that the target excludes.

    Raises:
        UserError: no samples, classes out of range, or a target that is no distribution over the modes.
    """
    labels = np.asarray(predicted)
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= modes:
        got = f"{labels.min()} to {labels.max()}" if len(labels) else "no sample"
        raise UserError(f"{modes} modes take samples of classes 0 to {modes - 1}, got {got}.")
    p = np.full(modes, 1 / modes) if target is None else np.asarray(target, np.float64)
    if p.shape != (modes,) or (p < 0).any() or not np.isclose(p.sum(), 1, atol=1e-4):
        raise UserError(f"a target over {modes} modes is as many probabilities that sum to one.")
    counts = np.bincount(labels, minlength=modes)
    q, seen = counts / len(labels), counts > 0
    with np.errstate(divide="ignore"):
        divergence = float(np.sum(q[seen] * np.log(q[seen] / p[seen])))
    return ClassModes(int(seen.sum()), max(divergence, 0.0), counts)


def joint(predicted: Int[Array, "n parts"] | Int[np.ndarray, "n parts"], classes: int) -> Int[np.ndarray, " n"]:
    """One class from the classes of an image's parts: three digits a, b, c to 100 a + 10 b + c.

    Args:
        predicted: the class of each part of each image.
        classes: of a part.

    Raises:
        UserError: classes out of range.
    """
    parts = np.asarray(predicted)
    if parts.size and (parts.min() < 0 or parts.max() >= classes):
        raise UserError(f"parts of {classes} classes are 0 to {classes - 1}, got {parts.min()} to {parts.max()}.")
    return parts @ classes ** np.arange(parts.shape[1])[::-1]


@jax.jit
def _near(samples: Array, centres: Array, radius: Array | float) -> tuple[Int[Array, " modes"], Int[Array, ""]]:
    """Samples within the radius of each centre, and of any; one centre at a time, differences squared, not expanded."""

    def one(any_yet: Array, centre: Array) -> tuple[Array, Array]:
        near = jnp.square(samples - centre).sum(1) <= radius**2
        return any_yet | near, near.sum()

    any_yet, counts = jax.lax.scan(one, jnp.zeros(len(samples), bool), centres)
    return counts, any_yet.sum()
