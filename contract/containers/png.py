"""PNG: chunks, each with its checksum (PNG specification, "Chunk layout")."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from contract.containers.pixels import Pixels, orientation_of
from contract.errors import InvalidImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3
"""The colour type whose pixels are places in a palette."""
LEAST_TRANSPARENCY = {0: 2, 2: 6, PALETTE: 1}
"""Bytes of tRNS by colour type; the other types have an alpha channel instead."""
MOST_TEXT = 1 << 20
"""Bytes that are inflated of a text chunk in search of the orientation."""


def pixels_of(data: bytes) -> Pixels:
    """The header, the palette, its transparency and the pixels, as a PNG of their own.

    A chunk that is not pixels counts when its checksum is right and is forgotten otherwise, as the reference decoder
    does. An animation's default picture is its first, or stands for it.

    Raises:
        InvalidImage: a checksum of the header, the palette or the pixels is wrong, or one of them is missing.
    """
    view = memoryview(data)
    header = palette = transparency = exif = xmp = b""
    pixels: list[memoryview] = []
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        body, check = view[place + 8 : place + 8 + length], data[place + 8 + length : place + 12 + length]
        place += 12 + length
        if kind == b"IEND" or not kind.isalpha():
            break
        whole = len(check) == 4 and zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(check)
        if kind == b"CgBI":
            raise InvalidImage("the file is a PNG for iPhone apps (CgBI), which is not read; send a JPEG")
        if kind == b"IDAT":
            # without a checksum the file ends here: the decoder sees whether pixels are missing
            if len(check) == 4 and not whole:
                raise InvalidImage("the photo is damaged: the checksum of its pixels (IDAT) is wrong")
            pixels.append(body)
        elif kind == b"IHDR" and not header:
            if not whole or length != 13:
                raise InvalidImage("the photo is damaged: the checksum of its header (IHDR) is wrong")
            header = bytes(body)
        elif kind == b"PLTE" and header and header[9] == PALETTE:
            if not whole:
                raise InvalidImage("the photo is damaged: the checksum of its palette (PLTE) is wrong")
            palette = bytes(body)
        elif not whole:
            continue
        elif kind == b"tRNS" and header and length >= LEAST_TRANSPARENCY.get(header[9], length + 1):
            transparency = bytes(body)
        elif kind == b"eXIf":
            exif = bytes(body)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            exif = exif or _profile(_text(kind, bytes(body), b"Raw profile type exif"))
            xmp = xmp or _text(kind, bytes(body), b"XML:com.adobe.xmp")
    if not header or not pixels or (header[9] == PALETTE and not palette):
        raise InvalidImage("the photo is damaged or cut off: its header, its palette or its pixels are missing")
    parts = [SIGNATURE, *_chunk(b"IHDR", header)]
    parts += [*_chunk(b"PLTE", palette), *_chunk(b"tRNS", transparency)]
    parts += [*_chunk(b"IDAT", *pixels), *_chunk(b"IEND", b"")]
    return Pixels(b"".join(parts), orientation_of(exif, xmp))


def _chunk(kind: bytes, *bodies: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """The parts of a chunk; none of one without a body, but for the end."""
    length, check = sum(map(len, bodies)), zlib.crc32(kind)
    if length or kind == b"IEND":
        yield struct.pack(">I", length) + kind
        for body in bodies:
            check = zlib.crc32(body, check)
            yield body
        yield struct.pack(">I", check)


def _text(kind: bytes, body: bytes, keyword: bytes) -> bytes:
    """The text of a chunk with that keyword; empty for another one, and for what can't be read."""
    if not body.startswith(keyword + b"\0"):
        return b""
    rest = body[len(keyword) + 1 :]
    compressed = kind == b"zTXt"
    if kind == b"iTXt":
        compressed = rest[:1] == b"\1"
        rest = rest[2:].split(b"\0", 2)[-1]
    elif compressed:
        rest = rest[1:]
    try:
        return zlib.decompressobj().decompress(rest, MOST_TEXT) if compressed else rest
    except zlib.error:
        return b""


def _profile(text: bytes) -> bytes:
    """EXIF as ImageMagick writes it: a name, a length, and hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""
