"""The recorded decisions, looked up by inference id: kept on disk, so that a million of them need no memory.

The decisions table (or a file of JSON lines with its attributes) is read once into a private temporary SQLite
database; the captured inferences ask it in batches.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contract.decisions import RECORDED
from contract.errors import UserError
from operations.captures.period import epoch_microseconds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import ScanInputTableScanTypeDef

ATTRIBUTES = (
    "object",
    "version",
    "inference_id",
    "decision",
    "decided_at",
    "label",
    "confidence",
    "loading_bay",
)
_IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one version of one photo."""

    inference_id: str
    accepted: bool
    decided_at: int
    """Microseconds since 1970."""
    object: str
    """`bucket/key`."""


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

    decision = text("decision")
    if decision not in RECORDED:
        raise DamagedDecision(f"decision must be one of {', '.join(RECORDED)}, got {decision!r}")
    written = text("decided_at")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise DamagedDecision(f"decided_at must be an ISO 8601 time, got {written!r}") from None
    return Decision(
        inference_id=text("inference_id"),
        accepted=decision == "accepted",
        decided_at=epoch_microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC)),
        object=text("object"),
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
                except ValueError:
                    row = None
                yield {str(key): value for key, value in row.items()} if isinstance(row, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    except OSError as error:
        raise UserError(f"the decisions file {path} can't be read: {error.strerror}") from error


class DecisionIndex:
    """All decisions, by inference id."""

    def __init__(self, rows: Iterable[Mapping[str, object]]) -> None:
        self.accepted = 0
        self.review = 0
        self.damaged = 0
        self.example = ""
        """What was wrong with the first damaged row."""
        self._database = sqlite3.connect("")  # private, temporary, on disk
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute(
            "CREATE TABLE decision (id TEXT NOT NULL, accepted INT NOT NULL, decided INT NOT NULL, object"
            " TEXT NOT NULL)"
        )
        self._database.executemany("INSERT INTO decision VALUES (?, ?, ?, ?)", self._parsed(rows))
        self._database.execute("CREATE INDEX by_id ON decision (id)")
        self._asked = bytearray(self.count // 8 + 1)
        self.matched = 0
        """Decisions that a captured inference asked for, each counted once."""

    @property
    def count(self) -> int:
        """Readable decisions."""
        return self.accepted + self.review

    def find(self, ids: Sequence[str | None]) -> dict[str, Decision]:
        """The decisions of those inference ids that have one."""
        found: dict[str, Decision] = {}
        wanted = [name for name in ids if name is not None]
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            some = wanted[start : start + _IDS_PER_QUERY]
            for number, name, accepted, decided, photo in self._database.execute(
                "SELECT rowid, id, accepted, decided, object FROM decision"
                f" WHERE id IN ({','.join('?' * len(some))}) ORDER BY rowid DESC",
                some,
            ):
                found[name] = Decision(name, bool(accepted), decided, photo)
                if not self._asked[number >> 3] & 1 << (number & 7):
                    self._asked[number >> 3] |= 1 << (number & 7)
                    self.matched += 1
        return found

    def close(self) -> None:
        """Give the disk space back."""
        self._database.close()

    def _parsed(self, rows: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, int, int, str]]:
        for row in rows:
            try:
                decision = parse_decision(row)
            except DamagedDecision as problem:
                self.damaged += 1
                self.example = self.example or str(problem)
                continue
            if decision.accepted:
                self.accepted += 1
            else:
                self.review += 1
            yield decision.inference_id, int(decision.accepted), decision.decided_at, decision.object
