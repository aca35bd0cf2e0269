"""Sets that are there without a network, drawn from parameters or from the bundled clothes."""

from collections.abc import Callable

import numpy as np

from jaxgan import fields
from jaxgan.data import photographs
from jaxgan.data.settings import Settings
from jaxgan.data.source import ArraySource, Data, Table, digest, fingerprint, of_arrays
from jaxgan.errors import UserError
from jaxgan.fields import Needs
from jaxgan.made.furniture import furniture, furniture_spec
from jaxgan.made.outlines import chalk, negatives, outlines
from jaxgan.made.parts import PARTS, parts

Images = Callable[[], Data]
"""The bundled clothes, prepared as the user asked for."""

SHAPES = 4000  # of a furniture set


def fashion_outlines(images: Images) -> Data:
    """Pairs: drawings of clothes (`source`), and the clothes (`target`)."""
    clothes = images()
    target = _pixels(clothes)
    source = outlines(target)
    spec = {"source": fields.image(*source.shape[1:]), "target": clothes.spec["image"]}
    return of_arrays({"source": source, "target": target}, spec, "fashion_outlines", "outlines of the bundled clothes")


def fashion_parts(images: Images) -> Data:
    """Pairs: maps of the parts of clothes (`source`), and the clothes (`target`)."""
    clothes = images()
    target = _pixels(clothes)
    source = parts(target)
    spec = {"source": fields.Field("label_map", source.shape[1:], PARTS), "target": clothes.spec["image"]}
    return of_arrays({"source": source, "target": target}, spec, "fashion_parts", "parts of the bundled clothes")


def fashion_negatives(images: Images) -> Data:
    """Sets drawn apart: one half of the clothes (`a`), and negatives with outlines of the other half (`b`)."""
    return _apart(images, negatives, "fashion_negatives", "negatives of others with outlines")


def fashion_chalk(images: Images) -> Data:
    """Sets drawn apart: one half of the clothes (`a`), and chalk drawings of the other half (`b`)."""
    return _apart(images, chalk, "fashion_chalk", "chalk drawings of others")


def _apart(images: Images, drawn: Callable[[np.ndarray], np.ndarray], name: str, what: str) -> Data:
    """One half of the clothes (`a`), and what is made of each of the other half (`b`)."""
    pixels = _pixels(images())
    half = len(pixels) // 2
    halves = {"a": pixels[:half], "b": drawn(pixels[half:])}
    tables = tuple(
        Table(ArraySource({name: values}), {name: fields.image(*values.shape[1:])}) for name, values in halves.items()
    )
    spec = {name: field for table in tables for name, field in table.spec.items()}
    digests = (digest(table.source[i]) for table in tables for i in range(table.rows))
    note = f"{name}: {half:,} bundled clothes (a), and {len(pixels) - half:,} {what} (b)"
    return Data(tables, name, fingerprint(spec, {}, digests), note)


def furniture_of(side: int) -> Callable[[Images], Data]:
    """Chairs, stools and tables in cubes of so many voxels a side."""

    def make(images: Images) -> Data:
        del images
        made = furniture(0, SHAPES, side)
        arrays = {"voxels": made.voxels, "label": made.label}
        return of_arrays(arrays, furniture_spec(side), f"furniture_{side}", "drawn from parameters")

    return make


MADE: dict[str, Callable[[Images], Data]] = {
    "fashion_outlines": fashion_outlines,
    "fashion_parts": fashion_parts,
    "fashion_negatives": fashion_negatives,
    "fashion_chalk": fashion_chalk,
    **{f"furniture_{side}": furniture_of(side) for side in (16, 32, 64)},
}
"""Sets that are made, by name."""
PHOTOGRAPHS = "photographs"


def known(name: str) -> bool:
    """Whether a set goes by this name, which all that are bundled do, but the clothes themselves."""
    return name == PHOTOGRAPHS or name in MADE


def load(name: str, settings: Settings, images: Images, needs: Needs) -> Data:
    """Returns the bundled set `name`.

    Args:
      name: a `known` one.
      settings: what the user asked of images.
      images: the bundled clothes, so prepared.
      needs: the fields that are wanted, where the set has no fields of its own.

    Raises:
      UserError: an option for images, of shapes that are none.
    """
    if name.startswith("furniture_") and settings != Settings():
        raise UserError(
            f"--data {name} holds voxels, to which --image-size, --resize and --channels do not apply; "
            "furniture_16, furniture_32 and furniture_64 have other sides."
        )
    return photographs.load(name, settings, needs) if name == PHOTOGRAPHS else MADE[name](images)


def _pixels(data: Data) -> np.ndarray:
    source = data.table("image").source
    assert isinstance(source, ArraySource)
    return source.arrays["image"]
