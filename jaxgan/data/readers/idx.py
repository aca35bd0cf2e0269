"""The IDX format of MNIST and its kin: a big-endian header, then raw bytes (http://yann.lecun.com/exdb/mnist)."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Int32, UInt8

from jaxgan.errors import UserError

UNSIGNED_BYTE = 8
PREFERRED = ("train", "t10k")


def parse(content: bytes, name: str, rank: int) -> UInt8[np.ndarray, "..."]:
    """Returns the array in an IDX file's bytes, gzipped or not.

    Args:
      content: the whole file.
      name: what to call it in an error.
      rank: dimensions expected: 3 for images [N, H, W], 1 for labels [N].

    Raises:
      UserError: if the bytes are not an IDX array of unsigned bytes of that rank, or are cut short.
    """
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise UserError(f"{name} is a damaged gzip file: {error}.") from error
    header = 4 + 4 * rank
    if len(content) < header or content[:4] != bytes([0, 0, UNSIGNED_BYTE, rank]):
        raise UserError(f"{name} is not an IDX file of unsigned bytes with {rank} dimension(s).")
    shape = struct.unpack(f">{rank}I", content[4:header])
    expected = header + int(np.prod(shape, dtype=np.uint64))
    if len(content) != expected:
        raise UserError(f"{name} is cut short or damaged: it should have {expected:,} bytes and has {len(content):,}.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _existing(folder: Path, stem: str) -> Path | None:
    paths = (folder / f"{stem}{suffix}" for suffix in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def images_file(folder: Path) -> Path | None:
    """Returns the folder's IDX image file, `train` before `t10k`, or None."""
    found = (_existing(folder, f"{part}-images-idx3-ubyte") for part in PREFERRED)
    return next((path for path in found if path), None)


def read(images_path: Path) -> tuple[UInt8[np.ndarray, "n h w"], Int32[np.ndarray, "n"] | None]:
    """Returns images and, when the labels file lies beside, labels.

    Args:
      images_path: `*-images-idx3-ubyte` or `.gz`.

    Raises:
      UserError: if a file is damaged or the two files' counts differ.
    """
    images = parse(images_path.read_bytes(), str(images_path), rank=3)
    part = images_path.name.partition("-images-")[0]
    labels_path = _existing(images_path.parent, f"{part}-labels-idx1-ubyte")
    if labels_path is None:
        return images, None
    labels = parse(labels_path.read_bytes(), str(labels_path), rank=1)
    if len(labels) != len(images):
        raise UserError(f"{images_path} has {len(images):,} images, but {labels_path.name} has {len(labels):,} labels.")
    return images, labels.astype(np.int32)
