"""The faults of a period by the name of their error, each with its latest examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contract.shares import percentages
from operations.report.executions import Fault

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class FaultTotals:
    """One row of the table of faults."""

    error: str
    count: int
    share: str
    """Of all faults."""
    latest: datetime
    examples: list[Fault]
    """The latest, newest first."""


def faults_by_error(faults: Sequence[Fault]) -> list[FaultTotals]:
    """The totals of each error, the most frequent first."""
    by_error: dict[str, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: fault.time, reverse=True):
        by_error.setdefault(fault.error, []).append(fault)
    ranked = sorted(by_error.items(), key=lambda item: (-len(item[1]), item[0]))
    shares = percentages([len(group) for _, group in ranked])
    return [
        FaultTotals(error, len(group), share, group[0].time, group[:EXAMPLES])
        for (error, group), share in zip(ranked, shares, strict=True)
    ]
