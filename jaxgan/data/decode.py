"""One encoded picture to one array of the wanted shape: uint8 for images and masks, int32 for label maps.

Transparent pixels are laid over white, EXIF orientation is obeyed, of an animation the first frame is taken, 16-bit
values are divided by 257, and floating-point values are taken as 0..1 if none exceeds 1, as 0..255 otherwise.
"""

import numpy as np
from jaxtyping import Int32, UInt8
from PIL import ExifTags, Image, ImageOps

from jaxgan.data.settings import File, Fit, Header
from jaxgan.errors import UserError

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
INDEX_MODES = GREY_MODES - {"LA", "La", "F"} | {"P"}
FILTER = Image.Resampling.LANCZOS
TURNED = (5, 6, 7, 8)  # the EXIF orientations that swap width and height


def _orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation, 1 (upright) if there is none."""
    # Pillow gives a TIFF's upright size by itself; `getexif` of a PNG without EXIF would decode the whole image, to
    # look for one behind the pixels.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    return image.getexif().get(ExifTags.Base.Orientation, 1)


def header(file: File) -> Header:
    """Returns an image's upright size and whether it is grey, without decoding its pixels."""
    with Image.open(file) as image:
        turned = _orientation(image) in TURNED
        width, height = image.size[::-1] if turned else image.size
        return Header(height, width, image.mode in GREY_MODES)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Returns a grey image of 16 bits, 32 bits or floats as one of 8 bits."""
    values = np.asarray(image, np.float32)
    scale = (255.0 if values.max(initial=0) <= 1 else 1.0) if image.mode == "F" else 1 / 257
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8))


def _opaque(image: Image.Image, grey: bool) -> Image.Image:
    """Returns the image as "L" or "RGB", whatever its mode, laid over white where it is transparent."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bit(image)
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
    flat = _opaque(image, grey=target.channels == 1)
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
    with Image.open(file) as image:
        # JPEG can be decoded at a half, a quarter or an eighth; twice the target leaves the filter enough to work with.
        longest = 2 * max(target.height, target.width)
        image.draft(None, (longest, longest))
        return to_array(ImageOps.exif_transpose(image), target)
