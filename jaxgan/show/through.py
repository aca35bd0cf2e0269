"""A user's pictures through a trained translator: whole or in tiles, and small again for a sheet."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from jaxgan.data.settings import Header
from jaxgan.fields import Field, planes
from jaxgan.game import GameState, Verb
from jaxgan.show import tiled
from jaxgan.show.pictures import eight_bit
from jaxgan.show.sampling import PIXELS, compiled_finely
from jaxgan.show.tiles import tiles

SHOWN = 256  # pixels of a sheet's picture along its longer side, at most


class Translator(NamedTuple):
    """What pictures go through.

    Attributes:
        verb: the translation, given fields of pixels.
        state: of the trained run.
        draw: `(state, keys, given) -> made`, as `compiled_finely`.
        tile: side of the tiles, 0 for none, None for tiles where a picture is large.
        overlap: width of a tile's margin.
    """

    verb: Verb
    state: GameState
    draw: Callable[..., dict[str, Any]]
    tile: int | None = None
    overlap: int = 64


def translator(verb: Verb, state: GameState, tile: int | None, overlap: int) -> Translator:
    """The translator of a verb; arguments as its attributes."""
    return Translator(verb, state, compiled_finely(verb), tile, overlap)


def tile_for(how: Translator, shape: tuple[int, ...]) -> int:
    """Side of the tiles for a picture of this shape, 0 for none: they need pixels of any size on both sides."""
    able = all(None in field.shape for field in how.verb.given.values()) and all(
        None in field.shape and field.kind in PIXELS for field in how.verb.makes.values()
    )
    return tiled.tile_of(how.tile, shape) if able else 0


def count(how: Translator, shape: tuple[int, ...]) -> int:
    """How many times the network runs for a picture of this shape."""
    side = tile_for(how, shape)
    return tiled.count(shape, side, how.overlap) if side else 1


def parts(how: Translator, head: Header | None) -> int:
    """As `count`, for a picture by its header; 1 where that cannot be read."""
    return 1 if head is None else count(how, (head.height, head.width))


def made_of(
    how: Translator, given: Mapping[str, np.ndarray], keys: jax.Array, done: Callable[[int], None]
) -> dict[str, np.ndarray]:
    """What the verb makes of one picture; images and masks unrounded, float32 from 0 to 255.

    Args:
        how: the translator.
        given: the picture `[h, w, ...]`, and what the verb takes beside it, by name.
        keys: one key.
        done: is told how many tiles are made.
    """

    def whole(part: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        taken = {name: x[None] for name, x in part.items()}
        return {each: np.asarray(x)[0] for each, x in how.draw(how.state, keys, taken).items()}

    side = tile_for(how, next(iter(given.values())).shape)
    if not side:
        return whole(given)

    def joined(part: Mapping[str, np.ndarray]) -> np.ndarray:
        made = whole(part)
        return np.concatenate([made[each] for each in how.verb.makes], axis=-1)

    channels = np.cumsum([planes(field) for field in how.verb.makes.values()])
    parts = np.split(tiled.translated(dict(given), joined, side, how.overlap, done), channels[:-1], axis=-1)
    return dict(zip(how.verb.makes, parts, strict=True))


def small(spec: Mapping[str, Field], example: Mapping[str, np.ndarray]) -> list[UInt8[np.ndarray, "h w c"]]:
    """Tiles of an example's fields, large ones reduced."""
    shown = [tiles(field, _stored(field, example[name])[None])[0] for name, field in spec.items()]
    return [_reduced(each) for each in shown]


def _stored(field: Field, example: np.ndarray) -> np.ndarray:
    return eight_bit(example) if field.kind in PIXELS and example.dtype.kind == "f" else example


def _reduced(tile: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    height, width, channels = tile.shape
    if max(height, width) <= SHOWN:
        return tile
    image = Image.fromarray(tile[..., 0] if channels == 1 else tile)
    image.thumbnail((SHOWN, SHOWN))
    return np.asarray(image).reshape(image.height, image.width, channels)
