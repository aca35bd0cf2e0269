"""Examples that turn into each other, as a picture that moves."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from jaxgan.errors import UserError
from jaxgan.fields import Field, Spec
from jaxgan.show.files import FILES
from jaxgan.show.layout import TILE, magnify
from jaxgan.show.sets import Batches
from jaxgan.show.sheets import columns_of, compare, grid
from jaxgan.show.tiles import examples, tile


def fits(out: Path, spec: Spec) -> bool:
    """Whether the path asks for a moving picture of examples that do not move themselves."""
    return out.suffix.lower() == ".gif" and all(field.kind != "video" for field in spec.values())


def write_morph(out: Path, spec: Spec, batches: Batches, steps: int) -> None:
    """Write a GIF whose frames show all ways at once, from their first examples to their last and back.

    Args:
        out: the file.
        spec: the fields that are shown.
        batches: {name: stored [n, ...]}, way after way.
        steps: examples of a way.

    Raises:
        UserError: a place that cannot be written to.
    """
    made = list(examples(spec, batches))
    frames = [_frame(spec, made[i::steps]) for i in range(steps)]
    film = np.stack([*frames, *frames[-2:0:-1]])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        FILES["video"].write(out, Field("video", film.shape[1:]), film)
    except OSError as error:
        raise UserError(f"--out {out} cannot be written: {error.strerror or error}.") from error


def _frame(spec: Spec, made: list[dict[str, np.ndarray]]) -> UInt8[np.ndarray, "h w c"]:
    """One example of each way."""
    if len(spec) > 1:
        return compare({"": (spec, {name: np.stack([each[name] for each in made]) for name in spec})})
    ((name, field),) = spec.items()
    return grid([magnify(tile(field, each[name]), TILE) for each in made], columns_of(len(made), 0))
