"""From many encoded images to `Data`: agree on one shape, decode in threads, report what is broken."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from jaxgan.data import source
from jaxgan.data.decode import decode, header
from jaxgan.data.settings import File, Fit, Header, Settings, agree
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError

T = TypeVar("T")

IN_MEMORY_BYTES = 2 * 1024**3
"""A set that takes no more than this as uint8 is decoded once and kept."""
NAMES_SHOWN = 10


class Broken(NamedTuple):
    """An image that cannot be used, and why."""

    name: str
    reason: str


class EncodedImages(NamedTuple):
    """Images still in their file format.

    Attributes:
      names: what to call each image in an error.
      read: gives the file of image i and its class index, None if unlabelled; called from several threads.
      class_names: one per class; () when unlabelled.
    """

    names: Sequence[str]
    read: Callable[[int], tuple[File, int | None]]
    class_names: tuple[str, ...]


class EncodedSource(NamedTuple):
    """Examples decoded anew at every access."""

    encoded: EncodedImages
    target: Fit

    def __len__(self) -> int:
        return len(self.encoded.names)

    def __getitem__(self, index: int) -> source.Example:  # type: ignore[override]
        file, label = self.encoded.read(index)
        with file:
            example: source.Example = {"image": decode(file, self.target)}
        return example if label is None else example | {"label": np.int32(label)}


def reason(error: Exception) -> str:
    """Returns a few words on why a file could not be decoded."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image, or of a format that Pillow does not read"
    if isinstance(error, Image.DecompressionBombError):
        return "too large"
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "truncated"
    if "encrypted" in str(error):
        return "encrypted"
    return getattr(error, "strerror", None) or f"damaged: {str(error) or type(error).__name__}"


def _header(encoded: EncodedImages, index: int) -> Header | None:
    """Returns an image's header, None if it is broken."""
    try:
        file, _ = encoded.read(index)
        with file:
            return header(file)
    except Exception:  # decoding it raises again, and is reported
        return None


def survey(encoded: EncodedImages, settings: Settings) -> tuple[Fit, str]:
    """Returns the shape that all images are brought to, and a note for people, by looking at every header."""
    headers = in_threads(lambda index: _header(encoded, index), len(encoded.names))
    return agree([one for one in headers if one is not None], settings)


def _report(broken: Sequence[Broken], total: int, name: str) -> UserError:
    shown = ", ".join(f"{one.name} ({one.reason})" for one in broken[:NAMES_SHOWN])
    more = f" and {len(broken) - NAMES_SHOWN} more" if len(broken) > NAMES_SHOWN else ""
    return UserError(f"{len(broken)} of {total} images in {name} cannot be read; repair or remove: {shown}{more}.")


def _decode_all(encoded: EncodedImages, target: Fit, name: str, keep: bool) -> tuple[source.Source, list[bytes]]:
    """Decodes every image once; returns the source to train from and the examples' digests."""
    lazy, total = EncodedSource(encoded, target), len(encoded.names)
    images = np.empty((total if keep else 0, *target.shape), np.uint8)
    labels = np.full(total, -1, np.int32)

    def visit(index: int) -> bytes | Broken:
        try:
            example = lazy[index]
        except Exception as error:  # Pillow's decoders raise anything at all on a broken file
            return Broken(encoded.names[index], reason(error))
        if keep:
            images[index], labels[index] = example["image"], example.get("label", -1)
        return source.digest(example)

    digests = in_threads(visit, total)
    if broken := [one for one in digests if isinstance(one, Broken)]:
        raise _report(broken, total, name)
    kept = source.ArraySource({"image": images} | ({"label": labels} if encoded.class_names else {}))
    return kept if keep else lazy, [one for one in digests if isinstance(one, bytes)]


def load(encoded: EncodedImages, name: str, target: Fit, note: str, identity: str | None = None) -> source.Data:
    """Returns the images ready for training, kept decoded in memory if they fit into `IN_MEMORY_BYTES`.

    Args:
      encoded: at least one image.
      name: what the user asked for.
      target: the shape to bring them to.
      note: ends the description.
      identity: what names the content beyond doubt. A set that has one and does not fit is not read through beforehand.

    Raises:
      UserError: naming the images that cannot be decoded.
    """
    total = len(encoded.names)
    keep = total * int(np.prod(target.shape)) <= IN_MEMORY_BYTES
    if identity and not keep:
        examples, digests = EncodedSource(encoded, target), [identity.encode()]
    else:
        examples, digests = _decode_all(encoded, target, name, keep)
    return source.make_data(examples, target.spec(encoded.class_names), name, note, digests, target.settings)
