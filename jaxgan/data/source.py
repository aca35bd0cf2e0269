"""What a loaded data set is, whatever it was loaded from."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int32, UInt8

from jaxgan.data.settings import Fit

Example = dict[str, Any]
"""{"image": uint8 [H, W, C], "label": np.int32}; "label" only when the set has labels."""


@runtime_checkable
class ImageSource(Protocol):
    """Random access to decoded examples; safe to call from several threads."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Example: ...


class ImageData(NamedTuple):
    """A set of uint8 images of one shape, ready for training.

    Attributes:
      source: `source[i]` is {"image": uint8 [H, W, C], "label": np.int32} ("label" only if labelled).
      image_shape: (height, width, channels).
      class_names: one name per label value; () when unlabelled.
      name: what the user asked for.
      fingerprint: sha256 hex digest of the pixels, labels and preprocessing; no path or time enters it.
      description: one line for people.
    """

    source: ImageSource
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    name: str
    fingerprint: str
    description: str


class ArraySource(NamedTuple):
    """Examples that lie decoded in memory."""

    images: UInt8[np.ndarray, "n h w c"]
    labels: Int32[np.ndarray, "n"] | None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | np.ndarray) -> Example:  # type: ignore[override]
        example: Example = {"image": self.images[index]}
        return example if self.labels is None else example | {"label": self.labels[index]}


def gather(source: ImageSource, rows: Int32[np.ndarray, "b"]) -> dict[str, np.ndarray]:
    """Returns the examples of these rows as one batch {"image": uint8 [B, H, W, C], "label": int32 [B]}."""
    if isinstance(source, ArraySource):
        return source[rows]
    examples = [source[int(row)] for row in rows]
    return {key: np.stack([example[key] for example in examples]) for key in examples[0]}


def nbytes(data: ImageData) -> int:
    """Returns the size of all images as uint8, in bytes."""
    height, width, channels = data.image_shape
    return len(data.source) * height * width * channels


def digest(example: Example) -> bytes:
    """Returns the sha256 of one example's pixels and label."""
    label = np.int32(example.get("label", -1)).astype("<i4").tobytes()
    return hashlib.sha256(np.ascontiguousarray(example["image"]).tobytes() + label).digest()


def fingerprint(settings: dict[str, Any], digests: Iterable[bytes]) -> str:
    """Returns the sha256 hex digest of the settings and the examples' digests, in order."""
    total = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for one in digests:
        total.update(one)
    return total.hexdigest()


def describe(name: str, size: int, image_shape: tuple[int, int, int], class_names: tuple[str, ...], note: str) -> str:
    """Returns the line that tells a person what was loaded."""
    height, width, channels = image_shape
    classes = f"{len(class_names)} classes" if len(class_names) > 1 else "no labels"
    images = "1 image" if size == 1 else f"{size:,} images"
    return f"{name}: {images} {height}x{width}x{channels}, {classes}" + (f"; {note}" if note else "")


def image_data(
    examples: ImageSource, target: Fit, class_names: tuple[str, ...], name: str, note: str, digests: Iterable[bytes]
) -> ImageData:
    """Returns the `ImageData` of examples that have the target's shape.

    Args:
      examples: at least one.
      target: their shape, and how they were brought to it.
      class_names: one per label value; () when unlabelled.
      name: what the user asked for.
      note: ends the description.
      digests: of the examples, in order.
    """
    settings = {**target._asdict(), "class_names": class_names}
    return ImageData(
        source=examples,
        image_shape=target.shape,
        class_names=class_names,
        name=name,
        fingerprint=fingerprint(settings, digests),
        description=describe(name, len(examples), target.shape, class_names, note),
    )
