"""A picture of one stored example of any kind of field."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxgan.fields import Field, Kind, Spec
from jaxgan.show import curves, spectra, text, views
from jaxgan.show.layout import TILE, beside, magnify
from jaxgan.show.palette import COLOURS, palette

STRIP = 8  # frames of a video that are shown


def tile(field: Field, example: Any) -> UInt8[np.ndarray, "h w c"]:
    """A picture of one stored example; c is 1 for grey, 3 for colour, and 4 only for an image that has alpha."""
    return TILES[field.kind](field, np.asarray(example))


def tiles(field: Field, batch: Any) -> list[UInt8[np.ndarray, "_ _ _"]]:
    """A picture of each example of a batch, stored [n, ...]."""
    return [tile(field, example) for example in np.asarray(batch)]


def examples(spec: Spec, batches: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, np.ndarray]]:
    """One example after the other of batches {name: stored [n, ...]}: the fields of the spec, in its order."""
    for batch in batches:
        arrays = {name: np.asarray(batch[name]) for name in spec}
        for rows in zip(*arrays.values(), strict=True):
            yield {name: np.asarray(row) for name, row in zip(spec, rows, strict=True)}


def _image(_: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w c"]:
    return example if example.shape[-1] in (1, 3, 4) else example[..., :1]


def _label_map(_: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    return palette()[example % COLOURS]


def _text(field: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w 1"]:
    return text.picture(text.words(field, example))


def _vector(_: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    return curves.picture(example)


def _wave(field: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w 1"]:
    return spectra.picture(example, field.rate)


def _video(field: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w c"]:
    shown = np.linspace(0, len(example) - 1, min(STRIP, len(example))).round().astype(int)
    return beside([magnify(_image(field, example[i]), TILE) for i in shown])


def _voxels(_: Field, example: np.ndarray) -> UInt8[np.ndarray, "h w 1"]:
    return views.picture(example)


TILES: dict[Kind, Callable[[Field, np.ndarray], np.ndarray]] = {
    "image": _image,
    "mask": _image,
    "video": _video,
    "voxels": _voxels,
    "label_map": _label_map,
    "label": _text,
    "code": _text,
    "tokens": _text,
    "wave": _wave,
    "vector": _vector,
    "number": _text,
}
"""One stored example of each kind -> uint8 [h, w, c]; a kind of field is seen as soon as it stands here."""
