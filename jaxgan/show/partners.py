"""What a translator is given beside each picture: files that an option names, or the picture's transparent pixels."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.data.readers.files import extensions
from jaxgan.errors import UserError, flag
from jaxgan.fields import Field, Spec
from jaxgan.show import from_user, pictures

PICTURES = ("image", "mask", "label_map")  # kinds that a file of pixels can fill
HALF = 128  # of a mask's 255, from which on a pixel is in the hole


def beside(given: Spec) -> dict[str, Field]:
    """The fields that a verb is given besides its first one."""
    return dict(list(given.items())[1:])


def fits(given: Spec) -> bool:
    """Whether picture files fill all that a verb is given."""
    return bool(given) and all(field.kind in PICTURES for field in given.values())


def check(given: Spec, said: Mapping[str, Path], others: Iterable[str]) -> None:
    """Raise UserError for what a verb does not take, lacks, or what does not exist.

    Args:
        given: the fields of the verb.
        said: files or folders, by field.
        others: fields that are not pictures of the verb, but of another one.
    """
    wanted = beside(given)
    if strange := [name for name in said if name not in wanted]:
        takes = ", ".join(map(flag, wanted)) or f"no option of {', '.join(map(flag, others))}"
        raise UserError(f"this verb takes {takes}; got {flag(strange[0])}.")
    if missing := [flag(name) for name, field in wanted.items() if name not in said and field.kind != "mask"]:
        raise UserError(f"this verb takes {' and '.join(missing)} too: a file, or a folder of them.")
    for name, path in said.items():
        if not path.exists():
            raise UserError(f"{flag(name)} takes a file or a folder of them, but {path} does not exist.")


def read(
    given: Spec, file: Path, said: Mapping[str, Path], root: Path, seen: pictures.Seen
) -> tuple[dict[str, np.ndarray], pictures.Picture]:
    """All that a verb is given for one picture, as it is stored; and the picture, for what goes around the network.

    A mask that nobody names is 255 where the picture is not quite opaque; the picture is opaque then.

    Args:
        given: the fields, the picture's first.
        file: the picture.
        said: files (for every picture) or folders (with a file of its name for each), by field.
        root: the folder that the picture's name begins at.
        seen: of `pictures.looked`, at this picture and those with it.

    Raises:
        UserError: what is missing, of another size, or a mask without a hole or without known pixels.
    """
    first, *_ = given
    picture = pictures.read("IN", given[first], file, seen)
    stored = {first: picture.stored}
    for name, field in beside(given).items():
        if name in said:
            path = _partner(name, said[name], file, root)
            stored[name] = from_user.READ[field.kind](flag(name), field, str(path))
        else:
            path, stored[name] = file, _transparent(name, picture, file)
            picture = picture._replace(alpha=None)
        _check(name, field, path, stored[name], file, picture.stored)
    return stored, picture


def _partner(name: str, said: Path, file: Path, root: Path) -> Path:
    """The file for this picture."""
    if not said.is_dir():
        return said
    place = (said / file.relative_to(root)).with_suffix("")
    endings = {*extensions(), ".npy"}
    found = sorted(
        path
        for path in (place.parent.iterdir() if place.parent.is_dir() else ())
        if path.stem == place.name and path.suffix.lower() in endings
    )
    if len(found) != 1:
        has = f"{len(found)} files" if found else "none"
        raise UserError(f"{flag(name)} takes a folder with one file for each picture, but {said} has {has} for {file}.")
    return found[0]


def _transparent(name: str, picture: pictures.Picture, file: Path) -> np.ndarray:
    if picture.alpha is None:
        raise UserError(
            f"{flag(name)} takes a file or a folder of them, unless pictures have transparent pixels; {file} has none."
        )
    return np.where(picture.alpha < 255, 255, 0).astype(np.uint8)[..., None]


def _check(name: str, field: Field, path: Path, stored: np.ndarray, file: Path, picture: Any) -> None:
    if stored.shape[:2] != picture.shape[:2] and None in field.shape:
        sizes = [f"{each.shape[1]} x {each.shape[0]}" for each in (stored, picture)]
        raise UserError(f"{flag(name)} {path} has {sizes[0]} pixels, but {file} has {sizes[1]}.")
    if field.kind == "mask":
        hole = stored >= HALF
        if not hole.any():
            raise UserError(f"{flag(name)} {path} has no hole: none of its pixels has {HALF} of 255, or more.")
        if hole.all():
            raise UserError(f"{flag(name)} {path} leaves nothing known: all of its pixels have {HALF} of 255, or more.")
