"""RecordIO against a reader that was written from the format's definition and shares nothing with ours.

dmlc-core, include/dmlc/recordio.h: words of four bytes, little endian; `kMagic = 0xced7230a`; the next word holds
`cflag` in its upper 3 bits and the length in its lower 29; 0 is a whole record, 1 the start, 2 the middle and 3 the
end of one that was cut where its payload holds the magic word at a multiple of four, and that word is left out.
MXNet, python/mxnet/recordio.py: an image record begins with `IfQQ`: flag, label, id, id2.
"""

import io
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training.dataset.recordio import Record, RecordIOError, read_records, write_record

MAGIC = b"\x0a\x23\xd7\xce"


def by_definition(data: bytes) -> list[tuple[int, float, int, int, bytes]]:
    """(flag, label, id, id2, image) of each record."""
    assert len(data) % 4 == 0
    records, position, parts = [], 0, []
    while position < len(data):
        magic, word = struct.unpack_from("<II", data, position)
        assert magic == 0xCED7230A
        continuation, length = word >> 29, word & 0x1FFFFFFF
        assert continuation in ((2, 3) if parts else (0, 1))
        payload = data[position + 8 : position + 8 + length]
        assert len(payload) == length
        padding = data[position + 8 + length : position + 8 + (length + 3) // 4 * 4]
        assert padding == bytes(len(padding))
        # a reader that starts anywhere looks for the magic at every fourth byte
        assert MAGIC not in {payload[at : at + 4] for at in range(0, length, 4)}
        parts.append(payload)
        position += 8 + (length + 3) // 4 * 4
        if continuation in (0, 3):
            whole = MAGIC.join(parts)
            records.append((*struct.unpack_from("<IfQQ", whole), whole[24:]))
            parts = []
    assert not parts
    return records


def written(*records: Record) -> bytes:
    file = io.BytesIO()
    for record in records:
        write_record(file, record)
    return file.getvalue()


def reread(data: bytes) -> list[Record]:
    return list(read_records(io.BytesIO(data)))


payloads = st.lists(st.one_of(st.just(MAGIC), st.binary(max_size=9), st.just(MAGIC[:2])), max_size=8).map(b"".join)
labels, ids = st.integers(0, 99), st.integers(0, 2**64 - 1)
records = st.lists(st.builds(Record, labels, ids, payloads), max_size=5)


def test_one_record_is_these_very_bytes() -> None:
    header = b"\x00\x00\x00\x00" + b"\x00\x00\x40\x40" + b"\x07" + bytes(7) + bytes(8)
    assert written(Record(3, 7, b"abcde")) == MAGIC + b"\x1d\x00\x00\x00" + header + b"abcde" + b"\x00\x00\x00"


@pytest.mark.parametrize("offset", range(9))
def test_the_magic_word_in_a_payload_survives_at_every_offset(offset: int) -> None:
    payload = b"x" * offset + MAGIC + b"yz"
    data = written(Record(1, 2, payload))
    assert by_definition(data) == [(0, 1.0, 2, 0, payload)]
    assert reread(data) == [Record(1, 2, payload)]


def test_a_payload_is_cut_only_where_the_magic_word_is_aligned() -> None:
    flags = [struct.unpack_from("<I", written(Record(0, 0, b"x" * offset + MAGIC)), 4)[0] >> 29 for offset in range(8)]
    assert flags == [1, 0, 0, 0, 1, 0, 0, 0]


def test_a_record_of_nothing_but_magic_words_has_a_first_middle_parts_and_a_last() -> None:
    data = written(Record(1, 2, MAGIC * 3))
    flags = [struct.unpack_from("<I", data, at)[0] >> 29 for at in (4, 4 + 8 + 24, 4 + 16 + 24, 4 + 24 + 24)]
    assert flags == [1, 2, 2, 3] and by_definition(data)[0][-1] == MAGIC * 3


def test_an_id_that_is_the_magic_word_is_read_back() -> None:
    record = Record(1, 0xCED7230A, b"image")
    assert by_definition(written(record)) == [(0, 1.0, 0xCED7230A, 0, b"image")]
    assert reread(written(record)) == [record]


@given(records)
@example([Record(0, 0, b"")])
@example([Record(0, 0, MAGIC), Record(1, 1, b"a" + MAGIC + MAGIC)])
def test_what_is_written_is_what_the_definition_reads(given_records: list[Record]) -> None:
    expected = [(0, float(record.label), record.id, 0, record.payload) for record in given_records]
    assert by_definition(written(*given_records)) == expected


@given(records)
def test_what_is_written_is_what_our_reader_reads(given_records: list[Record]) -> None:
    assert reread(written(*given_records)) == given_records


@given(st.lists(st.builds(Record, labels, ids, payloads), min_size=1, max_size=3), st.data())
def test_a_file_cut_off_anywhere_is_refused_or_ends_after_a_whole_record(
    given_records: list[Record], data: st.DataObject
) -> None:
    ends = [len(written(*given_records[:count])) for count in range(len(given_records) + 1)]
    end = data.draw(st.integers(0, ends[-1]))
    cut = written(*given_records)[:end]
    if end in ends:
        assert reread(cut) == given_records[: ends.index(end)]
    else:
        with pytest.raises(RecordIOError):
            reread(cut)


def test_records_before_the_damage_are_still_read() -> None:
    reading = read_records(io.BytesIO(written(Record(1, 1, b"good"), Record(0, 2, b"cut off"))[:-4]))
    assert next(reading) == Record(1, 1, b"good")
    with pytest.raises(RecordIOError, match="cut off"):
        next(reading)


def head(flag: int, data: bytes) -> bytes:
    return MAGIC + struct.pack("<I", flag << 29 | len(data)) + data + bytes(-len(data) % 4)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n", "not RecordIO: expected the magic number, got 89504e47"),
        (MAGIC[:3], "not RecordIO"),
        (head(2, bytes(24)), "out of order"),
        (head(3, bytes(24)), "out of order"),
        (head(1, bytes(24)) + head(0, bytes(24)), "out of order"),
        (head(1, bytes(24)) + head(1, bytes(24)), "out of order"),
        (head(5, bytes(24)), "out of order"),
        (head(1, bytes(24)), "the last record has no last part"),
        (head(0, bytes(23)), "a record of 23 bytes has no image header"),
        (head(0, struct.pack("<IfQQ", 2, 0, 0, 0) + bytes(8)), "one whole label"),
        (head(0, struct.pack("<IfQQ", 0, 0.5, 0, 0)), "one whole label"),
        (head(0, struct.pack("<IfQQ", 0, float("nan"), 0, 0)), "one whole label"),
        (head(0, struct.pack("<IfQQ", 0, float("inf"), 0, 0)), "one whole label"),
    ],
)
def test_what_is_not_a_file_of_single_labels_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RecordIOError, match=reason):
        reread(data)


def test_a_record_longer_than_the_length_field_is_refused() -> None:
    class Long(bytes):
        def __radd__(self, _: bytes) -> bytes:
            return self

        def __len__(self) -> int:
            return 1 << 29

    with pytest.raises(ValueError, match="at most 536870911 bytes"):
        write_record(io.BytesIO(), Record(0, 0, Long()))
