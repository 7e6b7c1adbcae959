"""`python -m operations watch`: decisions as they come, one line each, with running totals.

Executions are listed newest first as far as those already told; the decisions table says what was decided.
Nothing is taken from the review queue. An execution that failed without a decision is a fault, and is told
as one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import boto3
import orjson
from rich.console import Console
from rich.markup import escape

from contract.errors import UserError
from contract.outputs import VARIABLE, read_outputs

PAGES = 10
"""Pages of 100 executions looked through at most per look; the first look tells what these hold."""
Kind = Literal["accepted", "review", "failed", "repeat"]


@dataclass(frozen=True, slots=True)
class Event:
    """One photo's outcome."""

    time: datetime
    object: str
    kind: Kind
    label: str | None
    confidence: float | None
    loading_bay: str | None
    error: str | None
    """The fault's name; None for a decision."""
    execution: str


@dataclass(slots=True)
class Totals:
    """Outcomes so far."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    bays: Counter[str] = field(default_factory=Counter[str])

    def add(self, event: Event) -> None:
        """Count an outcome."""
        self.kinds[event.kind] += 1
        if event.loading_bay:
            self.bays[event.loading_bay] += 1

    @property
    def photos(self) -> int:
        """All outcomes; an event that came twice is one photo."""
        return sum(count for kind, count in self.kinds.items() if kind != "repeat")

    def sentence(self) -> str:
        """The totals in words."""
        if not self.photos:
            return "no photo yet"
        parts = [
            f"{self.kinds[kind]} {name}"
            for kind, name in (("accepted", "routed"), ("review", "to people"), ("failed", "failed"))
            if self.kinds[kind]
        ]
        return f"{self.photos} photo{'s' if self.photos > 1 else ''}: " + ", ".join(parts)


class Follower:
    """Hands out each ended execution once. `stepfunctions` is a client, `table` a DynamoDB Table resource."""

    def __init__(self, stepfunctions: Any, table: Any, state_machine: str) -> None:
        self._stepfunctions, self._table, self._state_machine = stepfunctions, table, state_machine
        self._told: set[str] = set()
        self._running: set[str] = set()

    def poll(self) -> list[Event]:
        """The executions that ended since the last poll, oldest first."""
        ended: list[dict[str, Any]] = []
        listed: set[str] = set()
        pages = self._stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._state_machine, PaginationConfig={"PageSize": 100, "MaxItems": 100 * PAGES}
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
        ended.sort(key=lambda item: (item["stopDate"], item["executionArn"]))
        events = [self._event(execution) for execution in ended]
        arns = {item["executionArn"] for item in ended}
        self._told |= arns
        self._running -= arns
        return events

    def _event(self, execution: dict[str, Any]) -> Event:
        described = self._stepfunctions.describe_execution(executionArn=execution["executionArn"])
        source = _object(described.get("input"))
        photo = f"{source.get('s3_bucket', '?')}/{source.get('s3_key', '?')}"
        rows = self._decisions(photo)
        row = next((row for row in rows if row.get("execution") == execution["executionArn"]), None)
        kind: Kind = "failed"
        if row is not None:
            kind = "accepted" if row.get("decision") == "accepted" else "review"
        elif execution["status"] == "SUCCEEDED":
            kind = "repeat" if rows else "accepted"
        output = _object(described.get("output"))
        figures = row if row is not None else output
        confidence = figures.get("confidence")
        return Event(
            time=execution["stopDate"].astimezone(UTC),
            object=photo,
            kind=kind,
            label=_text(figures.get("label")),
            confidence=None if confidence is None else float(str(confidence)),
            loading_bay=_text(figures.get("loading_bay")),
            error=None if kind != "failed" else _text(described.get("error")) or execution["status"],
            execution=execution["executionArn"],
        )

    def _decisions(self, photo: str) -> list[dict[str, Any]]:
        """What was recorded for the photo: a decision per version of it, whichever execution made it."""
        return self._table.query(
            KeyConditionExpression="#object = :object",
            ExpressionAttributeNames={"#object": "object"},
            ExpressionAttributeValues={":object": photo},
            ConsistentRead=True,
        )["Items"]


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "watch",
        help="decisions as they come, one line each",
        description="Follows the state machine and the decisions table until Ctrl-C; touches no queue.",
    )
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="between looks (default: 2)")
    parser.add_argument("--once", action="store_true", help="tell what is there and end")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, the totals last")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 also after Ctrl-C."""
    outputs = read_outputs(args.outputs)
    if outputs is None:
        raise UserError(f"which stack? give --outputs FILE or set {VARIABLE}")
    if not outputs.state_machine_arn or not outputs.decisions_table:
        raise UserError("the outputs name no stateMachineArn and decisionsTable: is the stack up?")
    if not 0.1 <= args.interval <= 3600:
        raise UserError(f"--interval must be between 0.1 and 3600 seconds, got {args.interval:g}")
    follower = Follower(
        boto3.client("stepfunctions"),  # pyright: ignore[reportUnknownMemberType]
        boto3.resource("dynamodb").Table(outputs.decisions_table),  # pyright: ignore[reportUnknownMemberType]
        outputs.state_machine_arn,
    )
    follow(follower, interval=args.interval, once=args.once, as_json=args.json)
    return 0


def follow(
    follower: Follower,
    *,
    interval: float = 2.0,
    once: bool = False,
    as_json: bool = False,
    console: Console | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Totals:
    """Tell every outcome until Ctrl-C (or the first look, with `once`); return the totals."""
    console = console or Console(highlight=False, soft_wrap=True)
    totals = Totals()
    try:
        while True:
            for event in follower.poll():
                totals.add(event)
                if as_json:
                    print(orjson.dumps(event).decode(), flush=True)
                else:
                    console.print(_line(event, totals))
            if once:
                break
            sleep(interval)
    except KeyboardInterrupt:
        pass
    if as_json:
        print(json.dumps({"totals": dict(totals.kinds), "photos": totals.photos, "bays": dict(totals.bays)}))
    else:
        console.print(totals.sentence())
    return totals


def _line(event: Event, totals: Totals) -> str:
    colour, verb = {
        "accepted": ("green", "routed"),
        "review": ("yellow", "review"),
        "failed": ("red", "failed"),
        "repeat": ("dim", "again "),
    }[event.kind]
    figures = "" if event.confidence is None else f" {event.label} {event.confidence:.3f}"
    where = f" -> {event.loading_bay}" if event.loading_bay else ""
    fault = f" {event.error}" if event.error else ""
    return (
        f"{event.time:%H:%M:%S}  [{colour}]{verb}[/{colour}]{escape(figures + where + fault)}"
        f"  {escape(event.object)}  [dim]({totals.sentence()})[/dim]"
    )


def _object(text: object) -> dict[str, Any]:
    if not isinstance(text, str):
        return {}
    try:
        value: object = json.loads(text)
    except ValueError:
        return {}
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str) and value else None
