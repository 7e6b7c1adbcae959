"""Every captured inference of a source, in bounded batches; what can't be read is counted and shown."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from contract.captures import EVALUATION_PREFIX
from operations.captures.period import Period
from operations.captures.records import LINES_TOGETHER, Batch, Columns, read_lines
from operations.captures.sources import CaptureFile, Source

BATCH = 1024
"""Records of a batch, more or less: a file is not cut in the middle of a block."""
EXAMPLES = 20
LONGEST_LINE = 32 << 20
"""Bytes after which a line without an end is given up: ten times the largest record that can be captured."""
BYTES_TOGETHER = 4 << 20
"""Bytes after which waiting lines are read, however few they are."""
REMEMBERED_IDS = 100_000


@dataclass(frozen=True, slots=True)
class Damage:
    """A line that holds no readable record."""

    file: str
    line: int
    """Counted from 1."""
    problem: str


@dataclass(slots=True)
class Reading:
    """What a reader has read so far."""

    files: int = 0
    bytes: int = 0
    records: int = 0
    """Readable records of the period, repeats included."""
    repeats: int = 0
    """Records of a photo that was already counted: its classification was tried again."""
    outside: int = 0
    """Readable records of another time than the period."""
    evaluations: int = 0
    """Readable records of the period that an evaluation made; they are left out."""
    damaged: int = 0
    examples: list[Damage] = field(default_factory=list[Damage])
    """The first EXAMPLES of the damaged."""

    def damage(self, file: str, line: int, problem: str) -> None:
        """Count a damaged line."""
        self.damaged += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(Damage(file, line, problem))


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where some of the waiting lines came from."""

    file: str
    first_line: int
    lines: int
    end: int
    """Their end among all that wait."""


class CaptureReader:
    """Reads a source once, in constant memory.

    `classes` is the number of scores a record must have (None: as many as the first record has). Only
    records with `period.start <= time < period.end` are yielded, each inference id once: of a repeat
    within the last 100,000 to 200,000 records the first stands.
    """

    def __init__(self, source: Source, period: Period = Period(), classes: int | None = None) -> None:  # noqa: B008
        self._source, self._period = source, period
        self._columns = Columns(classes)
        self._recent: set[str] = set()
        self._before: set[str] = set()
        self._lines: list[bytes] = []
        self._origins: list[_Origin] = []
        self._bytes_before = 0
        self.reading = Reading()

    @property
    def classes(self) -> int | None:
        """The number of classes, as soon as it is known."""
        return self._columns.classes

    def batches(self) -> Iterator[Batch]:
        """All inferences, in the order of the files and of the lines in them."""
        for file in self._source.files(self._period):
            self.reading.files += 1
            for first_line, lines in self._line_groups(file):
                self._lines += lines
                self._origins.append(_Origin(file.name, first_line, len(lines), len(self._lines)))
                # files of one record are read together, as the lines of one file are
                if len(self._lines) >= LINES_TOGETHER or self.reading.bytes - self._bytes_before >= BYTES_TOGETHER:
                    self._read()
                if len(self._columns.times) >= BATCH:
                    yield from self._take()
        self._read()
        yield from self._take()

    def _read(self) -> None:
        """Turn the lines that wait into columns; what is damaged is named by the file that it came from."""
        origins = self._origins

        def damaged(position: int, problem: str) -> None:
            origin = origins[bisect_right(origins, position, key=lambda origin: origin.end)]
            line = origin.first_line + position - (origin.end - origin.lines)
            self.reading.damage(origin.file, line, problem)

        read_lines(self._lines, self._columns, damaged)
        self._lines, self._origins, self._bytes_before = [], [], self.reading.bytes

    def _line_groups(self, file: CaptureFile) -> Iterator[tuple[int, list[bytes]]]:
        """(number of the first line, whole lines) of each block of the file."""
        rest: list[bytes] = []
        rest_size = 0
        number = 1
        skipping = False
        for block in file.blocks():
            self.reading.bytes += len(block)
            lines = block.split(b"\n")
            tail = lines.pop()
            if lines:
                if skipping:
                    lines[0], skipping = b"", False
                elif rest:
                    lines[0] = b"".join((*rest, lines[0]))
                yield number, lines
                number += len(lines)
                rest, rest_size = [], 0
            rest.append(tail)
            rest_size += len(tail)
            if rest_size > LONGEST_LINE:
                if not skipping:
                    self._read()
                    self.reading.damage(file.name, number, f"no line end within {LONGEST_LINE >> 20} MiB")
                rest, rest_size, skipping = [], 0, True
        if not skipping and rest_size:
            yield number, [b"".join(rest)]

    def _take(self) -> Iterator[Batch]:
        batch = self._columns.take()
        start, end = self._period.microseconds()
        inside = np.flatnonzero((batch.times >= start) & (batch.times < end))
        self.reading.outside += len(batch) - len(inside)
        self.reading.records += len(inside)
        if len(inside) < len(batch):
            batch = batch.select(inside.tolist())
        traffic = [at for at, name in enumerate(batch.ids) if name is None or not name.startswith(EVALUATION_PREFIX)]
        if len(traffic) < len(batch):
            self.reading.evaluations += len(batch) - len(traffic)
            batch = batch.select(traffic)
        fresh = self._fresh(batch.ids)
        if fresh is not None:
            self.reading.repeats += len(batch) - len(fresh)
            batch = batch.select(fresh)
        if len(batch):
            yield batch

    def _fresh(self, ids: list[str | None]) -> list[int] | None:
        """The positions of ids not seen recently (and of records without one); None when that is all."""
        known = {name for name in ids if name is not None}
        if len(known) == len(ids) and self._recent.isdisjoint(known) and self._before.isdisjoint(known):
            self._remember(known)
            return None
        fresh: list[int] = []
        met: set[str] = set()
        for position, name in enumerate(ids):
            if name is None:
                fresh.append(position)
            elif name not in met and name not in self._recent and name not in self._before:
                met.add(name)
                fresh.append(position)
        self._remember(met)
        return fresh

    def _remember(self, ids: set[str]) -> None:
        self._recent |= ids
        if len(self._recent) >= REMEMBERED_IDS:
            self._before, self._recent = self._recent, set()
