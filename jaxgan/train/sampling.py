"""Images from a trained system: keys, labels, and batches that do not change an image."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Int32, Key, UInt8

from jaxgan.errors import UserError
from jaxgan.game.state import GameState, System
from jaxgan.train.pictures import columns_of, grid, write_png

BATCH = 64  # images are always made this many at a time: the size of a batch could change the last bits of an image
STREAM = 0x73616D70  # sets the keys of samples apart from those of training
MOST = 2**31 - BATCH  # image numbers are int32
HELD_BYTES = 4 << 30  # of images that are in memory together
OTHER_FILES = (".jpg", ".jpeg", ".gif", ".webp", ".npy", ".zip", ".tif", ".tiff", ".bmp")


def image_keys(seed: int, n: int, start: int = 0, stream: int = STREAM) -> Key[Array, " n"]:
    """Keys of the n images from number `start` on; an image's key depends on `seed`, `stream` and its number only."""
    key = jax.random.fold_in(jax.random.key(seed), stream)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, np.arange(start, start + n, dtype=np.int32))


def labels_for(n: int, classes: int, label: int | None = None, start: int = 0) -> Int32[np.ndarray, " n"] | None:
    """Labels of the n images from number `start` on: `label` for all, else the classes in turn; None without classes.

    Raises:
        UserError: a label that the system does not have.
    """
    if label is not None and not classes:
        raise UserError(f"--label takes a class, but this run is unconditional and has none; got {label}.")
    if label is not None and not 0 <= label < classes:
        raise UserError(f"--label takes a class from 0 to {classes - 1}, got {label}.")
    if not classes:
        return None
    return np.full(n, label, np.int32) if label is not None else np.arange(start, start + n, dtype=np.int32) % classes


def make_batches(
    system: System, n: int, seed: int, classes: int = 0, label: int | None = None, stream: int = STREAM
) -> Callable[[GameState], Iterator[np.ndarray]]:
    """`state -> batches` of n uint8 images [64 or fewer, h, w, c], always the same noise; labels as by `labels_for`."""
    from jaxgan.data import to_uint8

    labels_for(1, classes, label)
    draw = jax.jit(lambda state, keys, labels: to_uint8(system.sample(state, keys, labels)))

    def batches(state: GameState) -> Iterator[np.ndarray]:
        for start in range(0, n, BATCH):
            labels = labels_for(BATCH, classes, label, start)
            yield np.asarray(draw(state, image_keys(seed, BATCH, start, stream), labels))[: n - start]

    return batches


def make_sampler(
    system: System, n: int, seed: int, classes: int = 0, label: int | None = None
) -> Callable[[GameState], np.ndarray]:
    """`state -> uint8 images [n, h, w, c]`; arguments as for `make_batches`."""
    batches = make_batches(system, n, seed, classes, label)
    return lambda state: np.concatenate(list(batches(state)))


def check_file(out: Path | None, n: int) -> None:
    """Raise UserError for a file that images cannot be written to, or for more images than have numbers."""
    if n > MOST:
        raise UserError(f"--n must be at most {MOST}, got {n}.")
    if out and out.suffix.lower() in OTHER_FILES:
        raise UserError(f"--out takes a .png file, a .npz file or a folder, got {out}.")
    if out and out.is_dir() and any(out.iterdir()):
        raise UserError(f"--out takes a file, or a new or empty folder, but {out} has files.")


def check_size(out: Path, n: int, image_shape: tuple[int, ...]) -> None:
    """Raise UserError for more images than one file can be made of in memory."""
    size = n * int(np.prod(image_shape))
    if out.suffix.lower() in (".png", ".npz") and size > HELD_BYTES:
        raise UserError(
            f"--n {n} makes {size / 2**30:.3g} GiB of images and a {out.suffix} file takes up to "
            f"{HELD_BYTES / 2**30:.3g} GiB; give --out a folder, or make fewer."
        )


def write_images(
    out: Path, batches: Iterable[UInt8[np.ndarray, "_ h w c"]], classes: int = 0, label: int | None = None
) -> None:
    """Write images as `out` asks: `.png` a grid, `.npz` arrays, anything else a folder with one PNG each.

    Args:
        out: a file or a folder.
        batches: the images; those for a folder need not be in memory together.
        classes: as for `labels_for`, with `label`.
        label: the one class of all images, or None.

    Raises:
        UserError: a place that cannot be written to, or too little memory.
    """
    suffix = out.suffix.lower()
    try:
        if suffix not in (".png", ".npz"):
            _write_folder(out, batches, classes, label)
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        images = np.concatenate(list(batches))
        if suffix == ".png":
            write_png(out, grid(images, columns_of(len(images), classes if label is None else 0)))
            return
        labels = labels_for(len(images), classes, label)
        with out.open("wb") as file:  # given a name, NumPy would add a second suffix to x.NPZ
            if labels is None:
                np.savez_compressed(file, images=images)
            else:
                np.savez_compressed(file, images=images, labels=labels)
    except OSError as error:
        raise UserError(f"--out {out} cannot be written: {error.strerror or error}.") from error
    except MemoryError as error:
        raise UserError(f"--out {out} needs more memory than there is; make fewer images, or a folder.") from error


def _write_folder(out: Path, batches: Iterable[UInt8[np.ndarray, "_ h w c"]], classes: int, label: int | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(itertools.chain.from_iterable(batches)):
        labels = labels_for(1, classes, label, i)
        write_png(out / (f"{i:06d}.png" if labels is None else f"{i:06d}-{labels[0]}.png"), image)
