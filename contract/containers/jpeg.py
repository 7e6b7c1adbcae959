"""JPEG: segments, and between them the scans (ITU-T T.81, "Compressed data formats")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract.containers.pixels import Pixels, orientation_of
from contract.errors import InvalidImage

START, END = b"\xff\xd8", b"\xff\xd9"
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start of frame, of every kind of coding."""
BASELINE = frozenset({0xC0, 0xC1})
"""Sequential, with Huffman codes."""
TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
"""Codes, quantization, number of lines, restart interval."""
BETWEEN_SCANS = TABLES | {0xDA, 0xFE, *range(0xE0, 0xF0)}
RESTART_INTERVAL, SCAN = 0xDD, 0xDA
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a segment."""
COEFFICIENTS = 64
"""Of a block."""
LOOK_AHEAD = bytes(8)
"""What the decoder wants to see behind the last pixel: it looks 57 bits ahead (libjpeg-turbo, jdhuff.h)."""
OTHER_END = b"\x55\xaa" * 32 + END
"""Bits that would change the picture if any were needed."""
_SCAN_END = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")


@dataclass(slots=True)
class _Read:
    """What has been seen of a file."""

    kept: list[bytes] = field(default_factory=lambda: [START])
    exif: bytes = b""
    xmp: bytes = b""
    frame: int = 0
    components: int = 0
    scans: int = 0
    together: bool = False
    """Whether the first scan holds all components."""
    restarts: bool = False
    missing: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    """(Component, coefficient) -> bits that a later scan has to bring."""
    ended: bool = False


def pixels_of(data: bytes) -> Pixels:
    """The frame, its tables and its scans, as a JPEG of their own, without what follows its end.

    Pillow hides its decoder's warnings. A picture of one scan therefore gets no end mark: where the decoder would
    warn that pixels are missing and paint them grey, it has to ask for more, and fails; where it would warn that
    data are left over, they are. A picture of several scans can't be read without one.

    Raises:
        InvalidImage: damaged, cut off between its scans, or of a kind that no decoder here reads.
    """
    read = _Read()
    for marker, start, end in _segments(data):
        if marker == END[1]:
            read.ended = True
            break
        _take(read, data, marker, start, end)
    if not read.frame or not read.scans:
        raise InvalidImage("the photo is damaged or cut off: its frame or its pixels are missing")
    orientation = orientation_of(read.exif, read.xmp)
    # half a marker at the end of a file that was cut off
    body = b"".join(read.kept) if read.ended else b"".join(read.kept).rstrip(b"\xff")
    if read.frame in BASELINE and read.scans == 1 and read.together:
        return Pixels(body + LOOK_AHEAD, orientation, used_up=True)
    if read.ended:
        return Pixels(body + END, orientation)
    # the end may have been lost alone
    if len(read.missing) < COEFFICIENTS * read.components or any(read.missing.values()):
        raise InvalidImage("the photo is cut off: some of its scans are missing")
    return Pixels(body + END, orientation, other_end=body + OTHER_END)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, and where its segment (and a scan's data) start and end."""
    place = len(START)
    while (place := data.find(b"\xff", place)) >= 0:
        while data[place : place + 1] == b"\xff":
            place += 1
        if place >= len(data):
            return
        marker, start = data[place], place - 1
        place += 1
        if marker == END[1]:
            yield marker, start, place
            return
        if marker == 0 or marker in ALONE:
            continue
        length = int.from_bytes(data[place : place + 2])
        place += max(length, 2)
        if place > len(data):
            return
        if marker == SCAN:
            found = _SCAN_END.search(data, place)
            place = found.start() if found else len(data)
            yield marker, start, place
            if found and found[0][-1] not in BETWEEN_SCANS and found[0][-1] != END[1]:
                raise InvalidImage("the photo is damaged: something else stands among its pixels")
        else:
            yield marker, start, place


def _take(read: _Read, data: bytes, marker: int, start: int, end: int) -> None:
    segment = data[start:end]
    body = segment[4:]
    if marker in FRAMES:
        if body[:1] != b"\x08":
            raise InvalidImage(f"the photo has {body[0] if body else 0} bits a sample, which is not read; send 8 bits")
        read.frame, read.components = marker, body[5] if len(body) > 5 else 0
        if read.components not in (1, 3, 4):
            raise InvalidImage(f"the photo has {read.components} colours, which is not read; send 1, 3 or 4")
    elif marker == RESTART_INTERVAL:
        read.restarts = any(body[:2])
    elif marker == SCAN:
        _check_scan(read, segment)
    elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
        read.exif += body[6 if read.exif else 0 :]
        return
    elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
        read.xmp += body
        return
    elif not (
        marker in TABLES
        # these two say what the colours are; a short one says nothing to the decoder either
        or (marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14)
        or (marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12)
    ):
        return
    read.kept.append(segment)


def _check_scan(read: _Read, segment: bytes) -> None:
    length = int.from_bytes(segment[2:4])
    header = segment[4 : 2 + length]
    count = header[0] if header else 0
    if len(header) < 4 + 2 * count or not 1 <= count <= 4:
        raise InvalidImage("the photo is damaged: the header of a scan is cut off")
    read.scans += 1
    read.together = read.scans == 1 and count == read.components
    first, last, bits = header[1 + 2 * count : 4 + 2 * count]
    for component in header[1 : 1 + 2 * count : 2]:
        for coefficient in range(first, min(last, COEFFICIENTS - 1) + 1):
            read.missing[component, coefficient] = bits & 15
    markers = [found[1][0] & 7 for found in _RESTART.finditer(segment, 2 + length)]
    if markers != [number % 8 for number in range(len(markers))] or (markers and not read.restarts):
        raise InvalidImage("the photo is damaged: its restart markers are out of order")
