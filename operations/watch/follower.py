"""Ended executions and what was decided in them, each once.

Executions are listed newest first, back to those already seen; the decisions table says what was decided. An
execution without a recorded decision is shown by how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from contract.decisions import RECORDED, Outcome, outcome_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

PAGE_SIZE = 100
MOST_PAGES = 10
"""Pages of executions listed per look; the first look shows what these hold."""
Kind = Outcome | Literal["repeat"]
"""An outcome, or a second event for a photo that was already decided."""


@dataclass(frozen=True, slots=True)
class Event:
    """One photo's outcome."""

    time: datetime
    """When the execution ended; UTC."""
    object: str
    """`bucket/key`."""
    kind: Kind
    label: str | None
    confidence: float | None
    loading_bay: str | None
    error: str | None
    """The fault's name; None for a decision."""
    message: str | None
    """What is wrong; None for a decision."""
    execution: str


class Follower:
    """Reports each ended execution once."""

    def __init__(self, stepfunctions: SFNClient, table: Table, state_machine: str) -> None:
        self._stepfunctions, self._table, self._state_machine = stepfunctions, table, state_machine
        self._told: set[str] = set()
        self._running: set[str] = set()

    def poll(self) -> Iterator[Event]:
        """The executions that ended since the last poll, oldest first, each as soon as it is looked up."""
        ended: list[ExecutionListItemTypeDef] = []
        listed: set[str] = set()
        pages = self._stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._state_machine,
            PaginationConfig={"PageSize": PAGE_SIZE, "MaxItems": PAGE_SIZE * MOST_PAGES},
        )
        for page in pages:
            fresh = [item for item in page["executions"] if item["executionArn"] not in self._told]
            listed |= {item["executionArn"] for item in page["executions"]}
            ended += [item for item in fresh if item["status"] != "RUNNING"]
            self._running |= {item["executionArn"] for item in fresh if item["status"] == "RUNNING"}
            if not fresh and self._running <= listed:
                break
        else:
            self._told &= listed  # what is too old to be listed needs no remembering
            self._running &= listed
        ended.sort(key=lambda item: (_end(item), item["executionArn"]))
        for execution in ended:
            event = self._event(execution)
            self._told.add(execution["executionArn"])
            self._running.discard(execution["executionArn"])
            yield event

    def _event(self, execution: ExecutionListItemTypeDef) -> Event:
        described = self._stepfunctions.describe_execution(executionArn=execution["executionArn"])
        source = _object(described.get("input"))
        photo = f"{source.get('s3_bucket', '?')}/{source.get('s3_key', '?')}"
        rows = self._decisions(photo)
        row = next((row for row in rows if row.get("execution") == execution["executionArn"]), None)
        error = described.get("error")
        kind = _kind(execution["status"], error, row, repeated=bool(rows))
        figures = row if row is not None else _object(described.get("output"))
        confidence = figures.get("confidence")
        fault = kind == "fault"
        return Event(
            time=_end(execution).astimezone(UTC),
            object=photo,
            kind=kind,
            label=_text(figures.get("label")),
            confidence=None if confidence is None else float(str(confidence)),
            loading_bay=_text(figures.get("loading_bay")),
            error=(error or execution["status"]) if fault else None,
            message=_text(described.get("cause")) if fault else None,
            execution=execution["executionArn"],
        )

    def _decisions(self, photo: str) -> Sequence[Mapping[str, object]]:
        """What was recorded for the photo: a decision per version of it, whichever execution made it."""
        return self._table.query(
            KeyConditionExpression="#object = :object",
            ExpressionAttributeNames={"#object": "object"},
            ExpressionAttributeValues={":object": photo},
            ConsistentRead=True,
        )["Items"]


def _kind(status: str, error: str | None, row: Mapping[str, object] | None, *, repeated: bool) -> Kind:
    """What became of an execution: a fault if it ended in one, else as `row`, its own decision, says.

    `repeated` says that another execution's decision for the photo is there.
    """
    ended = outcome_of(status, error)
    if row is None:
        return "repeat" if repeated and ended == "accepted" else ended
    recorded: dict[object, Outcome] = {outcome: outcome for outcome in RECORDED}
    return ended if ended == "fault" else recorded.get(row.get("decision"), ended)


def _end(execution: ExecutionListItemTypeDef) -> datetime:
    return execution.get("stopDate", execution["startDate"])


def _object(text: object) -> dict[str, Any]:
    if not isinstance(text, str):
        return {}
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
