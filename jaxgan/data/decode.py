"""One encoded picture to one array of the wanted shape: uint8 for images and masks, int32 for label maps.

Transparent pixels are laid over white, EXIF orientation is obeyed, of an animation the first frame is taken, and values
of more than 8 bits span what `spans` says. A flaw beside the pixels costs nothing: it is read without metadata then.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from jaxtyping import Int32, UInt8
from PIL import ExifTags, Image, ImageOps, JpegImagePlugin

from jaxgan.data import bare
from jaxgan.data.settings import File, Fit, Header
from jaxgan.data.spans import Spans, Values
from jaxgan.errors import UserError

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
INDEX_MODES = GREY_MODES - {"LA", "La", "F"} | {"P"}
FILTER = Image.Resampling.LANCZOS
TURNED = (5, 6, 7, 8)  # the EXIF orientations that swap width and height
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture of each EXIF orientation."""
OTHER_BITS = b"\xaa" * 64
T = TypeVar("T")


def forgiving(read: Callable[[File], T], file: File) -> T:
    """Returns what `read` makes of a picture file, or of its pixels alone where what stands beside them is bad."""
    try:
        return read(file)
    except UserError:
        raise
    except Exception:  # Pillow's decoders raise anything at all on a broken file
        file.seek(0)
        plain = bare.stripped(file.read())
        if plain is None:
            raise
        for attempt in (lambda content: read(io.BytesIO(content)), lambda content: _ended(read, content)):
            try:
                return attempt(plain)
            except UserError:
                raise
            except Exception:  # of the file as it is, not of what was made of it, people are told
                continue
        raise


def _ended(read: Callable[[File], T], content: bytes) -> T:
    """Returns what `read` makes of a JPEG that lacks its end marker alone; raises OSError where pixels are lacking.

    Pillow refuses both, and libjpeg fills what is lacking. So the end is put behind it once at once and once after
    other bits: these change the last pixels, unless all of them were there already.
    """
    with opened(io.BytesIO(content)) as image:
        if image.format != "JPEG" or image.info.get("progressive"):  # of which a whole scan may be lacking
            raise OSError("no sequential JPEG")
    body = content.rstrip(b"\xff")
    made, other = (read(io.BytesIO(body + bits + bare.END)) for bits in (b"", OTHER_BITS))
    if not np.array_equal(made, other):  # type: ignore[arg-type]
        raise OSError("pixels are lacking")
    return made


@contextlib.contextmanager
def opened(file: File) -> Iterator[Image.Image]:
    """Opens a picture, a JPEG of any size: it can be decoded at a smaller scale, and is checked after `draft`."""
    try:
        image = Image.open(file)
    except Image.DecompressionBombError:
        file.seek(0)
        if file.read(3) != b"\xff\xd8\xff":
            raise
        file.seek(0)
        image = JpegImagePlugin.JpegImageFile(file)
    with image:
        yield image


def largest() -> int:
    """Returns how many pixels are decoded at most."""
    return 2 * (Image.MAX_IMAGE_PIXELS or 2**62)


def check_size(image: Image.Image, size: tuple[int, int]) -> None:
    """Raises UserError where too many pixels would be decoded; `size` was the picture's before `draft`."""
    stays = bool(image.info.get("progressive"))  # all of such a JPEG is held, whatever the scale
    width, height = size if stays else image.size
    if width * height > largest():
        raise UserError(too_large(*size))


def too_large(width: int, height: int) -> str:
    """Returns why a picture of so many pixels is not decoded, and what helps."""
    return (
        f"it has {width:,} x {height:,} pixels, and {largest():,} at most are decoded; scale it down, or save it as a "
        "JPEG that is not progressive, which is decoded at a smaller scale"
    )


def _orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation, 1 (upright) if there is none."""
    # Pillow gives a TIFF's upright size by itself; `getexif` of a PNG without EXIF would decode the whole image, to
    # look for one behind the pixels.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # of bad EXIF anything at all is raised
        return 1


def upright(image: Image.Image) -> Image.Image:
    """Returns the image turned as its EXIF says."""
    if image.format == "TIFF":
        return image  # turned by Pillow when it is decoded
    way = UPRIGHT.get(_orientation(image))
    return image if way is None else image.transpose(way)


def header(file: File) -> Header:
    """Returns an image's upright size, and whether it is grey; decodes pixels only where they have more than 8 bits."""
    return forgiving(_header, file)


