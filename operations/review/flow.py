"""What the state machine does at the moment: the latest executions, and the way of one photo through the steps."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from contract import prefixes
from contract.decisions import Outcome, outcome_of
from contract.errors import UserError, figures_in

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

LATEST = 20
"""Executions that are looked at: as many as the page shows."""
LONGEST_NAME = 100
"""Characters of a dropped photo's name that its key keeps."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An execution, as the page tells it."""

    key: str
    outcome: Outcome | None
    """None while it is under way."""
    label: str | None
    confidence: float | None
    loading_bay: str | None
    error: str | None
    message: str | None
    at: datetime
    execution: str


class Flow:
    """The executions of a state machine; safe to be called from several threads."""

    def __init__(self, states: SFNClient, s3: S3Client, machine: str, bucket: str) -> None:
        self._states, self._s3, self._machine, self._bucket = states, s3, machine, bucket
        self._ended: dict[str, Decided] = {}
        self._lock = threading.Lock()

    def send(self, name: str, data: bytes) -> str:
        """Put a photo where drivers' photos arrive.

        Args:
            name: the file's; any folders before it are left out.
            data: the file's bytes.

        Returns:
            Its key.

        Raises:
            UserError: it has no name, or no content.
        """
        last = PurePosixPath(name.replace("\\", "/")).name
        cleaned = "".join(character for character in last if character.isprintable())[-LONGEST_NAME:]
        if not cleaned or cleaned in (".", ".."):
            raise UserError(f"a photo needs a file name, got {name!r:.80}")
        if not data:
            raise UserError(f"{cleaned} is empty")
        key = f"{prefixes.INCOMING}{uuid.uuid4().hex[:8]}/{cleaned}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)
        return key

    def latest(self) -> list[Decided]:
        """The latest executions, newest first."""
        with self._lock:
            page = self._states.list_executions(stateMachineArn=self._machine, maxResults=LATEST)["executions"]
            found = [self._ended.get(each["executionArn"]) or self._look(each["executionArn"]) for each in page]
            self._ended = {each.execution: each for each in found if each.outcome is not None}
            return found

    def steps(self, execution: str) -> list[str]:
        """The states that an execution has entered, in their order."""
        events = self._states.get_execution_history(executionArn=execution, maxResults=200)["events"]
        entered = (event.get("stateEnteredEventDetails", {}).get("name") for event in events)
        return [name for name in entered if name]

    def _look(self, arn: str) -> Decided:
        execution = self._states.describe_execution(executionArn=arn)
        running = execution["status"] == "RUNNING"
        error, cause = execution.get("error"), execution.get("cause")
        outcome = None if running else outcome_of(execution["status"], error)
        figures = _object(execution.get("output")) if outcome == "accepted" else figures_in(cause or "")
        label, confidence = figures.get("label"), figures.get("confidence")
        bay = figures.get("loading_bay")
        return Decided(
            key=_key(execution),
            outcome=outcome,
            label=label if isinstance(label, str) else None,
            confidence=float(confidence) if isinstance(confidence, int | float) else None,
            loading_bay=bay if isinstance(bay, str) else None,
            error=error if outcome == "fault" else None,
            message=cause if outcome == "fault" else None,
            at=execution.get("stopDate", execution["startDate"]),
            execution=arn,
        )


def _key(execution: DescribeExecutionOutputTypeDef) -> str:
    key = _object(execution.get("input")).get("s3_key")
    return key if isinstance(key, str) else ""


def _object(text: str | None) -> dict[str, object]:
    try:
        value = cast("object", json.loads(text or ""))
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
