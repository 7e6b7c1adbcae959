"""WebP: chunks in a RIFF file (RFC 9649, "WebP Container Specification")."""

from __future__ import annotations

import struct

from contract.containers.pixels import Pixels, orientation_of
from contract.errors import InvalidImage

PIXELS = (b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L")


def pixels_of(data: bytes) -> Pixels:
    """The picture, or an animation's first frame, as a WebP of its own.

    Raises:
        InvalidImage: no picture in it, or one that is cut off.
    """
    chunks: dict[bytes, bytes] = {}
    exif = xmp = b""
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        body = data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
        if kind in PIXELS and kind not in chunks:
            if len(body) < length:
                raise InvalidImage("the photo is cut off")
            chunks[kind] = body
        elif kind == b"EXIF":
            exif = body
        elif kind == b"XMP ":
            xmp = body
    if not chunks.keys() & {b"VP8 ", b"VP8L", b"ANMF"}:
        raise InvalidImage("the photo is damaged or cut off: its pixels are missing")
    kept = b"".join(_chunk(kind, chunks[kind]) for kind in PIXELS if kind in chunks)
    return Pixels(b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + kept, orientation_of(exif, xmp))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
