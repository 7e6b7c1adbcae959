"""What Step Functions knows: how many executions ended how, and how long each took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from operations.captures.period import Period
from operations.report.binning import DURATION_EDGES, Ints, duration_bins

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

MOST_EXECUTIONS = 20_000
"""Executions looked at, newest first: the service answers slowly and only keeps them for 90 days."""


def _no_durations() -> Ints:
    return np.zeros(len(DURATION_EDGES) - 1, np.int64)


@dataclass(slots=True)
class Executions:
    """Executions that started in a period."""

    by_status: Counter[str] = field(default_factory=Counter[str])
    durations: Ints = field(default_factory=_no_durations)
    """Seconds from start to end of those that succeeded, in bins."""
    cut: bool = False
    """Whether there were more than MOST_EXECUTIONS."""

    @property
    def count(self) -> int:
        """Executions seen."""
        return sum(self.by_status.values())


def read_executions(stepfunctions: SFNClient, state_machine: str, period: Period) -> Executions:
    """The executions that started in the period."""
    found = Executions()
    seconds: list[float] = []
    pages = stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine, PaginationConfig={"PageSize": 1000}
    )
    for execution in (item for page in pages for item in page["executions"]):
        start = execution["startDate"]
        if period.start and start < period.start:
            continue
        if period.end and start >= period.end:
            continue
        if found.count == MOST_EXECUTIONS:
            found.cut = True
            break
        found.by_status[execution["status"]] += 1
        if execution["status"] == "SUCCEEDED" and "stopDate" in execution:
            seconds.append((execution["stopDate"] - start).total_seconds())
    np.add.at(found.durations, duration_bins(np.array(seconds)), 1)
    return found
