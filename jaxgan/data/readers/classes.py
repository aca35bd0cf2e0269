"""Which class each file of a folder or zip has: a StyleGAN `dataset.json` says it, or else the sub-folders do."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from jaxgan.data.readers import files
from jaxgan.errors import UserError

LIST = "dataset.json"
"""StyleGAN's (T. Karras et al.): {"labels": [["00000/img00000000.png", 5], ...]}, or null for labels."""


def listing(tree: files.Tree, endings: Collection[str]) -> files.Listing:
    """Returns the files with these endings, and their classes.

    The list counts where there is one with "labels", even if they are null: folders beside it are shards. Its classes
    are those that occur. Else each first folder is a class, if there are two and every file lies in one.

    Raises:
      UserError: where the list cannot be read.
    """
    at = min((path for path in tree.paths if path.name == LIST), key=lambda path: len(path.parts), default=None)
    found = files.listing(tree.paths, endings)
    if at is None or not found.paths:
        return found
    content = _read(tree, at)
    if not isinstance(content, dict) or "labels" not in content:
        return found._replace(note=f"{at} has no labels of a form that is known, and is left out")
    return _labelled(found.paths, _pairs(content["labels"], tree.name, at), at)


def _read(tree: files.Tree, at: PurePosixPath) -> Any:
    try:
        with tree.open(at) as file:
            return json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"--data {tree.name}: {at} is not JSON that can be read: {error}.") from error


def _pairs(labels: Any, name: str, at: PurePosixPath) -> dict[PurePosixPath, Any]:
    """Returns {path: class} of the list."""
    pairs = labels.items() if isinstance(labels, dict) else labels or []
    try:
        return {at.parent / str(path).replace("\\", "/"): value for path, value in pairs}
    except (TypeError, ValueError) as error:
        raise UserError(f'--data {name}: the labels in {at} should be a list of ["picture.png", class].') from error


def _labelled(paths: Sequence[PurePosixPath], pairs: Mapping[PurePosixPath, Any], at: PurePosixPath) -> files.Listing:
    if not pairs:
        return files.Listing(tuple(paths), None, (), f"no labels in {at}")
    values = {path: pairs[path] for path in paths if pairs.get(path) is not None}
    missing = [str(path) for path in paths if path not in values]
    if missing:
        note = f"{at} lacks a label for {len(missing):,} of {len(paths):,} files ({files.first(missing)}): no labels"
        return files.Listing(tuple(paths), None, (), note)
    if not all(isinstance(value, int | str) for value in values.values()):
        return files.Listing(
            tuple(paths), None, (), f"{at} gives vectors or fractions, which are no classes: no labels"
        )
    names = files.in_order({str(value) for value in values.values()})
    if len(names) < 2:
        return files.Listing(tuple(paths), None, (), f"{at} has one class only: no labels")
    index = {name: label for label, name in enumerate(names)}
    return files.Listing(
        tuple(paths), tuple(index[str(values[path])] for path in paths), tuple(names), f"labels of {at}"
    )
