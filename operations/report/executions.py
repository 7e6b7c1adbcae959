"""What Step Functions knows: how executions ended, how long decisions took, and which faults there were.

A fault leaves no decision and often no capture: only its execution tells of it. Executions that failed because a
person decides are told apart by the decisions table, so that only the others have to be described.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.decisions import Outcome, outcome_of
from contract.photos import inference_id, photo_in
from operations.captures.period import Period

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

MOST_EXECUTIONS = 20_000
"""Executions looked at, newest first: the service answers slowly and only keeps them for 90 days."""
MOST_DESCRIBED = 500
"""Failed executions that are asked for their error, newest first: the service answers about 15 a second for long
(Step Functions quotas, DescribeExecution)."""
NOT_LOOKED_UP = "not looked up"
"""The error of the faults beyond MOST_DESCRIBED."""
DESCRIBERS = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """An execution that ended in a fault."""

    time: datetime
    """When it ended; UTC."""
    object: str
    """`bucket/key`; empty when its input names none."""
    error: str
    message: str
    execution: str
    inference_id: str | None
    """Of the photo; None when its input names none."""


@dataclass(slots=True)
class Executions:
    """The executions that started in a period."""

    by_status: Counter[str] = field(default_factory=Counter[str])
    seconds: list[float] = field(default_factory=list[float])
    """From start to end, of those that ended in a decision."""
    faults: list[Fault] = field(default_factory=list[Fault])
    """In order of time."""
    unrecorded: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    """By inference id, how photos ended whose execution failed by design without its decision in the table."""
    cut: bool = False
    """Whether there were more than MOST_EXECUTIONS."""

    @property
    def count(self) -> int:
        """Executions seen."""
        return sum(self.by_status.values())


def read_executions(
    stepfunctions: SFNClient, state_machine: str, period: Period, for_people: Set[str] = frozenset()
) -> Executions:
    """The executions that started in the period; `for_people` are those that failed by design."""
    found = Executions()
    failed: list[ExecutionListItemTypeDef] = []
    for execution in _listed(stepfunctions, state_machine, period):
        if found.count == MOST_EXECUTIONS:
            found.cut = True
            break
        status = execution["status"]
        found.by_status[status] += 1
        if status == "SUCCEEDED" or (status == "FAILED" and execution["executionArn"] in for_people):
            found.seconds.append((_end(execution) - execution["startDate"]).total_seconds())
        elif status != "RUNNING":
            failed.append(execution)
    _describe(stepfunctions, failed, found)
    return found


def _listed(stepfunctions: SFNClient, state_machine: str, period: Period) -> Iterator[ExecutionListItemTypeDef]:
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine, PaginationConfig={"PageSize": 1000}
    )
    for execution in (item for page in pages for item in page["executions"]):
        start = execution["startDate"]
        if not (period.start and start < period.start) and not (period.end and start >= period.end):
            yield execution


def _describe(stepfunctions: SFNClient, failed: Sequence[ExecutionListItemTypeDef], found: Executions) -> None:
    """Put the failed executions where they belong."""
    describe: Callable[[ExecutionListItemTypeDef], tuple[Outcome, Fault]] = lambda item: _ended(stepfunctions, item)  # noqa: E731
    with ThreadPoolExecutor(DESCRIBERS) as pool:
        ended = list(pool.map(describe, failed[:MOST_DESCRIBED]))
    for item in failed[MOST_DESCRIBED:]:
        found.faults.append(Fault(_end(item), "", NOT_LOOKED_UP, "", item["executionArn"], None))
    for outcome, end in ended:
        if outcome == "fault":
            found.faults.append(end)
        elif end.inference_id is not None:
            found.unrecorded[end.inference_id] = outcome
    found.faults.sort(key=lambda fault: (fault.time, fault.execution))


def _ended(stepfunctions: SFNClient, execution: ExecutionListItemTypeDef) -> tuple[Outcome, Fault]:
    """The outcome of a failed execution, and how it ended."""
    described = stepfunctions.describe_execution(executionArn=execution["executionArn"])
    error = described.get("error")
    photo = photo_in(described.get("input"))
    return outcome_of(execution["status"], error), Fault(
        time=_end(execution),
        object=f"{photo.bucket}/{photo.key}" if photo else "",
        error=error or execution["status"],
        message=described.get("cause", ""),
        execution=execution["executionArn"],
        inference_id=inference_id(photo) if photo else None,
    )


def _end(execution: ExecutionListItemTypeDef) -> datetime:
    return execution.get("stopDate", execution["startDate"]).astimezone(UTC)
