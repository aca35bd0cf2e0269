"""Images from a trained system: keys, labels, and batches that do not change an image."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Int32, Key, UInt8

from jaxgan.errors import UserError
from jaxgan.game.state import GameState, System
from jaxgan.train.pictures import columns_of, grid, write_png

BATCH = 64  # images are always made this many at a time: the size of a batch could change the last bits of an image
STREAM = 0x73616D70  # sets the keys of samples apart from those of training


def image_keys(seed: int, n: int) -> Key[Array, " n"]:
    """Keys of images 0 to n - 1; an image's key depends on `seed` and its number only."""
    key = jax.random.fold_in(jax.random.key(seed), STREAM)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, np.arange(n))


def labels_for(n: int, classes: int, label: int | None = None) -> Int32[np.ndarray, " n"] | None:
    """Labels of n images: `label` for all, else the classes in turn; None for a system without classes.

    Raises:
        UserError: a label that the system does not have.
    """
    if label is not None and not classes:
        raise UserError(f"--label takes a class, but this run is unconditional and has none; got {label}.")
    if label is not None and not 0 <= label < classes:
        raise UserError(f"--label takes a class from 0 to {classes - 1}, got {label}.")
    if not classes:
        return None
    return np.full(n, label, np.int32) if label is not None else np.arange(n, dtype=np.int32) % classes


def make_sampler(
    system: System, n: int, seed: int, labels: Int32[np.ndarray, " n"] | None
) -> Callable[..., np.ndarray]:
    """`state -> uint8 images [n, h, w, c]`, always the same noise and labels."""
    from jaxgan.data import to_uint8

    padded = -(-n // BATCH) * BATCH
    keys = image_keys(seed, padded)
    draw = jax.jit(lambda state, keys, labels: to_uint8(system.sample(state, keys, labels)))

    def part(state: GameState, start: int) -> np.ndarray:
        rows = slice(start, start + BATCH)
        chosen = None if labels is None else np.resize(labels, padded)[rows]
        return np.asarray(draw(state, keys[rows], chosen))

    return lambda state: np.concatenate([part(state, start) for start in range(0, padded, BATCH)])[:n]


def write_images(out: Path, images: UInt8[np.ndarray, "n h w c"], labels: Any, classes: int) -> None:
    """Write images as `out` asks: `.png` a grid, `.npz` arrays, anything else a folder with one PNG each."""
    try:
        if out.suffix.lower() == ".png":
            out.parent.mkdir(parents=True, exist_ok=True)
            write_png(out, grid(images, columns_of(len(images), classes)))
        elif out.suffix.lower() == ".npz":
            out.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(out, images=images, **({} if labels is None else {"labels": labels}))
        else:
            out.mkdir(parents=True, exist_ok=True)
            for i, image in enumerate(images):
                suffix = "" if labels is None else f"-{labels[i]}"
                write_png(out / f"{i:06d}{suffix}.png", image)
    except OSError as error:
        raise UserError(f"--out {out} cannot be written: {error.strerror or error}.") from error
