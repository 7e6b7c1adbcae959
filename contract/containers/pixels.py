"""What a container gives: its pixels alone, and how they are to be turned."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

DAMAGE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, IndexError, KeyError, ArithmeticError),
    *(RuntimeError, MemoryError, AttributeError, struct.error, zlib.error),
)
"""What Pillow and its decoders raise on damaged data is not one class."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A file of the same format, with nothing in it but what the decoder needs."""

    data: bytes
    orientation: int = 1
    """EXIF's (CIPA DC-008, "Orientation"); 0 when only the decoder knows."""
    used_up: bool = False
    """Whether the decoder of a whole photo reads on to the end: what it leaves over tells of damage."""
    other_end: bytes | None = None
    """For a file without its end mark, the same file with another end: when the two give different pictures, more
    is missing than the mark."""


def orientation_of(exif: bytes, xmp: bytes = b"") -> int:
    """The orientation that EXIF says, else XMP; 1 when neither can be read: most photos are upright."""
    try:
        tags = Image.Exif()
        tags.load(exif)
        turn = tags.get(ExifTags.Base.Orientation)
    except DAMAGE:
        turn = None
    if turn is None and (said := re.search(rb'tiff:Orientation(?:="|>)([1-8])', xmp)):
        turn = int(said[1])
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1
