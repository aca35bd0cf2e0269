"""A metric within each class, for generators that are told the class."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.types import FakeFeatures, RealFeatures

RealLabels: TypeAlias = Int[Array, " real"] | Int[np.ndarray, " real"]
FakeLabels: TypeAlias = Int[Array, " fake"] | Int[np.ndarray, " fake"]


class IntraClass(NamedTuple):
    """A metric within classes.

    Attributes:
        mean: over classes, each with the same weight.
        classes: labels, in increasing order.
        values: the metric of each class.
    """

    mean: float
    classes: Int[np.ndarray, " classes"]
    values: Float[np.ndarray, " classes"]


def intra_class(
    distance: Callable[[RealFeatures, FakeFeatures], float],
    real: RealFeatures,
    real_labels: RealLabels,
    fake: FakeFeatures,
    fake_labels: FakeLabels,
) -> IntraClass:
    """Mean over classes of a distance between the reals and the fakes of one class.

    With the Fréchet distance it is intra-FID (Miyato and Koyama 2018, arXiv 1802.05637): a generator that
    makes one good image of each class has a good distance over all classes and a bad one within them.

    Args:
        distance: of real and fake features, such as `lambda real, fake: frechet_distance(real, fake).value`.
        real: features of images of the data.
        real_labels: their classes.
        fake: features of generated images.
        fake_labels: the classes that the generator was told.

    Returns:
        Mean, classes and values; better as the distance is.

    Raises:
        UserError: a class has images on one side only.
    """
    of_real, of_fake = np.asarray(real_labels), np.asarray(fake_labels)
    classes = np.unique(of_real)
    lonely = np.setxor1d(classes, of_fake)
    if len(lonely):
        raise UserError(f"each class must have images on both sides, got classes on one side only: {lonely.tolist()}.")
    values = np.array([float(distance(real[of_real == c], fake[of_fake == c])) for c in classes], float)
    return IntraClass(float(values.mean()), classes, values)
