"""Which features of a TFDS set are which fields, and how they are decoded."""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from jaxgan import fields
from jaxgan.data.decode import decode
from jaxgan.data.encoded import Encoded
from jaxgan.data.readers.wants import LOOKS, pictures
from jaxgan.data.settings import Fit, Header, Settings, agree_all
from jaxgan.data.source import Example
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError, first_of
from jaxgan.fields import Field, Kind, Needs

PART = 1024
"""Examples that are looked at for their classes before it is asked whether all have been seen."""
SHOWN = 10
LARGEST_CLASSES = 256
"""Of a label map whose feature does not say how many there are: its numbers are bytes."""


class Feature(NamedTuple):
    """A feature that is taken as a field.

    Attributes:
      key: its name in the set.
      kind: of the field.
      shape: of its pictures.
      names: of its values; of a label, of the classes that occur.
      numbers: which numbers these classes have in the set; None where the number is the place of the name.
    """

    key: str
    kind: Kind
    shape: tuple[int | None, ...] = ()
    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] | None = None


def first(features: Any, kind: type) -> str | None:
    """Returns the first top-level feature of exactly this kind (a segmentation mask is a sub-kind of image)."""
    return next((key for key, feature in dict(features).items() if type(feature) is kind), None)


def _as(feature: Any, kinds: tuple[str, ...]) -> Kind | None:
    """Returns which of the kinds a feature gives, None for none."""
    able: tuple[Kind, ...] = ()
    if isinstance(feature, tfds.features.LabeledImage):
        able = ("label_map", "mask")
    elif isinstance(feature, tfds.features.Image) and feature.np_dtype != np.float32:
        shape: Any = feature.shape
        grey = shape[-1] == 1
        able = ("image", "mask", "label_map") if grey else ("image",)
    elif isinstance(feature, tfds.features.ClassLabel):
        able = ("label",)
    return next((kind for kind in able if kind in kinds), None)


def choose(features: Any, needs: Needs, name: str) -> dict[str, Feature]:
    """Returns the feature of each field: that of the field's name, else the first image and the first class label.

    Args:
      features: of the set.
      needs: what the recipe takes.
      name: of the set.

    Raises:
      UserError: where a field has no feature, or one of another kind.
    """
    known = dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}
    chosen: dict[str, Feature] = {}
    for field in needs.fields:
        key = field if field in known else _default(known, field, needs)
        if key is None and needs.optional(field):
            continue
        found = _feature(known, key, field, needs, name)
        if found.kind != "label" or len(found.names) > 1 or not needs.optional(field):
            chosen[field] = found
    return chosen


def _default(known: Mapping[str, Any], field: str, needs: Needs) -> str | None:
    """Returns the feature of a field that none is named like."""
    if "label" in needs.kinds(field):
        return first(known, tfds.features.ClassLabel)
    alone = pictures(needs) == [field] and "image" in needs.kinds(field)
    return first(known, tfds.features.Image) if alone else None


def _feature(known: Mapping[str, Any], key: str | None, field: str, needs: Needs, name: str) -> Feature:
    kinds = needs.kinds(field)
    kind = None if key is None else _as(known[key], kinds)
    if key is not None and kind is not None:
        feature = known[key]
        return Feature(key, kind, tuple(feature.shape), _value_names(feature, kind))
    if field == "image":
        raise UserError(f"--data {name} is a TFDS data set without 8-bit images.")
    if key is not None and isinstance(known[key], tfds.features.Text):
        raise UserError(f"--data {name}: its feature {key} is text, which is not read from TFDS; write an .npz.")
    has = ", ".join(f"{each} ({type(feature).__name__})" for each, feature in known.items())
    raise UserError(f"--data {name} has no feature that is {field} ({' or '.join(kinds)}); it has {has or 'none'}.")


