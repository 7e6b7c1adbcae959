"""HEIF and AVIF: items in an ISO base media file (ISO/IEC 23008-12, "Image file format")."""

from __future__ import annotations

from collections.abc import Iterator

from contract.containers.pixels import Pixels

METADATA = frozenset({b"Exif", b"mime"})
"""Types of items that are no pictures: EXIF, and XMP."""
NOTHING = b"skip"
"""A type that no decoder knows."""


def pixels_of(data: bytes) -> Pixels:
    """The same file with its EXIF and XMP renamed, so that nobody reads them.

    Upright is what the picture's own properties make it, and not EXIF (ISO/IEC 23000-22, "Image orientation"):
    the decoder knows.
    """
    hidden: bytearray | None = None
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind != b"meta":
            continue
        for inner, first, last in _boxes(data, start + 4, end):
            if inner != b"iinf":
                continue
            counted = 2 if data[first : first + 1] == b"\0" else 4
            for item, place, _ in _boxes(data, first + 4 + counted, last):
                # version and flags, the item's number, its protection
                at = place + 4 + (2 if data[place : place + 1] == b"\2" else 4) + 2
                if item == b"infe" and data[at : at + 4] in METADATA:
                    hidden = hidden or bytearray(data)
                    hidden[at : at + 4] = NOTHING
    return Pixels(data if hidden is None else bytes(hidden), orientation=0)


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type of each box, and where its content starts and ends."""
    while start + 8 <= end:
        size, kind, head = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        last = start + size if size else end
        if size and size < head:
            return
        yield kind, start + head, min(last, end)
        start = last
