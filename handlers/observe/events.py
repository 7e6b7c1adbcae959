"""What an ended execution and a drift alarm say, as Step Functions and CloudWatch tell it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from contract.decisions import ENDED_EXECUTION, Outcome, outcome_of
from contract.errors import InvalidEvent


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended."""

    outcome: Outcome
    time: datetime
    loading_bay: str
    """Where the driver was sent; empty unless accepted."""


def read_execution(event: dict[str, object]) -> Ended:
    """Read an EventBridge event "Step Functions Execution Status Change" of an execution that ended.

    Raises:
        InvalidEvent: another shape, or an execution that still runs.
    """
    detail = _object(event.get("detail"), "detail")
    status, stopped = detail.get("status"), detail.get("stopDate")
    if isinstance(stopped, bool) or not isinstance(stopped, int | float):
        raise InvalidEvent(f"detail.stopDate must be milliseconds since 1970, got {stopped!r:.100}")
    try:
        time = datetime.fromtimestamp(stopped / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidEvent(f"detail.stopDate is no time, got {stopped!r:.100}") from error
    if not isinstance(status, str) or status not in ENDED_EXECUTION:
        raise InvalidEvent(f"detail.status must be one of {', '.join(ENDED_EXECUTION)}, got {status!r:.100}")
    error = detail.get("error")
    outcome = outcome_of(status, error if isinstance(error, str) else None)
    return Ended(outcome, time, _loading_bay(detail.get("output")) if outcome == "accepted" else "")


def _loading_bay(output: object) -> str:
    """From the execution's output; empty when the event leaves the output out (above 248 KiB)."""
    try:
        result = cast("object", json.loads(output)) if isinstance(output, str) else None
    except (ValueError, RecursionError):
        result = None
    bay = cast("dict[str, object]", result).get("loading_bay") if isinstance(result, dict) else None
    return bay if isinstance(bay, str) else ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm that changed its state."""

    arn: str
    state: str
    """OK, ALARM or INSUFFICIENT_DATA."""
    reason: str
    time: str
    """Of the change, as CloudWatch writes it."""

    @property
    def transition_id(self) -> str:
        """The same 32 hexadecimal digits however often this change of state is reported."""
        return hashlib.sha256(f"{self.arn}\n{self.state}\n{self.time}".encode()).hexdigest()[:32]


def read_alarm(event: dict[str, object]) -> Alarm:
    """Read what an alarm invokes a function with (CloudWatch, "Invoke a Lambda function from an alarm").

    Raises:
        InvalidEvent: another shape.
    """
    state = _object(_object(event.get("alarmData"), "alarmData").get("state"), "alarmData.state")
    return Alarm(
        arn=_text(event.get("alarmArn"), "alarmArn"),
        state=_text(state.get("value"), "alarmData.state.value"),
        reason=_text(state.get("reason"), "alarmData.state.reason"),
        time=_text(state.get("timestamp"), "alarmData.state.timestamp"),
    )


def _object(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidEvent(f"{name} must be an object, got {value!r:.100}")
    return cast("dict[str, object]", value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"{name} must be a non-empty string, got {value!r:.100}")
    return value
