"""Input that no metric can use, in one sentence; shapes only, so that every check works under `jit` too."""

import numpy as np

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.types import FakeFeatures, Features, RealFeatures


def check_rows(features: Features, what: str, least: int) -> None:
    """Raise UserError where fewer than `least` images are there; `what` names the metric."""
    if features.shape[0] < least:
        raise UserError(f"{what} takes at least {least} images on each side, got {features.shape[0]}.")


def check_pair(real: RealFeatures, fake: FakeFeatures, what: str, least: int = 2) -> None:
    """Raise UserError where a side has fewer than `least` images; `what` names the metric."""
    check_rows(real, what, least)
    check_rows(fake, what, least)


def check_finite(features: np.ndarray, name: str) -> None:
    """Raise UserError where features that are out of the device have NaN or infinity; `name` says of which images."""
    broken = int(np.sum(~np.isfinite(features).all(axis=tuple(range(1, features.ndim)))))
    if broken:
        raise UserError(f"the features of {broken} of {len(features)} images of {name} are not finite numbers.")
