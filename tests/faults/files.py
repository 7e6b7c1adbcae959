"""The files that a fault sends in place of a photo."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from PIL import Image

from tests.faults.stack import FaultyStack
from tests.photo_builders import encoded
from tests.photo_table import PNG_SIGNATURE, png_chunk


def bomb() -> bytes:
    """A PNG whose header says 100,000 x 100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")


FILES: Mapping[str, Callable[[FaultyStack, str], bytes]] = {
    "": lambda stack, name: stack.photo(name),
    "unsure": lambda stack, name: stack.photo(name, unsure=True),
    "empty": lambda stack, name: b"",
    "truncated": lambda stack, name: (whole := stack.photo(name))[: len(whole) // 2],
    "text": lambda stack, name: f"a bicycle, I think ({name})".encode(),
    "bomb": lambda stack, name: bomb(),
    "grey": lambda stack, name: encoded(Image.new("RGB", (64, 64), "#808080"), "PNG"),
}
