"""Images of several sizes: each by itself to the size that an extractor takes, as clean-FID does it.

Parmar, Zhang and Zhu 2022 (arXiv:2104.11222): every file is resized alone, in floating point and without rounding, so
that a folder need not have one size.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32

from jaxgan.data import Data, some_rows
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError
from jaxgan.metrics.seen_by.features import BATCH, Extractor, count_of
from jaxgan.metrics.seen_by.resize import one_clean, one_legacy

OWN = ("legacy", "clean")
"""Ways to resize that are the extractor's own protocol, which speaks of single images."""


def mixed(data: Data, name: str) -> bool:
    """Whether the examples of a field have several sizes."""
    return None in data.table(name).spec[name].shape


def size_of(extractor: Extractor) -> tuple[int, int]:
    """Height and width that each image is brought to; UserError where the extractor does not say what it takes."""
    if extractor.size is None:
        raise UserError(f"{extractor.name} does not say which size it takes; --image-size brings the images to one.")
    return extractor.size


def words_of(extractor: Extractor) -> str:
    """What is done to each image before the extractor sees it; "" where that is what the extractor itself would do."""
    height, width = size_of(extractor)
    return "" if extractor.resize in OWN else f"each clean to {height}x{width}"


def examples_of(
    data: Data, name: str, extractor: Extractor, limit: int | None = None, size: int = BATCH
) -> Iterator[dict[str, np.ndarray]]:
    """Batches of images of any sizes at the extractor's size, with labels where there are any.

    Args:
        data: has the field.
        name: of images.
        extractor: what will see them.
        limit: at most so many, as `data.some_rows` draws them.
        size: of a batch.

    Yields:
        {name: float32 [b, height, width, c] on the scale 0..255, "label": int32 [b]}.
    """
    table, rows = data.table(name), some_rows(data.table(name).rows, count_of(data, name, limit))
    names = [each for each in (name, "label") if each in table.spec]
    for start in range(0, len(rows), size):
        part = rows[start : start + size]

        def one(i: int, part: np.ndarray = part) -> dict[str, Any]:
            example = table.source[int(part[i])]
            return {**example, name: _resized(np.asarray(example[name]), extractor)}

        examples = in_threads(one, len(part))
        yield {each: np.stack([example[each] for example in examples]) for each in names}


def _resized(image: np.ndarray, extractor: Extractor) -> Float32[np.ndarray, "h w c"]:
    way = one_legacy if extractor.resize == "legacy" else one_clean
    return way(image, *size_of(extractor))
