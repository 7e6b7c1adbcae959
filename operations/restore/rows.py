"""Rows of a restored table beside those of the stack's own: what is missing there, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Row = Mapping[str, Any]
"""As DynamoDB's own API has it: `{"object": {"S": "…"}, …}`."""
AT_ONCE = 100
"""The most rows that are asked for at a time (DynamoDB API reference, BatchGetItem)."""
CHANGED = "ConditionalCheckFailedException"
ANSWER = "answer_id"
"""The attribute that an answer adds to a row."""


@dataclass(slots=True)
class Compared:
    """What was found of a restored table's rows."""

    same: int = 0
    expired: int = 0
    """Left out: their time is over."""
    missing: list[Row] = field(default_factory=list[Row])
    """Not in the stack's table."""
    different: list[tuple[Row, Row]] = field(default_factory=list[tuple[Row, Row]])
    """The restored row, and the one that is there."""


def compare(dynamodb: DynamoDBClient, restored: str, own: str, now: float, say: Callable[[int], None]) -> Compared:
    """Look at every row of a restored table.

    Args:
        dynamodb: the service.
        restored: the restored table's name.
        own: the stack's.
        now: seconds since 1970; what expires before is left out.
        say: hears how many rows were looked at.
    """
    found, seen = Compared(), 0
    for rows in _pages(dynamodb, restored):
        seen += len(rows)
        say(seen)
        kept = [row for row in rows if not _expired(row, now)]
        found.expired += len(rows) - len(kept)
        there = _rows_there(dynamodb, own, kept)
        for row in kept:
            other = there.get(_identity(row))
            if other is None:
                found.missing.append(row)
            elif dict(other) == dict(row):
                found.same += 1
            else:
                found.different.append((row, other))
    return found


def put_back(dynamodb: DynamoDBClient, own: str, row: Row, instead_of: Row | None = None) -> bool:
    """Write a restored row into the stack's table.

    Args:
        dynamodb: the service.
        own: the stack's table.
        row: the restored row.
        instead_of: the row that was seen there; without it, none may be there.

    Returns:
        Whether it was written; not if somebody has written there meanwhile.
    """
    names = {"#object": "object"}
    condition, values = "attribute_not_exists(#object)", dict[str, Any]()
    if instead_of is not None:
        # the row that was looked at, attribute by attribute; an answer that came meanwhile is one more
        names = {f"#{index}": name for index, name in enumerate({**row, **instead_of, ANSWER: None})}
        values = {f":{key[1:]}": instead_of[name] for key, name in names.items() if name in instead_of}
        condition = " AND ".join(
            f"{key} = :{key[1:]}" if f":{key[1:]}" in values else f"attribute_not_exists({key})" for key in names
        )
    more: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    try:
        dynamodb.put_item(
            TableName=own, Item=dict(row), ConditionExpression=condition, ExpressionAttributeNames=names, **more
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == CHANGED:
            return False
        raise
    return True


def named(row: Row) -> str:
    """The photo and its version, for people."""
    return f"{row['object'].get('S')} {row['version'].get('S')}"


def _pages(dynamodb: DynamoDBClient, table: str) -> Iterator[list[Row]]:
    for page in dynamodb.get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True, PaginationConfig={"PageSize": AT_ONCE}
    ):
        yield list(page["Items"])


def _identity(row: Row) -> tuple[str, str]:
    return row["object"]["S"], row["version"]["S"]


def _expired(row: Row, now: float) -> bool:
    return float(row.get("expires_at", {}).get("N", "inf")) <= now


def _rows_there(dynamodb: DynamoDBClient, own: str, rows: list[Row]) -> dict[tuple[str, str], Row]:
    asked: Any = {
        own: {"Keys": [{"object": row["object"], "version": row["version"]} for row in rows], "ConsistentRead": True}
    }
    found: dict[tuple[str, str], Row] = {}
    while rows and asked:
        answer = dynamodb.batch_get_item(RequestItems=asked)
        found |= {_identity(row): row for row in answer["Responses"].get(own, ())}
        asked = answer.get("UnprocessedKeys")
    return found
