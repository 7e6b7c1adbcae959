"""PNG files of CIFAR's rows, the same bytes on every machine.

The pixels are stored, not compressed (RFC 1951, block type 0): two versions of zlib compress the same pixels to
different bytes, and a dataset's identity must not depend on that. A 32x32 image takes 3172 bytes instead of about
2300. The layout is that of the PNG specification, third edition: signature, IHDR, IDAT, IEND.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.dataset.archive import SIDE

CHUNK = 1024
"""Images laid out at a time: 3 MB."""
_LINE = 1 + 3 * SIDE
_RAW = SIDE * _LINE


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_HEAD = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0))
# zlib's header, then one last block of stored bytes: its length, and the length's complement
_STORED = b"\x78\x01\x01" + struct.pack("<HH", _RAW, _RAW ^ 0xFFFF)
_IDAT = b"IDAT" + _STORED
_BEFORE = _HEAD + struct.pack(">I", len(_STORED) + _RAW + 4) + _IDAT
_CRC = zlib.crc32(_IDAT)
_END = _chunk(b"IEND", b"")
_WORD = struct.Struct(">I")


def encode_pngs(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> Iterator[bytes]:
    """The images at `rows` of an array (n, 3072) of red, green and blue planes, as PNG files, one at a time."""
    lines = np.zeros((CHUNK, SIDE, _LINE), np.uint8)  # each line begins with filter 0: none
    for start in range(0, len(rows), CHUNK):
        chosen = rows[start : start + CHUNK]
        planes = pixels[chosen].reshape(-1, 3, SIDE, SIDE)
        for color in range(3):
            lines[: len(chosen), :, 1 + color :: 3] = planes[:, color]
        for image in lines[: len(chosen)]:
            raw = image.tobytes()
            check = _WORD.pack(zlib.adler32(raw))
            yield b"".join((_BEFORE, raw, check, _WORD.pack(zlib.crc32(check, zlib.crc32(raw, _CRC))), _END))
