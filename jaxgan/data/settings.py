"""What the user may ask of the images, and what is done when they ask for nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from io import BufferedReader, BytesIO
from typing import Literal, NamedTuple, get_args

from jaxgan.data.spans import Spans, Values, chosen
from jaxgan.errors import UserError, first_of
from jaxgan.fields import Field, Needs

Resize = Literal["crop", "pad", "stretch"]
Look = Literal["image", "mask", "label_map"]
"""Kinds that picture files hold."""
Size = tuple[int, int]
"""(height, width) in pixels."""
File = BufferedReader | BytesIO
"""An open file, on disk or in memory."""

DEFAULT_SIZE: Size = (64, 64)
"""Where the images have no common size of their own."""
LARGEST_KEPT = 512
"""Images of one common size keep it up to this many pixels a side."""
SHOWN = 5
"""Names in a line."""
WORDS = {"crop": "scaled and centre-cropped to", "pad": "scaled and padded to", "stretch": "stretched to"}


class Settings(NamedTuple):
    """The user's wishes: None leaves the choice to the data."""

    size: Size | Literal["own", "any"] | None = None
    resize: Resize = "crop"
    channels: Literal[1, 3] | None = None


class Fit(NamedTuple):
    """The shape every picture of a field is brought to, and how; a mask's numbers are multiplied by `gain` first.

    A height of 0 leaves each as large as it is.

    `spans` say what is black and white where pixels have more than 8 bits.
    """

    height: int
    width: int
    channels: int
    resize: Resize = "crop"
    kind: Look = "image"
    gain: int = 1
    spans: Spans = Spans()

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width, channels); of a label map (height, width)."""
        size = (self.height, self.width)
        return size if self.kind == "label_map" else (*size, self.channels)

    @property
    def settings(self) -> dict[str, str]:
        """What beside the shape makes the pixels what they are, as JSON values."""
        return {"resize": self.resize}

    def field(self, names: tuple[str, ...] = ()) -> Field:
        """The field of such pictures; `names` are of a label map's classes."""
        return Field(self.kind, self.shape, names)


class Header(NamedTuple):
    """What is known of an image before it is decoded as it is stored.

    Attributes:
      height: in pixels.
      width: in pixels.
      grey: whether it has no colours.
      mode: of Pillow.
      values: the range of more than 8 bits, None of 8.
      name: of its file.
    """

    height: int
    width: int
    grey: bool
    mode: str = ""
    values: Values | None = None
    name: str = ""


def check(image_size: int | Size | Literal["own", "any"] | None, resize: str, channels: int | None) -> Settings:
    """Returns the settings, checked.

    Raises:
      UserError: naming the option whose value is impossible.
    """
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if size not in (None, "own", "any") and (len(size) != 2 or min(size) < 1):
        raise UserError(f"--image-size takes a positive number of pixels, or a height and a width, got {image_size}.")
    if resize not in get_args(Resize):
        raise UserError(f"--resize takes {', '.join(get_args(Resize))}, got {resize!r}.")
    if channels not in (None, 1, 3):
        raise UserError(f"--channels takes 1 (grey) or 3 (colour), got {channels}.")
    return Settings(size, resize, channels)  # type: ignore[arg-type]


def sizes_of(headers: Sequence[Header]) -> str:
    """Returns the sizes of pictures in words."""
    return _range(Counter((one.height, one.width) for one in headers))


def several(headers: Sequence[Header]) -> bool:
    """Returns whether pictures have several sizes."""
    return len({(one.height, one.width) for one in headers}) > 1


def check_halves(halves: tuple[str, str], needs: Needs) -> None:
    """Raises UserError unless the halves are two fields of the needs."""
    if len(set(halves)) != 2 or not set(halves) <= set(needs.fields):
        takes = ", ".join(needs.fields)
        raise UserError(f"--halves takes two fields of the recipe's ({takes}), got {' '.join(halves)}.")


def agree(headers: Sequence[Header], settings: Settings) -> tuple[Fit, str]:
    """Returns the common shape for images of these headers, and what to tell people about it ("" if nothing changes).

    Grey only if all are grey. No size asked for: the images' own if they share one of at most 512 pixels a side, else
    64x64.

    Raises:
      UserError: if they shall keep their own size and have several.
    """
    sizes = Counter((one.height, one.width) for one in headers)
    channels = settings.channels or (1 if headers and all(one.grey for one in headers) else 3)
    own = next(iter(sizes)) if len(sizes) == 1 else None
    if settings.size in ("own", "any"):
        if own is None and sizes:
            raise UserError(f"the images have {_range(sizes)}; --image-size brings them to one.")
        size, hint = own or DEFAULT_SIZE, ""
    elif settings.size:
        size, hint = settings.size, ""
    elif own and max(own) <= LARGEST_KEPT:
        size, hint = own, ""
    else:
        size, hint = DEFAULT_SIZE, " (--image-size takes another size)"
    note = "" if own == size else f"{_range(sizes)} {WORDS[settings.resize]} {_text(size)}{hint}"
    spans, taken = chosen([one.values for one in headers if one.values])
    return Fit(*size, channels, settings.resize, spans=spans), joined(note, _enlarged(headers, size), taken)


def _enlarged(headers: Sequence[Header], size: Size) -> str:
    """Returns a warning that names pictures which become more than twice as large."""
    small = [one for one in headers if max(size[0] / one.height, size[1] / one.width) > 2]
    if not small:
        return ""
    shown = first_of([f"{one.name} ({_text((one.height, one.width))})" for one in small if one.name], SHOWN)
    return f"Warning: {len(small):,} enlarged more than twice" + (f": {shown}" if shown else "")


def agree_all(
    headers: Mapping[str, Sequence[Header]], kinds: Mapping[str, Look], settings: Settings
) -> tuple[dict[str, Fit], str]:
    """Returns the shape of each field's pictures, all of one size, and what to tell people about it.

    Args:
      headers: of each field's pictures.
      kinds: of the fields; images are grey if all of that field are, masks are.
      settings: the user's wishes.

    Raises:
      UserError: if the pictures shall keep their own size and have several.
    """
    common, note = agree([one._replace(values=None) for each in headers.values() for one in each], settings)

    fits: dict[str, Fit] = {}
    notes = [note]
    for name, each in headers.items():
        grey = settings.channels or (1 if each and all(one.grey for one in each) else 3)
        spans, taken = chosen([] if kinds[name] == "label_map" else [one.values for one in each if one.values])
        channels = grey if kinds[name] == "image" else 1
        fits[name] = common._replace(channels=channels, kind=kinds[name], spans=spans)
        notes += [f"{name}: {taken}"] if taken else []
    return fits, joined(*notes)


def joined(*notes: str) -> str:
    """Returns the notes that say something, as one."""
    return "; ".join(note for note in notes if note)


def _text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _range(sizes: Counter[Size]) -> str:
    ordered = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    if len(ordered) < 2:
        return _text(ordered[0]) if ordered else "images"
    return f"{len(ordered)} sizes from {_text(ordered[0])} to {_text(ordered[-1])}"
