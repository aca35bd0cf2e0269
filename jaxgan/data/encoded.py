"""From many encoded files to `Data`: decode in threads, keep what fits into memory, report what is broken."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxgan.data import source, spans
from jaxgan.data.decode import largest
from jaxgan.data.settings import joined
from jaxgan.data.source import Example
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError
from jaxgan.fields import Spec

T = TypeVar("T")
IN_MEMORY_BYTES = 2 * 1024**3
"""A set that takes no more than this as it is stored is decoded once and kept."""
NAMES_SHOWN = 10


class Broken(NamedTuple):
    """A file that cannot be used, and why."""

    name: str
    reason: str


class UnreadableError(UserError):
    """Some files of a set cannot be read.

    Attributes:
      broken: which, and why.
      total: files that there are.
      what: they hold.
    """

    def __init__(self, broken: Sequence[Broken], total: int, name: str, what: str) -> None:
        """Says it in one sentence."""
        self.broken, self.total, self.what = tuple(broken), total, what
        told = f"{len(broken)} of {total} {what} in {name} cannot be read; repair or remove"
        super().__init__(f"{told}, or go without by --skip-unreadable: {listed(broken)}.")


def listed(broken: Sequence[Broken]) -> str:
    """Returns the first names with reasons, and how many more there are."""
    shown = ", ".join(f"{one.name} ({one.reason})" for one in broken[:NAMES_SHOWN])
    return shown + (f" and {len(broken) - NAMES_SHOWN} more" if len(broken) > NAMES_SHOWN else "")


@dataclass(frozen=True)
class Encoded:
    """Examples still in their file format, decoded anew at every access.

    Attributes:
      names: what to call each example in an error.
      read: decodes example i; called from several threads.
      spec: the fields that `read` gives.
      what: the examples are, in an error.
      largest: height and width that no picture passes, where they have several sizes.
    """

    names: Sequence[str]
    read: Callable[[int], Example]
    spec: Spec
    what: str = "images"
    largest: tuple[int, int] | None = None

    def __len__(self) -> int:
        """How many examples."""
        return len(self.names)

    def __getitem__(self, index: int) -> Example:
        """Example i, decoded."""
        return self.read(index)


def reason(error: Exception) -> str:
    """Returns a few words on why a file could not be decoded."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, UnidentifiedImageError):
        return "not an image, or of a format that Pillow does not read"
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+", str(error))
        return (
            f"too large: {int(pixels[0]):,} pixels, and {largest():,} at most are decoded; scale it down"
            if pixels
            else "too large"
        )
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "truncated"
    if "encrypted" in str(error):
        return "encrypted"
    return getattr(error, "strerror", None) or f"damaged: {str(error) or type(error).__name__}"


def look_at_all(look: Callable[[int], T], names: Sequence[str], place: str, what: str) -> list[T]:
    """Returns `look(i)` of every file, in threads.

    Args:
      look: reads file i, or raises; called from several threads.
      names: what to call each file in an error.
      place: what the user asked for.
      what: the files hold, in an error.

    Raises:
      UserError: naming the files that cannot be read.
    """

    def attempt(index: int) -> T | Broken:
        try:
            return look(index)
        except Exception as error:  # Pillow's decoders raise anything at all on a broken file
            return Broken(names[index], reason(error))

    looked = in_threads(attempt, len(names))
    if broken := [one for one in looked if isinstance(one, Broken)]:
        raise UnreadableError(broken, len(names), place, what)
    return [one for one in looked if not isinstance(one, Broken)]


def _decode_all(encoded: Encoded, name: str, keep: bool) -> tuple[source.Source, list[bytes]]:
    """Decodes every example once; returns the source to train from and the examples' digests."""
    total = len(encoded)
    spec = encoded.spec if keep else {}  # pictures of several sizes have no array
    kept = {key: np.empty((total, *field.fixed), field.dtype) for key, field in spec.items()}

    def visit(index: int) -> bytes:
        example = encoded.read(index)
        if keep:
            for key, whole in kept.items():
                whole[index] = example[key]
        return source.digest(example)

    digests = look_at_all(visit, encoded.names, name, encoded.what)
    return source.ArraySource(kept) if keep else encoded, digests


def table(encoded: Encoded, name: str, identity: str | None = None) -> tuple[source.Table, list[bytes]]:
    """Returns the examples, decoded and in memory if they fit into `IN_MEMORY_BYTES`, and their digests.

    Args:
      encoded: at least one example.
      name: what the user asked for.
      identity: what names the content beyond doubt. A set that has one and does not fit is not read through beforehand.

    Raises:
      UserError: naming the files that cannot be decoded.
    """
    alike = all(None not in field.shape for field in encoded.spec.values())
    row = sum(field.size * field.dtype.itemsize for field in encoded.spec.values()) if alike else 0
    keep = alike and len(encoded) * row <= IN_MEMORY_BYTES
    if identity and not keep:
        return source.Table(encoded, encoded.spec), [identity.encode()]
    examples, digests = _decode_all(encoded, name, keep)
    return source.Table(examples, encoded.spec), digests


def load(
    encoded: Encoded, name: str, note: str, settings: dict[str, str] | None = None, identity: str | None = None
) -> source.Data:
    """Returns the examples ready for training.

    Args:
      encoded: at least one example.
      name: what the user asked for.
      note: ends the description.
      settings: how they are prepared, as JSON values.
      identity: as for `table`.

    Raises:
      UserError: naming the files that cannot be decoded.
    """
    made, digests = table(encoded, name, identity)
    return source.make_data(made.source, made.spec, name, joined(note, dim(made)), digests, settings)


def dim(table: source.Table) -> str:
    """Returns a warning where pictures that lie in memory are all but black; "" where they are not."""
    if not isinstance(table.source, source.ArraySource):
        return ""
    held = table.source.arrays
    return spans.dim([held[name] for name, field in table.spec.items() if field.kind in ("image", "video")])
