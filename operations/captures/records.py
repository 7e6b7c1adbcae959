"""Lines of capture files turned into columns: a fast way for the usual record, contract.captures for every
other.

The fast way takes only records whose meaning it is sure of; whatever looks odd goes to
`contract.captures.read_line`, which alone decides what a damaged record is. So there is one truth, and it is
slow only where it has to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import orjson

from contract.captures import FIRST_YEAR, LAST_YEAR, DamagedRecord, Inference, read_line
from contract.inferences import SUM_TOLERANCE
from operations.arrays import Floats, Ints
from operations.captures.period import epoch_microseconds

Picture = tuple[str, str]
"""(encoding, data) of the captured input, not decoded."""
_SURELY_ONE = SUM_TOLERANCE / 2
"""A sum further from 1 takes the slow way, which adds more exactly."""
LINES_TOGETHER = 128
"""Lines parsed at a time: few enough to stay in the processor's cache."""
_FEW_LINES = 8
"""Lines that are few enough to be read the slow way together."""
_TIMES = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)*")
_TIME_LENGTH = 20
_EARLIEST, _LATEST = (int(datetime(year, 6, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR))
"""Seconds since 1970 between which a time is surely one of those years."""


@dataclass(slots=True)
class Batch:
    """Some inferences, as columns of equal length."""

    times: Ints
    """Microseconds since 1970."""
    scores: Floats
    """A row of class probabilities per inference."""
    ids: list[str | None]
    inputs: list[Picture | None]

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, keep: Sequence[int]) -> Batch:
        """The inferences at those positions."""
        return Batch(
            self.times[list(keep)],
            self.scores[list(keep)],
            [self.ids[i] for i in keep],
            [self.inputs[i] for i in keep],
        )


@dataclass(slots=True)
class Columns:
    """A batch being filled."""

    classes: int | None = None
    """Scores a record must have; the first record's number when None was given."""
    times: list[int] = field(default_factory=list[int])
    scores: list[float] = field(default_factory=list[float])
    ids: list[str | None] = field(default_factory=list["str | None"])
    inputs: list[Picture | None] = field(default_factory=list["Picture | None"])

    def add(self, inference: Inference) -> None:
        """Append one.

        Raises:
            DamagedRecord: it has another number of scores.
        """
        count = len(inference.scores)
        if self.classes is None:
            self.classes = count
        if count != self.classes:
            raise DamagedRecord(f"scores of {count} classes, where {self.classes} were expected")
        self.times.append(epoch_microseconds(inference.time))
        self.scores += inference.scores
        self.ids.append(inference.inference_id)
        self.inputs.append(inference.observed_input)

    def take(self) -> Batch:
        """The batch; the columns are empty afterwards."""
        batch = Batch(
            np.array(self.times, np.int64),
            np.array(self.scores, np.float64).reshape(len(self.times), -1)
            if self.times
            else np.empty((0, self.classes or 0)),
            self.ids,
            self.inputs,
        )
        self.times, self.scores, self.ids, self.inputs = [], [], [], []
        return batch


def read_lines(lines: Sequence[bytes], columns: Columns, damaged: Callable[[int, str], None], first: int = 0) -> None:
    """Append the record on each line to `columns`; empty lines are skipped.

    `damaged(position, problem)` is called for each line that holds no record; positions count from `first`.
    """
    start = 0
    while columns.classes is None and start < len(lines):
        _read_carefully(lines[start : start + 1], columns, damaged, first + start)
        start += 1
    for begin in range(start, len(lines), LINES_TOGETHER):
        _read(lines[begin : begin + LINES_TOGETHER], columns, damaged, first + begin)


def _read(lines: Sequence[bytes], columns: Columns, damaged: Callable[[int, str], None], first: int) -> None:
    """Read the lines fast; where that does not work halve them, so that few beside the odd one are read slowly."""
    if len(lines) <= _FEW_LINES:
        _read_carefully(lines, columns, damaged, first)
        return
    if _read_usual(lines, columns):
        return
    middle = len(lines) // 2
    _read(lines[:middle], columns, damaged, first)
    _read(lines[middle:], columns, damaged, first + middle)


def _read_carefully(lines: Sequence[bytes], columns: Columns, damaged: Callable[[int, str], None], first: int) -> None:
    for position, line in enumerate(lines, first):
        try:
            inference = read_line(line)
            if inference is not None:
                columns.add(inference)
        except DamagedRecord as problem:
            damaged(position, str(problem))


def _read_usual(lines: Sequence[bytes], columns: Columns) -> bool:
    """Append all the records if all are of the usual kind, else append nothing and return False.

    This is the reader's cost: a pass of orjson over the lines, and as little else per record as can be.
    """
    loads = orjson.loads
    try:
        records: list[Any] = [loads(line) for line in lines if line]
        captures = [record["captureData"] for record in records]
        events = [record["eventMetadata"] for record in records]
        outputs = [capture["endpointOutput"] for capture in captures]
        inputs = [capture["endpointInput"] for capture in captures]
        rows = [loads(output["data"]) for output in outputs]
        pictures = [(given["encoding"], given["data"]) for given in inputs]
        ids = [event.get("inferenceId") for event in events]
        texts = [event["eventId"] for event in events]
        texts += chain.from_iterable(pictures)
        moments = _moments([event["inferenceTime"] for event in events])
        scores = list(chain.from_iterable(rows))
        usual = (
            {*map(type, rows)} <= {list}
            and {*map(len, rows)} <= {columns.classes}
            and {*map(type, scores)} <= {float}
            and {*map(type, ids)} <= {str, type(None)}
            and {*map(type, texts)} <= {str}
            and {output["encoding"] for output in outputs} <= {"JSON"}
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return False
    if not usual or not _probable(scores, columns.classes or 0):
        return False
    columns.times += moments
    columns.scores += scores
    columns.ids += ids
    columns.inputs += pictures
    return True


def _moments(texts: list[str]) -> list[int]:
    """Microseconds since 1970 of texts that all look like `2026-05-03T14:00:00Z`; ValueError otherwise."""
    if not {*map(len, texts)} <= {_TIME_LENGTH} or not _TIMES.fullmatch("".join(texts)):
        raise ValueError
    seconds = np.array([text[:-1] for text in texts], "datetime64[s]").astype(np.int64)
    if len(texts) and not _EARLIEST <= seconds.min() <= seconds.max() <= _LATEST:
        raise ValueError
    return (seconds * 1_000_000).tolist()


def _probable(scores: list[float], classes: int) -> bool:
    """Whether every row is a distribution beyond doubt."""
    if not scores:
        return True
    table = np.array(scores).reshape(-1, classes)
    return bool(table.min() >= 0.0 and table.max() <= 1.0 and np.abs(table.sum(axis=1) - 1.0).max() < _SURELY_ONE)
