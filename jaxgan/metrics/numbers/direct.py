"""Numbers of examples themselves, not of their features: pairs with their right answers, and sets of shapes."""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from jaxgan.errors import UserError
from jaxgan.fields import Kind
from jaxgan.metrics.numbers import paired, shapes

COMPARED = 300  # shapes of each side: the numbers depend on how many there are


class Number(NamedTuple):
    """A measured number.

    Attributes:
        name: as reports spell it.
        value: the number.
        better: which numbers are better.
        stderr: its standard error, or None.
        about: what it is, in a few words.
    """

    name: str
    value: float
    better: Literal["lower", "higher", "neither"]
    stderr: float | None = None
    about: str = ""


Measure: TypeAlias = Callable[[np.ndarray, np.ndarray], list[Number]]
"""`(real, made) -> numbers`, of stored examples `[n, ...]`."""


def of_images(truth: np.ndarray, made: np.ndarray) -> list[Number]:
    """L1, PSNR and SSIM of each made image and its right answer, on average."""
    found = paired.paired_scores(made, truth)
    return [
        Number(each.name, found[key], each.better, found.get(f"{key}_stderr"), each.unit)
        for key, each in paired.PAIRED.items()
        if key in found and key != "l1_levels"
    ]


def of_numbers(truth: np.ndarray, made: np.ndarray) -> list[Number]:
    """Mean absolute difference of vectors and numbers."""
    errors = np.abs(made.astype(np.float64) - truth).reshape(len(made), -1).mean(1)
    return [Number("L1", float(errors.mean()), "lower", float(errors.std() / np.sqrt(len(errors))))]


def of_shapes(real: np.ndarray, made: np.ndarray) -> list[Number]:
    """1-NN accuracy with both halves, coverage, matching distance and others, of up to `COMPARED` shapes a side."""
    n = min(COMPARED, len(real), len(made))
    if n < 2:
        raise UserError(f"sets of shapes take 2 shapes or more a side, got {len(real)} and {len(made)}.")
    a, b = (shapes.occupied(values[:n] / np.float32(255)) for values in (real, made))
    nearest, matched = shapes.one_nearest(a, b), shapes.matching(a, b)
    halves = f"real {float(nearest.real):.3f}, made {float(nearest.fake):.3f}; 0.5 is perfect, {n} shapes a side"
    return [
        Number("1-NNA", float(nearest.mean), "lower", None, halves),
        Number(
            "coverage", float(matched.coverage), "higher", None, "share of real shapes that some made one is nearest to"
        ),
        Number("MMD", float(matched.distance), "lower", None, "voxels between a real shape and the nearest made one"),
        Number("distinct", float(shapes.distinct(b)), "higher", None, f"different shapes of {n}"),
        Number(
            "undecided", float(shapes.undecided(made[:n] / np.float32(255))), "lower", None, "voxels from 0.2 to 0.8"
        ),
        Number("JSD", float(shapes.divergence(a * 1.0, b * 1.0)), "lower", None, "bits, of mean occupancies"),
    ]


PAIRED: dict[Kind, Measure] = {"image": of_images, "mask": of_images, "vector": of_numbers, "number": of_numbers}
"""Numbers of a made field whose right answer is known, by its kind."""
SETS: dict[Kind, Measure] = {"voxels": of_shapes}
"""Numbers of two sets, by their kind."""


def told(number: Number) -> str:
    """A line for people."""
    words = {"lower": "lower is better", "higher": "higher is better", "neither": ""}[number.better]
    error = "" if number.stderr is None else f" +- {number.stderr:.2g}"
    about = f" ({number.about})" if number.about else ""
    return f"  {number.name:<12} {f'{number.value:.4g}{error}':<34} {words}{about}"
