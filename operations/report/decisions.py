"""The recorded decisions, looked up by inference id: from the decisions table, or a file of its rows as JSON lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contract.decisions import RECORDED, Outcome
from contract.errors import UserError
from operations.captures.period import Period, epoch_microseconds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import ScanInputTableScanTypeDef

ATTRIBUTES = ("object", "inference_id", "decision", "decided_at", "execution")


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one version of one photo."""

    inference_id: str
    outcome: Outcome
    decided_at: int
    """Microseconds since 1970."""
    object: str
    """`bucket/key`."""
    execution: str
    """Which recorded it; empty for a row that does not say."""


class DamagedDecision(ValueError):
    """A row that is no decision; the message names the attribute."""


def parse_decision(row: Mapping[str, object]) -> Decision:
    """The decision in a table row (or line).

    Raises:
        DamagedDecision: an attribute is missing or wrong.
    """

    def text(name: str) -> str:
        value = row.get(name)
        if not isinstance(value, str) or not value:
            raise DamagedDecision(f"{name} must be a non-empty string, got {value!r}")
        return value

    named = text("decision")
    decision: Outcome | None = next((outcome for outcome in RECORDED if outcome == named), None)
    if decision is None:
        raise DamagedDecision(f"decision must be one of {', '.join(RECORDED)}, got {named!r}")
    written = text("decided_at")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise DamagedDecision(f"decided_at must be an ISO 8601 time, got {written!r}") from None
    execution = row.get("execution")
    return Decision(
        inference_id=text("inference_id"),
        outcome=decision,
        decided_at=epoch_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC)),
        object=text("object"),
        execution=execution if isinstance(execution, str) else "",
    )


def rows_of_table(table: Table) -> Iterator[Mapping[str, object]]:
    """Every row of the decisions table, projected."""
    names = {f"#{index}": name for index, name in enumerate(ATTRIBUTES)}
    arguments: ScanInputTableScanTypeDef = {
        "ProjectionExpression": ", ".join(names),
        "ExpressionAttributeNames": names,
    }
    while True:
        page = table.scan(**arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def rows_of_file(path: Path) -> Iterator[Mapping[str, object]]:
    """Every line of a decisions file; a line that is no JSON object becomes a row without attributes.

    Raises:
        UserError: the file can't be read.
    """
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.strip():
                    continue
                try:
                    row: object = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                yield {str(key): value for key, value in row.items()} if isinstance(row, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    except OSError as error:
        raise UserError(f"the decisions file {path} can't be read: {error.strerror}") from error


class Decisions:
    """All recorded decisions, by inference id; of two for one id the first stands.

    90,000, a season, take 30 MB (benchmarks/capture.py).
    """

    def __init__(self, rows: Iterable[Mapping[str, object]]) -> None:
        self.counts: Counter[Outcome] = Counter()
        self.damaged = 0
        self.example = ""
        """What was wrong with the first damaged row."""
        self.for_people: set[str] = set()
        """The executions that failed by design: their decision is recorded."""
        self._by_id: dict[str, Decision] = {}
        self._asked: set[str] = set()
        for row in rows:
            try:
                decision = parse_decision(row)
            except DamagedDecision as problem:
                self.damaged += 1
                self.example = self.example or str(problem)
                continue
            self.counts[decision.outcome] += 1
            self._by_id.setdefault(decision.inference_id, decision)
            if decision.outcome != "accepted" and decision.execution:
                self.for_people.add(decision.execution)

    @property
    def count(self) -> int:
        """Readable decisions."""
        return self.counts.total()

    def find(self, inference_id: str) -> Decision | None:
        """The decision on the photo with that inference id; it counts as captured from now on."""
        decision = self._by_id.get(inference_id)
        if decision is not None:
            self._asked.add(inference_id)
        return decision

    def without_capture(self, period: Period) -> list[Decision]:
        """The decisions of the period that no captured inference asked for, in order of time."""
        start, end = period.microseconds()
        left = [decision for name, decision in self._by_id.items() if name not in self._asked]
        inside = [decision for decision in left if start <= decision.decided_at < end]
        return sorted(inside, key=lambda decision: decision.decided_at)