def _header(file: File) -> Header:
    with opened(file) as image:
        turned = _orientation(image) in TURNED
        width, height = image.size[::-1] if turned else image.size
        return Header(height, width, image.mode in GREY_MODES, image.mode, _values(image))


def _form(mode: str) -> str:
    """Returns what numbers a mode of more than 8 bits holds, "" for other modes."""
    return "fraction" if mode == "F" else "whole" if mode == "I" or mode.startswith("I;16") else ""


def _values(image: Image.Image) -> Values | None:
    """Returns the range of a picture with more than 8 bits; None for other pictures."""
    tile: list = getattr(image, "tile", [])
    form = _form(image.mode) or ("upper" if tile and ";16" in str(tile[0][3]) else "")
    if not form:
        return None
    values = _finite(image)
    return Values(float(values.min(initial=0)), float(values.max(initial=0)), form)


def _finite(image: Image.Image) -> np.ndarray:
    values = np.asarray(image)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UserError("it holds values that are not finite (NaN or infinite), which are no colour")
    return values


def _eight_bit(image: Image.Image, spans: Spans) -> Image.Image:
    """Returns a grey image of 16 bits, 32 bits or floats as one of 8 bits."""
    black, white = spans.of(_form(image.mode))
    share = (_finite(image).astype(np.float64) - black) / (white - black)
    return Image.fromarray(np.clip(np.rint(share * 255), 0, 255).astype(np.uint8))


def _opaque(image: Image.Image, grey: bool, spans: Spans) -> Image.Image:
    """Returns the image as "L" or "RGB", whatever its mode, laid over white where it is transparent."""
    if _form(image.mode):
        image = _eight_bit(image, spans)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if grey else "RGB")


def fit(image: Image.Image, target: Fit, resampling: Image.Resampling = FILTER) -> Image.Image:
    """Returns the image at the target's size.

    "crop" scales the image to cover the target and cuts the middle out, "pad" scales it to lie within and fills with
    black, "stretch" lets the aspect ratio go.
    """
    size = (target.width, target.height)
    if image.size == size:
        return image
    match target.resize:
        case "crop":
            return ImageOps.fit(image, size, resampling)
        case "pad":
            return ImageOps.pad(image, size, resampling)
        case "stretch":
            return image.resize(size, resampling)


def to_array(image: Image.Image, target: Fit) -> UInt8[np.ndarray, "h w c"] | Int32[np.ndarray, "h w"]:
    """Returns any Pillow image as it is stored: of the target's shape, uint8, or int32 for a label map.

    Raises:
      UserError: for a label map in colours.
    """
    if target.kind == "label_map":
        return np.asarray(fit(Image.fromarray(indices(image)), target, Image.Resampling.NEAREST))
    flat = _opaque(image, grey=target.channels == 1, spans=target.spans)
    if target.gain != 1:
        flat = flat.point(lambda value: value * target.gain)
    resampling = Image.Resampling.BOX if target.kind == "mask" else FILTER
    return np.asarray(fit(flat, target, resampling)).reshape(target.shape)


def indices(image: Image.Image) -> Int32[np.ndarray, "h w"]:
    """Returns the class of each pixel: the numbers that the file holds, not the colours that they stand for.

    Raises:
      UserError: where the pixels are colours.
    """
    if image.mode not in INDEX_MODES:
        raise UserError(f"a label map holds one class a pixel (modes P, L, I;16), not {image.mode}")
    return np.asarray(image).astype(np.int32)


def decode(file: File, target: Fit) -> UInt8[np.ndarray, "h w c"] | Int32[np.ndarray, "h w"]:
    """Returns the picture in an encoded file as it is stored, of the target's shape.

    Raises:
      Exception: whatever Pillow raises for a broken file; `encoded.load` turns it into words.
    """
    return forgiving(lambda file: _decode(file, target), file)


def _decode(file: File, target: Fit) -> UInt8[np.ndarray, "h w c"] | Int32[np.ndarray, "h w"]:
    with opened(file) as image:
        size = image.size
        # JPEG can be decoded at a half, a quarter or an eighth; twice the target leaves the filter enough to work with.
        longest = 2 * max(target.height, target.width) or max(size)
        image.draft(None, (longest, longest))
        check_size(image, size)
        stands = upright(image)
        width, height = (target.width, target.height) if target.height else stands.size
        return to_array(stands, target._replace(height=height, width=width))
