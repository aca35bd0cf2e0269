"""A flaw beside the pixels costs no picture. Oracle: the pixels that were saved."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxgan import data
from jaxgan.data import bare
from jaxgan.data.decode import decode, header
from jaxgan.data.settings import Fit
from jaxgan.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (10, 12, 3), dtype=np.uint8)


def saved(form, **options):
    content = io.BytesIO()
    Image.fromarray(PIXELS).save(content, form, **options)
    return content.getvalue()


def chunk(kind, body, crc=None):
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png(*chunks, end=None):
    whole = saved("PNG")
    return (whole[:33] + b"".join(chunks) + whole[33:])[:end]


def jpeg(marker, body):
    whole = saved("JPEG", quality=95)
    return whole[:2] + bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body + whole[2:]


TURNED = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
"""EXIF of a picture to be turned by a quarter (CIPA DC-008)."""
FLAWS = {
    "exif": png(chunk(b"eXIf", b"\0\x08\0\2\1\x12\0\3")),
    "exif, checksum": png(chunk(b"eXIf", TURNED, crc=1)),
    "profile": png(chunk(b"iCCP", b"x\0\0notzlib")),
    "profile, empty": png(chunk(b"iCCP", b"")),
    "text too large": png(chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 5_000_000))),
    "text, all too large": png(*[chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 1_000_000))] * 70),
    "text, checksum": png(chunk(b"tEXt", b"k\0v", crc=5)),
    "resolution": png(chunk(b"pHYs", b"\0")),
    "gamma": png(chunk(b"gAMA", b"")),
    "transparency": png(chunk(b"tRNS", b"\0")),
    "animation": png(chunk(b"acTL", b"\0")),
    "unknown": png(chunk(b"\1\2\3\4", b"abc")),
    "no end": png(end=-12),
    "behind the end": png() + b"junk" * 50,
    "jpeg exif": jpeg(0xE1, b"Exif\0\0garbage!"),
    "jpeg profile": jpeg(0xE2, b"ICC_PROFILE\0"),
    "jpeg photoshop": jpeg(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4"),
    "jpeg adobe": jpeg(0xEE, b"Adobe"),
    "jpeg jfif": jpeg(0xE0, b"JFIF\0"),
    "jpeg behind the end": saved("JPEG", quality=95) + b"x" * 99,
    "webp exif": saved("WEBP", lossless=True, exif=b"garbage!"),
    "webp profile": saved("WEBP", lossless=True, icc_profile=b"bad"),
}


@pytest.mark.parametrize("name", FLAWS)
def test_the_picture_is_read(name, tmp_path):
    plain = Image.open(io.BytesIO(saved("JPEG", quality=95))) if name.startswith("jpeg") else Image.fromarray(PIXELS)
    (tmp_path / "a.img.png").write_bytes(FLAWS[name])
    loaded = data.load(str(tmp_path))
    np.testing.assert_array_equal(loaded.table("image").source[0]["image"], np.asarray(plain))


def test_what_is_taken_off_changes_nothing_else():
    """The orientation stays where it can be read, transparency too; and what is sound is as before."""
    for flaw in (b"", chunk(b"gAMA", b"")):
        file = io.BytesIO(png(chunk(b"eXIf", TURNED), flaw))
        assert header(file)[:2] == (12, 10)
        file.seek(0)
        np.testing.assert_array_equal(decode(file, Fit(12, 10, 3)), np.rot90(PIXELS, -1))
    clear = png(chunk(b"tRNS", struct.pack(">HHH", *PIXELS[0, 0])), chunk(b"gAMA", b""))
    assert (decode(io.BytesIO(clear), Fit(10, 12, 3))[0, 0] == 255).all()
    for form in ("PNG", "JPEG", "WEBP"):
        before, after = (np.asarray(Image.open(io.BytesIO(c))) for c in (saved(form), bare.stripped(saved(form))))
        np.testing.assert_array_equal(before, after)
    assert bare.stripped(saved("BMP")) is None


def test_broken_pixels_stay_broken():
    for content in (png(end=len(png()) // 2), saved("JPEG")[:300], saved("BMP")[:-9]):
        with pytest.raises(Exception, match=r"(?i)truncated|identify"):
            decode(io.BytesIO(content), Fit(10, 12, 3))


def test_huge_pictures(tmp_path, monkeypatch):
    """A JPEG is decoded at a smaller scale; of others the size, the limit and what helps are told."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5000)
    large = Image.new("L", (160, 120), 200)
    large.save(tmp_path / "a.jpg")
    np.testing.assert_array_equal(data.load(str(tmp_path), image_size=8).table("image").source[0]["image"], 200)
    with pytest.raises(UserError, match=r"a\.jpg \(it has 160 x 120 pixels, and 10,000 at most are decoded; scale it"):
        data.load(str(tmp_path), image_size=100)
    large.save(tmp_path / "a.jpg", progressive=True)
    large.save(tmp_path / "b.png")
    with pytest.raises(
        UserError, match=r"a\.jpg \(it has 160 x 120 .*b\.png \(too large: 19,200 pixels, and 10,000 at"
    ):
        data.load(str(tmp_path), image_size=8)
