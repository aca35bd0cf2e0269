"""Mixtures of Gaussians in the plane: the ring and the grid on which mode collapse is studied, and how it is scored."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxgan.metrics.numbers.modes import class_modes, mixture_modes

MODES = {"ring": 8, "grid": 25}
"""The tasks, and how many modes each has."""

_ROOM = max(MODES.values())  # one program serves all tasks


class Task(NamedTuple):
    """A mixture, and how long and how fast it is learnt; arrays, so that one compiled program serves every task.

    Attributes:
        centres: `[25, 2]`; those from `modes` on are never drawn.
        modes: how many there are.
        sigma: standard deviation of each mode along each axis.
        steps: training steps.
        rate_g: learning rate of G.
        rate_d: learning rate of D.
    """

    centres: Any
    modes: Any
    sigma: Any
    steps: Any
    rate_g: Any
    rate_d: Any


class Score(NamedTuple):
    """How well samples cover a mixture.

    Attributes:
        covered: modes with a sample within three standard deviations.
        high_quality: share of samples within three standard deviations of a mode.
        reverse_kl: KL(samples || data) over modes, each sample counting for its nearest, in nats.
    """

    covered: float
    high_quality: float
    reverse_kl: float


def ring(steps: int = 2000, rate_g: float = 2e-2, rate_d: float = 1e-3) -> Task:
    """Eight modes of deviation 0.04 on a circle of radius 2 (Metz et al. 2017, whose deviation is 0.02)."""
    angles = np.arange(8) * np.pi / 4
    return _task(2 * np.stack([np.cos(angles), np.sin(angles)], 1), 0.04, steps, rate_g, rate_d)


def grid(steps: int = 2500, rate_g: float = 8e-3, rate_d: float = 2e-3) -> Task:
    """25 modes of deviation 0.1 at (-4, -2, 0, 2, 4)^2 (VEEGAN, Srivastava et al. 2017, whose deviation is 0.05)."""
    axis = np.arange(-4, 5, 2)
    return _task(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2), 0.1, steps, rate_g, rate_d)


def draw(task: Task, key: Key[Array, ""], n: int) -> Float[Array, "n 1 1 2"]:
    """Points of the mixture, as images of one pixel with two channels."""
    which, noise = jax.random.split(key)
    centres = jnp.asarray(task.centres)[jax.random.randint(which, (n,), 0, task.modes)]
    return (centres + task.sigma * jax.random.normal(noise, (n, 2)))[:, None, None]


def score(task: Task, samples: Float[np.ndarray, "n 2"]) -> Score:
    """The score of samples; those that are not finite count as far from every mode."""
    centres = np.asarray(task.centres)[: int(task.modes)]
    samples = np.nan_to_num(np.asarray(samples), nan=1e6, posinf=1e6, neginf=-1e6)
    found = mixture_modes(samples, centres, float(task.sigma))
    nearest = np.square(samples[:, None] - centres).sum(-1).argmin(1)
    return Score(found.covered, found.high_quality, class_modes(nearest, len(centres)).reverse_kl)


def _task(centres: np.ndarray, sigma: float, steps: int, rate_g: float, rate_d: float) -> Task:
    padded = np.zeros((_ROOM, 2), np.float32)
    padded[: len(centres)] = centres
    return Task(padded, len(centres), sigma, steps, rate_g, rate_d)