def _value_names(feature: Any, kind: Kind) -> tuple[str, ...]:
    if kind == "label":
        return tuple(feature.names)
    if kind != "label_map":
        return ()
    count = getattr(feature, "num_classes", None) or LARGEST_CLASSES
    try:
        return tuple(feature.names)
    except (AttributeError, ValueError, TypeError):  # of a number of classes alone TFDS may know no names
        return tuple(str(value) for value in range(count))


def present(opened: Any, chosen: Mapping[str, Feature], needs: Needs) -> tuple[dict[str, Feature], str]:
    """Returns the features with labels of only those classes that occur in a split, and what is to be said of that.

    Examples are looked at in an order by chance, until all classes have been seen.

    Args:
      opened: the split.
      chosen: its features.
      needs: what the recipe takes; labels of one class are left out where it can do without.
    """
    found, notes = dict(chosen), []
    for field, one in chosen.items():
        numbers = _numbers(opened, one) if one.kind == "label" else ()
        if numbers and len(numbers) < len(one.names):
            absent = [name for number, name in enumerate(one.names) if number not in numbers]
            notes.append(f"no {field} is {first_of(absent, SHOWN)}")
            found[field] = one._replace(names=tuple(one.names[number] for number in numbers), numbers=numbers)
        if len(numbers) == 1 and needs.optional(field):
            del found[field]
    return found, "; ".join(notes)


def _numbers(opened: Any, feature: Feature) -> tuple[int, ...]:
    """Returns the classes that occur, in increasing order; a number below 0 is none."""
    order, seen = np.random.default_rng(0).permutation(len(opened)), set[int]()
    for start in range(0, len(order), PART):
        rows = order[start : start + PART]
        labels = in_threads(lambda i, rows=rows: int(opened[int(rows[i])][feature.key]), len(rows))
        seen.update(label for label in labels if label >= 0)
        if len(seen) == len(feature.names):
            break
    return tuple(sorted(seen))


def targets(chosen: Mapping[str, Feature], settings: Settings) -> tuple[dict[str, Fit], str]:
    """Returns the shape of each field's pictures, all of one size, and what to tell people about it."""
    looks = {field: one for field, one in chosen.items() if one.kind in LOOKS}
    known = all(one.shape[0] and one.shape[1] for one in looks.values())
    headers = {field: [_header(one)] if known else [] for field, one in looks.items()}
    kinds: dict = {field: one.kind for field, one in looks.items()}
    fits, note = agree_all(headers, kinds, settings)
    if settings.channels is None:  # what the set declares, known or not
        grey = {field: 1 if looks[field].shape[2] == 1 or looks[field].kind != "image" else 3 for field in fits}
        fits = {field: fit._replace(channels=grey[field]) for field, fit in fits.items()}
    return fits, note


def _header(feature: Feature) -> Header:
    height, width, channels = feature.shape
    return Header(height or 1, width or 1, channels == 1)


def encoded(opened: Any, chosen: Mapping[str, Feature], fits: Mapping[str, Fit]) -> Encoded:
    """Returns the examples of an opened split, still encoded."""

    def read(index: int) -> Example:
        record = opened[index]
        return {field: _value(record[one.key], one, fits.get(field)) for field, one in chosen.items()}

    spec = {field: _field(one, fits.get(field)) for field, one in chosen.items()}
    return Encoded([f"image {row}" for row in range(len(opened))], read, spec)


def _field(feature: Feature, fit: Fit | None) -> Field:
    return fields.label(feature.names) if fit is None else fit.field(feature.names)


def _value(value: Any, feature: Feature, fit: Fit | None) -> Any:
    if fit is not None:
        with io.BytesIO(value) as file:
            stored = decode(file, fit)
        if fit.kind == "label_map" and stored.max(initial=0) >= len(feature.names):
            raise UserError(f"{feature.key} holds class {stored.max()}, and there are {len(feature.names)}")
        return stored
    if int(value) < 0:
        raise UserError("it has no label: TFDS gives -1; choose another split")
    return np.int32(value if feature.numbers is None else feature.numbers.index(int(value)))
