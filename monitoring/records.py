"""Lines of capture files turned into columns: a fast way for the usual record, handlers.capture for every
other.

The fast way takes only records whose meaning it is sure of; whatever looks odd goes to
`handlers.capture.read_line`, which alone decides what a damaged record is. So there is one truth, and it is
slow only where it has to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from handlers.capture import DamagedRecord, read_line
from monitoring.binning import Floats, Ints
from monitoring.period import epoch_microseconds

Picture = tuple[str, str]
"""(encoding, data) of the captured input, not decoded."""
_FLOATS = {float}
_SUM_TOLERANCE = 1e-4
"""Stricter than the classifier contract: a sum further from 1 takes the slow way."""
_TIMES_REMEMBERED = 100_000


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
    """Scores a record must have; the first record says it when nobody did."""
    times: list[int] = field(default_factory=list[int])
    scores: list[float] = field(default_factory=list[float])
    ids: list[str | None] = field(default_factory=list["str | None"])
    inputs: list[Picture | None] = field(default_factory=list["Picture | None"])

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


class Times:
    """Microseconds of `2026-05-03T14:00:00Z`, remembered because many records share a second."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """The microseconds; ValueError unless the text has exactly that form."""
        value = self._known.get(text)
        if value is None:
            if len(text) != 20 or text[19] != "Z" or text[10] != "T":
                raise ValueError(text)
            value = epoch_microseconds(datetime.fromisoformat(text))
            if len(self._known) >= _TIMES_REMEMBERED:
                self._known.clear()
            self._known[text] = value
        return value


def read_lines(
    lines: Sequence[bytes],
    columns: Columns,
    times: Callable[[str], int],
    damaged: Callable[[int, str], None],
) -> None:
    """Append the record on each line to `columns`; `damaged(position, problem)` hears of each line that
    holds none.

    Empty lines are skipped. This loop is the reader's cost: everything in it is there for its speed.
    """
    loads = orjson.loads
    add_time, add_scores = columns.times.append, columns.scores.extend
    add_id, add_input = columns.ids.append, columns.inputs.append
    classes = columns.classes
    for position, line in enumerate(lines):
        if not line:
            continue
        try:
            record: Any = loads(line)
            capture = record["captureData"]
            event = record["eventMetadata"]
            output = capture["endpointOutput"]
            given = capture["endpointInput"]
            scores: list[Any] = loads(output["data"])
            inference_id = event.get("inferenceId")
            if (
                output["encoding"] != "JSON"
                or type(scores) is not list
                or len(scores) != classes  # pyright: ignore[reportUnknownArgumentType]
                or {*map(type, scores)} != _FLOATS  # pyright: ignore[reportUnknownArgumentType]
                or min(scores) < 0.0
                or not -_SUM_TOLERANCE < sum(scores) - 1.0 < _SUM_TOLERANCE
                or max(scores) > 1.0
                or (type(inference_id) is not str and inference_id is not None)
                or type(event["eventId"]) is not str
                or type(given["data"]) is not str
                or type(given["encoding"]) is not str
            ):
                raise ValueError
            moment = times(event["inferenceTime"])
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            try:
                inference = read_line(line)
                if inference is None:
                    continue
                if classes is None:
                    classes = columns.classes = len(inference.scores)
                if len(inference.scores) != classes:
                    raise DamagedRecord(
                        f"scores of {len(inference.scores)} classes, where {classes} were expected"
                    )
            except DamagedRecord as problem:
                damaged(position, str(problem))
                continue
            add_time(epoch_microseconds(inference.time))
            add_scores(inference.scores)
            add_id(inference.inference_id)
            add_input(inference.observed_input)
            continue
        add_time(moment)
        add_scores(scores)
        add_id(inference_id)
        add_input((given["encoding"], given["data"]))
