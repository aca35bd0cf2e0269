"""Arrays of pictures whose axes are in another order, or are those of one picture."""

import numpy as np

from jaxgan.fields import Kind

DEEPEST = 4
"""Channels of an image: grey, grey and alpha, RGB, RGBA."""


def laid_out(kind: Kind | None, array: np.ndarray) -> tuple[np.ndarray, str]:
    """Returns pictures with their channels last, and one picture as a set of one; and what was done, in words.

    Axes are only moved where there is one reading: of [10, 3, 32, 32] the second is of colours, [32, 32, 3] is one
    picture. [3, 32, 32] are three grey ones, and that is said.
    """
    form = list(array.shape)
    if kind == "image" and array.ndim == 3 and array.shape[-1] in (3, DEEPEST) and min(array.shape[:2]) > DEEPEST:
        return array[None], f"{form} taken as one picture in colour"
    if kind == "image" and array.ndim == 3 and array.shape[0] == 3 and min(array.shape[1:]) > DEEPEST:
        return array, f"{form} taken as three grey pictures, not as one in colour"
    rank = {"image": 4, "mask": 4, "video": 5}.get(kind or "")
    if array.ndim == rank and array.shape[-3] <= DEEPEST < min(array.shape[-2:]):
        axes = "n, t, c, h, w" if rank == 5 else "n, c, h, w"
        return np.moveaxis(array, -3, -1), f"{form} taken as [{axes}]"
    return array, ""
