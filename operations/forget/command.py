"""`python -m operations forget`: remove a photo from everywhere it went, and say what was removed."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, require_outputs

if TYPE_CHECKING:
    from operations.forget.traces import Places

KEPT = (
    ("histories of executions", "small picture, key, answer", "90 days after the end, and Step Functions deletes none"),
    ("logs of the functions", "lines that name the key, no picture", "logRetentionDays"),
    ("the table's point-in-time recovery", "the decisions as they were", "35 days"),
    ("alerts that were sent, events of the bus", "the key; the decision", "wherever they were received"),
    ("datasets and models that were made with it", "the photo, and what was learnt of it", "until they are deleted"),
)
"""What no call of AWS can remove of one photo: where, what of it, and for how long."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "forget",
        description="Lists what the stack holds of a photo: its versions, decisions, answers, review messages, dead "
        "letters, samples under corrections/, captured inferences and batch results. With --yes, removes all of it. "
        "Says what can't be removed, and for how long it stays.",
    )
    parser.add_argument("key", metavar="KEY", help="the photo's key, such as incoming/3f2a/photo.jpg")
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--yes", action="store_true", help="remove what is listed")
    parser.add_argument("--json", action="store_true", help="the list as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 also when there is nothing to remove.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    outputs = require_outputs(args.outputs, "bucket", "decisions_table", "review_queue_url")
    key = args.key.removeprefix(f"s3://{outputs.bucket}/")
    if not key or key.startswith("s3://"):
        raise UserError(f"KEY must be the key of a photo in {outputs.bucket}, got {args.key!r}")
    places = _places(outputs)
    from rich.console import Console

    from contract.screen import SCREEN, Column, counted, write_json, write_line, write_table
    from operations.forget.traces import find_traces

    with Console(stderr=True).status("looking") as status:
        found = list(find_traces(places, key, lambda where: status.update(f"looking through {where}")))
        if args.yes:
            for trace in found:
                status.update(f"removing {trace.place} {trace.name}")
                trace.remove()
        hidden = {
            what: queue.counts().held
            for what, queue in (("review message", places.queue), ("dead letter", places.dead_letters))
            if queue is not None
        }
    for what, held in hidden.items():
        if held:
            # whose they are can't be seen, so nothing may claim that none of them is this photo's
            cannot = f"about {counted(held, what)} can't be seen, since somebody looks at them"
            print(f"{cannot}: run it again later", file=sys.stderr)
    if args.json:
        write_json({
            "key": key, "removed": args.yes, "traces": [{"place": t.place, "name": t.name} for t in found],
            "hidden": hidden, "kept": [{"place": place, "what": what, "until": until} for place, what, until in KEPT],
        })  # fmt: skip
        return 0
    if found:
        write_table((Column("place"), Column("what")), [(each.place, each.name) for each in found], SCREEN)
    counts = Counter(each.place for each in found)
    parts = ", ".join(f"{place} {count}" for place, count in counts.items())
    did = "removed" if args.yes else "found; nothing is removed without --yes"
    write_line(f"{counted(len(found), 'trace')} of {key} {did}{f' ({parts})' if parts else ''}")
    for place, what, until in KEPT:
        print(f"not removed: {place} ({what}): {until}", file=sys.stderr)
    return 0


def _places(outputs: StackOutputs) -> Places:
    import boto3

    from contract.prefixes import CAPTURE
    from operations.forget.objects import Bucket
    from operations.forget.traces import Places
    from operations.review.queue import ReviewQueue

    letters = outputs.dead_letter_queue_url
    return Places(
        bucket=Bucket(boto3.client("s3"), outputs.bucket),
        table=boto3.resource("dynamodb").Table(outputs.decisions_table),
        queue=ReviewQueue(boto3.client("sqs"), outputs.review_queue_url),
        dead_letters=ReviewQueue(boto3.client("sqs"), letters) if letters else None,
        capture=CAPTURE,
    )
