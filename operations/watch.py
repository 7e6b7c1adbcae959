"""`python -m operations watch`: decisions as they come, one line each, with running totals.

Executions are listed newest first, back to those already shown; the decisions table says what was decided.
Nothing is taken from the review queue. An execution without a recorded decision is shown by how it ended.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import boto3
import orjson
from rich.console import Console
from rich.markup import escape

from contract.decisions import OUTCOMES, RECORDED, WORDS, Outcome, outcome_of, word_for
from contract.errors import UserError
from contract.outputs import VARIABLE, read_outputs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import ExecutionListItemTypeDef

PAGE_SIZE = 100
MOST_PAGES = 10
"""Pages of executions listed per look; the first look tells what these hold."""
Kind = Outcome | Literal["repeat"]
"""An outcome, or a second event for a photo that was already decided."""
COLOURS: Mapping[Kind, str] = MappingProxyType(
    {"accepted": "green", "review": "yellow", "neither": "magenta", "fault": "red", "repeat": "dim"}
)
REPEATED = "again"
"""What a repeat is called; it is no outcome and counts in no total."""
_WIDTH = max(len(word) for word in (*WORDS.values(), REPEATED))


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
            f"{self.kinds[outcome]} {word_for(outcome, self.kinds[outcome])}"
            for outcome in OUTCOMES
            if self.kinds[outcome]
        ]
        return f"{self.photos} photo{'s' if self.photos > 1 else ''}: " + ", ".join(parts)


class Follower:
    """Reports each ended execution once."""

    def __init__(self, stepfunctions: SFNClient, table: Table, state_machine: str) -> None:
        self._stepfunctions, self._table, self._state_machine = stepfunctions, table, state_machine
        self._told: set[str] = set()
        self._running: set[str] = set()

    def poll(self) -> list[Event]:
        """The executions that ended since the last poll, oldest first."""
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
        events = [self._event(execution) for execution in ended]
        arns = {item["executionArn"] for item in ended}
        self._told |= arns
        self._running -= arns
        return events

    def _event(self, execution: ExecutionListItemTypeDef) -> Event:
        described = self._stepfunctions.describe_execution(executionArn=execution["executionArn"])
        source = _object(described.get("input"))
        photo = f"{source.get('s3_bucket', '?')}/{source.get('s3_key', '?')}"
        rows = self._decisions(photo)
        row = next((row for row in rows if row.get("execution") == execution["executionArn"]), None)
        kind = _kind(execution["status"], described.get("error"), row, repeated=bool(rows))
        output = _object(described.get("output"))
        figures = row if row is not None else output
        confidence = figures.get("confidence")
        return Event(
            time=_end(execution).astimezone(UTC),
            object=photo,
            kind=kind,
            label=_text(figures.get("label")),
            confidence=None if confidence is None else float(str(confidence)),
            loading_bay=_text(figures.get("loading_bay")),
            error=(described.get("error") or execution["status"]) if kind == "fault" else None,
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
    """What became of an execution: as `row`, its own decision, says it, else as it ended.

    `repeated` says that another execution's decision for the photo is there.
    """
    ended = outcome_of(status, error)
    if row is None:
        return "repeat" if repeated and ended == "accepted" else ended
    recorded: dict[object, Outcome] = {outcome: outcome for outcome in RECORDED}
    return recorded.get(row.get("decision"), ended)


def _end(execution: ExecutionListItemTypeDef) -> datetime:
    return execution.get("stopDate", execution["startDate"])


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
    """Run the command; 0 also after Ctrl-C.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    outputs = read_outputs(args.outputs)
    if outputs is None:
        raise UserError(f"which stack? give --outputs FILE or set {VARIABLE}")
    if not outputs.state_machine_arn or not outputs.decisions_table:
        raise UserError("the outputs name no stateMachineArn and decisionsTable: is the stack up?")
    if not 0.1 <= args.interval <= 3600:
        raise UserError(f"--interval must be between 0.1 and 3600 seconds, got {args.interval:g}")
    follower = Follower(
        boto3.client("stepfunctions"),
        boto3.resource("dynamodb").Table(outputs.decisions_table),
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
    colour = COLOURS[event.kind]
    word = f"{REPEATED if event.kind == 'repeat' else word_for(event.kind, 1):{_WIDTH}}"
    figures = "" if event.confidence is None else f" {event.label} {event.confidence:.3f}"
    where = f" -> {event.loading_bay}" if event.loading_bay else ""
    fault = f" {event.error}" if event.error else ""
    return (
        f"{event.time:%H:%M:%S}  [{colour}]{word}[/{colour}]{escape(figures + where + fault)}"
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
