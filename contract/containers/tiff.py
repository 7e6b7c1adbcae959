"""TIFF: a directory of tags that say where the pixels are (TIFF 6.0, "Image File Directory")."""

from __future__ import annotations

import struct

from contract.containers.pixels import Pixels
from contract.errors import InvalidImage

KEPT = frozenset(
    {
        *(254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284),  # what a picture needs
        *(292, 293, 317, 320, 322, 323, 324, 325, 332, 334, 338, 339, 347),  # codings, palettes, tiles, samples
        *(512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),  # JPEG in TIFF, its colours
    }
)
ORIENTATION, SUBFILE, SUB_DIRECTORIES, DNG_VERSION = 274, 254, 330, 50706
REDUCED = 1
"""Of SUBFILE: the picture is a small one of another in the same file."""
SHORT, LONG = 3, 4


def pixels_of(data: bytes) -> Pixels:
    """The first picture, with a directory of its own at the file's end that leaves all other tags out.

    Raises:
        InvalidImage: a camera's raw file, or one without a directory.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    pointer, number, entry = ("Q", "Q", f"{order}HHQ8s") if big else ("I", "H", f"{order}HHI4s")
    try:
        (place,) = struct.unpack_from(order + pointer, data, 8 if big else 4)
        (count,) = struct.unpack_from(order + number, data, place)
        start = place + struct.calcsize(order + number)
        size = struct.calcsize(entry)
        # a count that lies runs into the pixels: no directory has as many entries
        entries = [struct.unpack_from(entry, data, start + index * size) for index in range(min(count, 4096))]
    except struct.error as error:
        raise InvalidImage("the photo is damaged or cut off: its directory is missing") from error
    values = {tag: _number(order, kind, value) for tag, kind, _, value in reversed(entries)}
    if DNG_VERSION in values:
        raise InvalidImage("the file is a camera's raw file (DNG), which is not read; send a JPEG")
    if values.get(SUBFILE, 0) & REDUCED and SUB_DIRECTORIES in values:
        raise InvalidImage("the file is a camera's raw file (a TIFF with a preview), which is not read; send a JPEG")
    kept = [struct.pack(entry, *fields) for fields in entries if fields[0] in KEPT]
    directory = struct.pack(order + number, len(kept)) + b"".join(kept) + bytes(struct.calcsize(pointer))
    padding = bytes(-len(data) % 16)
    head = data[: 8 if big else 4] + struct.pack(order + pointer, len(data) + len(padding))
    orientation = values.get(ORIENTATION, 1)
    return Pixels(head + data[len(head) :] + padding + directory, orientation if 1 <= orientation <= 8 else 1)


def _number(order: str, kind: int, value: bytes) -> int:
    """A value that stands in the entry itself; 0 for other types, of which the place is the value."""
    form = {SHORT: "H", LONG: "I"}.get(kind)
    return int(struct.unpack_from(order + form, value)[0]) if form else 0
