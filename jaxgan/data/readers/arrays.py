"""The door that always works: an `.npz` whose arrays bear the fields' names; `.npy` and IDX files of one array."""

import zipfile
from pathlib import Path

import numpy as np

from jaxgan.data import source
from jaxgan.data.readers import columns, files, idx
from jaxgan.data.readers.columns import Column
from jaxgan.data.readers.wants import named, required, told
from jaxgan.data.settings import Settings
from jaxgan.errors import UserError
from jaxgan.fields import Needs

IMAGE_KEYS = ("images", "image", "x_train", "arr_0")
LABEL_KEYS = ("labels", "label", "y_train", "arr_1")
ALIASES = {"image": IMAGE_KEYS, "label": LABEL_KEYS}
TEST_KEYS = ("x_test", "y_test")
"""What Keras's files hold beside."""


def load_idx(path: Path, name: str, needs: Needs, settings: Settings) -> source.Data:
    """Returns the set in an IDX image file and the label file beside it; raises UserError if one is damaged."""
    images, labels = idx.read(path)
    image, label = named(needs, "image"), named(needs, "label")
    if image is None:
        raise UserError(f"--data {name} holds images; this recipe needs {told(needs)}.")
    found = {image: Column("image", images)}
    if label is not None and labels is not None:
        found |= columns.classes(label, labels, needs)
    return columns.assemble(found, name, settings)


def load_numpy(path: Path, name: str, needs: Needs, settings: Settings) -> source.Data:
    """Returns the set in an `.npz` file whose arrays `[n, ...]` bear the fields' names, or in an `.npy` of one field.

    An array `FIELD_names` of strings names the classes, `FIELD_rate` the samples or frames a second. With needs that
    are apart, arrays may have different lengths.

    Args:
      path: of the file.
      name: what the user asked for.
      needs: what the recipe takes.
      settings: size, resize, channels of images.

    Raises:
      UserError: if it is damaged, lacks an array, holds one that no field names, or one of another form or range.
    """
    arrays = _read(path, needs)
    keys = _assign(arrays, needs, path)
    left_out = _check_extra(arrays, keys, needs, path)
    found: dict[str, Column] = {}
    others = [len(arrays[key]) for field, key in keys.items() if arrays[key].ndim and needs.kinds(field) != ("label",)]
    total = None if needs.apart else next(iter(others), None)
    for field, key in keys.items():
        found |= columns.column(field, key, arrays, needs, path, total)
    if not needs.apart:
        _check_lengths(found, keys, path)
    return columns.assemble(found, name, settings, left_out, needs.apart)


def _read(path: Path, needs: Needs) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:  # NumPy leaves a file open that it cannot read
            loaded = np.load(file, allow_pickle=False)
            if not isinstance(loaded, np.ndarray):
                return dict(loaded)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not a NumPy file of plain arrays: {error}.") from error
    field = next(iter(required(needs)), "images")
    return {"images" if field == "image" else field: loaded}


def _assign(arrays: dict[str, np.ndarray], needs: Needs, path: Path) -> dict[str, str]:
    """Returns the array's name for each field."""
    keys = {}
    for field in needs.fields:
        found = [key for key in ALIASES.get(field, (field,)) if key in arrays]
        keys |= {field: found[0]} if found else {}
    missing = [field for field in required(needs) if field not in keys]
    if missing == required(needs) and len(missing) == len(arrays) == 1 and "image" not in needs.fields:
        return {missing[0]: next(iter(arrays))}  # one array for one field, whatever its name
    if missing == ["image"]:
        raise columns.no_images(arrays, path)
    if missing:
        raise UserError(f"{path} lacks arrays named {', '.join(missing)}: it holds {columns.forms(arrays)}.")
    return keys


def _check_extra(arrays: dict[str, np.ndarray], keys: dict[str, str], needs: Needs, path: Path) -> str:
    """Returns which arrays are left out, in words; UserError for one that no field names."""
    beside = {f"{field}_{each}" for field in keys for each in ("names", "rate")}
    rest = set(arrays) - set(keys.values()) - beside
    known = rest & {*IMAGE_KEYS, *LABEL_KEYS, *TEST_KEYS} if "image" in needs.fields else set()
    if unknown := sorted(rest - known):
        raise UserError(
            f"{path} holds {files.first(unknown)}, which no field is named like; this recipe takes {told(needs)}."
        )
    return f"{', '.join(sorted(known))} left out" if known else ""


def _check_lengths(found: dict[str, Column], keys: dict[str, str], path: Path) -> None:
    lengths = {keys[field]: len(each.array) for field, each in found.items()}
    if len(set(lengths.values())) > 1:
        told_lengths = ", ".join(f"{key} has {length:,}" for key, length in lengths.items())
        raise UserError(f"the arrays in {path} must have one length: {told_lengths} examples.")
