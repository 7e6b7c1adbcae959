"""A batch's execution: started once, and followed until it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

RUNNING = "RUNNING"


@dataclass(frozen=True, slots=True)
class BatchRun:
    """An execution at a moment."""

    execution: str
    """Its ARN."""
    status: str
    """RUNNING, or how it ended."""
    started: datetime
    ended: datetime | None
    prefix: str
    error: str = ""
    cause: str = ""
    map_run: str = ""
    """ARN; empty before anything is listed."""
    items: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many objects are pending, running, succeeded, failed and so on (DescribeMapRun, `itemCounts`)."""

    @property
    def name(self) -> str:
        """The execution's."""
        return self.execution.rpartition(":")[2]

    @property
    def total(self) -> int:
        """Objects."""
        return self.items.get("total", 0)

    @property
    def done(self) -> int:
        """Objects whose child has ended."""
        return sum(self.items.get(how, 0) for how in ("succeeded", "failed", "timedOut", "aborted"))

    @property
    def seconds(self) -> float | None:
        """From the start to the end."""
        return (self.ended - self.started).total_seconds() if self.ended else None


def execution_of(machine: str, name: str) -> str:
    """ARN of a state machine's execution of that name."""
    return f"{machine.replace(':stateMachine:', ':execution:', 1)}:{name}"


def look_at(states: SFNClient, execution: str) -> BatchRun | None:
    """The execution as it is now; None when there is none."""
    try:
        described = states.describe_execution(executionArn=execution)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ExecutionDoesNotExist":
            return None
        raise
    runs = states.list_map_runs(executionArn=execution)["mapRuns"]
    map_run = runs[0]["mapRunArn"] if runs else ""
    counts: Any = states.describe_map_run(mapRunArn=map_run)["itemCounts"] if map_run else {}
    given: Any = json.loads(described.get("input") or "{}")
    return BatchRun(
        execution,
        described["status"],
        described["startDate"],
        described.get("stopDate"),
        str(given.get("prefix", "")),
        described.get("error") or "",
        described.get("cause") or "",
        map_run,
        dict(counts),
    )


def start(states: SFNClient, machine: str, name: str, prefix: str) -> bool:
    """Start a batch; False when there is one of that name."""
    if look_at(states, execution_of(machine, name)):
        return False
    try:
        states.start_execution(stateMachineArn=machine, name=name, input=json.dumps({"prefix": prefix}))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ExecutionAlreadyExists":
            raise
        return False
    return True


def follow(
    states: SFNClient, machine: str, name: str, *, interval: float, say: Callable[[BatchRun], object]
) -> BatchRun:
    """The batch as it ended; `say` hears how it is meanwhile, every `interval` seconds.

    Raises:
        UserError: there is none of that name.
    """
    while True:
        batch = look_at(states, execution_of(machine, name))
        if batch is None:
            raise UserError(f"there is no batch {name!r}: --follow takes the name that its start has printed")
        say(batch)
        if batch.status != RUNNING:
            return batch
        time.sleep(interval)
