"""MXNet's RecordIO with image headers: what the built-in algorithm reads from a `.rec` file.

A file is a run of records: the magic number, a word that holds a continuation flag (3 bits) and a length
(29 bits), the payload, and zeros up to a multiple of four bytes. A payload that itself holds the magic number
at a multiple of four is cut there into parts, flagged 1 (first), 2 (middle), 3 (last)
(dmlc-core, `include/dmlc/recordio.h`). The payload of an image is a header of 24 bytes, `<IfQQ`: a flag (0: one
label), the label, the id, a second id; then the encoded image (MXNet, `python/mxnet/recordio.py`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from contract.errors import UserError

MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_PART = struct.Struct("<II")
_HEADER = struct.Struct("<IfQQ")
_LENGTH_BITS = 29
_LENGTH_MASK = (1 << _LENGTH_BITS) - 1


@dataclass(frozen=True, slots=True)
class Record:
    """An image of a `.rec` file: its label, its id (unique in the file), and its encoded bytes."""

    label: int
    id: int
    payload: bytes


class RecordIOError(UserError):
    """Bytes that are not RecordIO."""


def write_record(file: BinaryIO, record: Record) -> None:
    """Append an image.

    Raises:
        ValueError: the record is longer than the format's 512 MiB.
    """
    data = _HEADER.pack(0, float(record.label), record.id, 0) + record.payload
    if len(data) > _LENGTH_MASK:
        raise ValueError(f"a record holds at most {_LENGTH_MASK} bytes, got {len(data)}")
    parts = _split(data)
    pieces: list[bytes] = []
    for index, part in enumerate(parts):
        flag = 0 if len(parts) == 1 else 1 if index == 0 else 3 if index == len(parts) - 1 else 2
        pieces += (_PART.pack(MAGIC, flag << _LENGTH_BITS | len(part)), part, bytes(-len(part) % 4))
    file.write(b"".join(pieces))


def _split(data: bytes) -> list[bytes]:
    parts: list[bytes] = []
    start, at = 0, data.find(_MAGIC_BYTES)
    while at >= 0:
        if at % 4 == 0:
            parts.append(data[start:at])
            start = at + 4
            at = data.find(_MAGIC_BYTES, start)
        else:
            at = data.find(_MAGIC_BYTES, at + 1)
    parts.append(data[start:])
    return parts


def read_records(file: BinaryIO) -> Iterator[Record]:
    """The images of a `.rec` file, one at a time.

    Raises:
        RecordIOError: the bytes are not RecordIO, are cut off, or hold several labels an image.
    """
    parts: list[bytes] = []
    while head := file.read(8):
        if len(head) < 8 or not head.startswith(_MAGIC_BYTES):
            raise RecordIOError(f"not RecordIO: expected the magic number, got {head[:4].hex()}")
        (word,) = struct.unpack("<I", head[4:])
        flag, length = word >> _LENGTH_BITS, word & _LENGTH_MASK
        data = file.read(length)
        if len(data) < length or len(file.read(-length % 4)) < -length % 4:
            raise RecordIOError(f"cut off: a record of {length} bytes ends after {len(data)}")
        if flag not in (0, 1, 2, 3) or (flag in (0, 1)) == bool(parts):
            raise RecordIOError(f"the parts of a record are out of order (flag {flag})")
        parts.append(data)
        if flag in (0, 3):
            yield _image(_MAGIC_BYTES.join(parts))
            parts = []
    if parts:
        raise RecordIOError("cut off: the last record has no last part")


def _image(data: bytes) -> Record:
    if len(data) < _HEADER.size:
        raise RecordIOError(f"a record of {len(data)} bytes has no image header")
    flag, label, identity, _ = _HEADER.unpack_from(data)
    if flag != 0 or not float(label).is_integer():
        raise RecordIOError(f"expected one whole label an image, got flag {flag} and label {label}")
    return Record(int(label), identity, data[_HEADER.size :])
