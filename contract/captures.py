"""One captured inference: a line of SageMaker's data capture files, read strictly.

A capture file holds one JSON record a line, many lines a file:

    {"captureData": {"endpointInput": {"observedContentType": "application/x-image", "mode": "INPUT",
                                       "data": "iVBORw0…", "encoding": "BASE64"},
                     "endpointOutput": {"observedContentType": "application/json", "mode": "OUTPUT",
                                        "data": "[0.98, 0.02]", "encoding": "JSON"}},
     "eventMetadata": {"eventId": "…", "inferenceId": "…", "inferenceTime": "2022-02-14T17:25:49Z"},
     "eventVersion": "0"}

`inferenceId` is there when the caller gave one. The output's encoding is JSON when the endpoint's
configuration lists application/json among its JSON content types, else BASE64. `endpointInput` is absent
when only outputs are captured.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeGuard

from contract.errors import InvalidInference
from contract.inferences import best_of, read_inferences

EVALUATION_PREFIX = "evaluation-"
"""How the inference ids of an evaluation begin: its photos are captured too, but are no traffic."""


@dataclass(frozen=True, slots=True)
class Inference:
    """What the model said about one photo."""

    event_id: str
    inference_id: str | None
    """The id that the caller gave; None when it gave none."""
    time: datetime
    """When the endpoint answered: aware, UTC."""
    scores: tuple[float, ...]
    """A probability per class, in label order."""
    observed_input: tuple[str, str] | None = None
    """(encoding, data) of the photo as captured, not decoded; None when inputs are not captured."""

    @property
    def is_evaluation(self) -> bool:
        """Whether an evaluation asked, and not a driver's photo."""
        return self.inference_id is not None and self.inference_id.startswith(EVALUATION_PREFIX)

    @property
    def label_index(self) -> int:
        """The class of the highest score; of equal ones the first in label order."""
        return best_of(self.scores)


FIRST_YEAR, LAST_YEAR = 1990, 2199
"""Years in which an inference may have been made: what is captured earlier is by a clock that was not set, and later by
one that jumped; either would stretch every report of its period over centuries."""


class DamagedRecord(ValueError):
    """A line that holds no readable inference; the message says what is wrong with which field."""


def read_line(line: bytes) -> Inference | None:
    """The inference on one line; None on an empty one.

    Raises:
        DamagedRecord: as read_record does, and for a line that is not JSON.
    """
    if not line.strip():
        return None
    return read_record(_parse_json(line, "the line"))


def read_record(record: object) -> Inference:
    """The inference in one parsed record.

    Raises:
        DamagedRecord: a field is missing, of the wrong type or not decodable, or the output is not a list of
            two or more probabilities as contract.inferences has them.
    """
    capture = _member(record, "captureData", "the record")
    event = _member(record, "eventMetadata", "the record")
    output = _member(capture, "endpointOutput", "captureData")
    inference_id = event.get("inferenceId")
    if inference_id is not None and not isinstance(inference_id, str):
        raise DamagedRecord(f"eventMetadata.inferenceId must be a string, got {_shown(inference_id)}")
    return Inference(
        event_id=_text(event, "eventId", "eventMetadata"),
        inference_id=inference_id,
        time=_time(_text(event, "inferenceTime", "eventMetadata")),
        scores=_scores(output),
        observed_input=_observed_input(capture),
    )


def _scores(output: dict[str, object]) -> tuple[float, ...]:
    name = "endpointOutput.data"
    encoding, data = _text(output, "encoding", "endpointOutput"), _text(output, "data", "endpointOutput")
    if encoding == "BASE64":
        try:
            content: str | bytes = base64.b64decode(data, validate=True)
        except ValueError as error:
            raise DamagedRecord(f"{name} is not base64: {error}") from error
    elif encoding == "JSON":
        content = data
    else:
        raise DamagedRecord(f"endpointOutput.encoding must be JSON or BASE64, got {_shown(encoding)}")
    values = _parse_json(content, name)
    if not _is_list(values) or len(values) < 2:
        raise DamagedRecord(f"{name} must be a list of two or more probabilities, got {_shown(values)}")
    try:
        return read_inferences(values, len(values))
    except InvalidInference as error:
        raise DamagedRecord(f"{name}: {error}") from error


def _observed_input(capture: dict[str, object]) -> tuple[str, str] | None:
    if "endpointInput" not in capture:
        return None
    given = _member(capture, "endpointInput", "captureData")
    return _text(given, "encoding", "endpointInput"), _text(given, "data", "endpointInput")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        moment = moment.astimezone(UTC)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValueError("no year of a clock that goes")
        return moment
    except (ValueError, OverflowError) as error:
        wanted = "a time with its zone such as 2022-02-14T17:25:49Z"
        raise DamagedRecord(f"eventMetadata.inferenceTime must be {wanted}, got {_shown(text)}") from error


def _parse_json(content: str | bytes, name: str) -> object:
    try:
        return json.loads(content)
    except RecursionError as error:
        raise DamagedRecord(f"{name} is not JSON: nested too deep") from error
    except UnicodeDecodeError as error:
        raise DamagedRecord(f"{name} is not JSON: not UTF-8") from error
    except ValueError as error:
        raise DamagedRecord(f"{name} is not JSON: {error}") from error


def _member(parent: object, key: str, name: str) -> dict[str, object]:
    """The object `parent[key]`."""
    if not _is_object(parent):
        raise DamagedRecord(f"{name} must be an object, got {_shown(parent)}")
    if key not in parent:
        raise DamagedRecord(f"{name} has no {key}")
    value = parent[key]
    if not _is_object(value):
        raise DamagedRecord(f"{key} must be an object, got {_shown(value)}")
    return value


def _text(parent: dict[str, object], key: str, name: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str):
        problem = f"must be a string, got {_shown(value)}" if key in parent else "is missing"
        raise DamagedRecord(f"{name}.{key} {problem}")
    return value


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _shown(value: object) -> str:
    """The value in a message: short, whatever was captured."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested without end, or an integer of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
