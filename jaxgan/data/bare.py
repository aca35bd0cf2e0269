"""A picture file without what stands beside its pixels: comments, colour profiles, and other metadata that may be bad.

The formats: PNG (W3C, third edition, section 5), JPEG (ITU-T T.81, annex B), WebP (RFC 9649, section 2).
"""

import struct
import zlib
from collections.abc import Iterator

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
END = b"\xff\xd9"
"""Ends a JPEG."""
PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
TRANSPARENT = {0: range(2, 3), 2: range(6, 7), 3: range(1, 257)}
"""Lengths that a PNG's tRNS may have, by the colour type."""
COMMENT, ADOBE, EXIF, SCAN = 0xFE, 0xEE, 0xE1, 0xDA
FLAGS = 0x20 | 0x08 | 0x04
"""Of a WebP that has a profile, EXIF or XMP."""


def stripped(content: bytes) -> bytes | None:
    """Returns the file with its pixels, transparency and EXIF alone; None for a format that is not known here.

    EXIF stays for its orientation, unless its checksum is wrong. Nothing else changes how Pillow decodes pixels.
    """
    if content.startswith(PNG):
        return PNG + b"".join(_png(content))
    if content.startswith(JPEG):
        return JPEG + b"".join(_jpeg(content))
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        body = b"".join(_webp(content))
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    return None


def _png(content: bytes) -> Iterator[bytes]:
    at, colours = len(PNG), -1
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, body, end = content[at + 4 : at + 8], content[at + 8 : at + 8 + length], at + 12 + length
        if kind == b"IHDR" and length >= 10:
            colours = body[9]
        sound = content[end - 4 : end] == struct.pack(">I", zlib.crc32(kind + body))
        beside = (kind == b"eXIf" and sound) or (kind == b"tRNS" and length in TRANSPARENT.get(colours, ()))
        if kind in PIXELS or beside:
            yield content[at:end]
        at = end
    yield content[at:]


def _jpeg(content: bytes) -> Iterator[bytes]:
    at = len(JPEG)
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != SCAN:
        marker, (length,) = content[at + 1], struct.unpack_from(">H", content, at + 2)
        segment = content[at : at + 2 + length]
        if marker == 0xFF:  # fills up
            at += 1
            continue
        known = (marker == ADOBE and length >= 14) or (marker == EXIF and segment[4:10] == b"Exif\0\0")
        if known or not (0xE0 <= marker <= 0xEF or marker == COMMENT):
            yield segment
        at += 2 + length
    yield content[at:]


def _webp(content: bytes) -> Iterator[bytes]:
    at = 12
    while at + 8 <= len(content):
        (length,) = struct.unpack_from("<I", content, at + 4)
        kind, end = content[at : at + 4], at + 8 + length + length % 2
        if kind == b"VP8X" and length >= 1:
            yield content[at : at + 8] + bytes([content[at + 8] & ~FLAGS]) + content[at + 9 : end]
        elif kind not in (b"ICCP", b"EXIF", b"XMP "):
            yield content[at:end]
        at = end
