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
    "Not removed: the histories of executions, which hold the small picture and the key (Step Functions keeps them for "
    "90 days and deletes none), log lines and dead letters that name the key (until logRetentionDays, and 14 days), "
    "and datasets that were prepared with it."
)
"""What no call of AWS can remove of one photo."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "forget",
        description="Lists what the stack holds of a photo: its versions, decisions, answers, review messages, samples "
        "under corrections/ and captured inferences. With --yes, removes all of it.",
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
        held = places.queue.counts().held
    if held:
        # whose they are can't be seen, so nothing may claim that none of them is this photo's
        hidden = f"about {counted(held, 'review message')} can't be seen, since somebody looks at them"
        print(f"{hidden}: run it again later", file=sys.stderr)
    if args.json:
        removed = {"key": key, "removed": args.yes, "traces": [{"place": t.place, "name": t.name} for t in found]}
        write_json(removed)
        return 0
    if found:
        write_table((Column("place"), Column("what")), [(each.place, each.name) for each in found], SCREEN)
    counts = Counter(each.place for each in found)
    parts = ", ".join(f"{place} {count}" for place, count in counts.items())
    did = "removed" if args.yes else "found; nothing is removed without --yes"
    write_line(f"{counted(len(found), 'trace')} of {key} {did}{f' ({parts})' if parts else ''}")
    print(KEPT, file=sys.stderr)
    return 0


def _places(outputs: StackOutputs) -> Places:
    import boto3

    from contract.prefixes import CAPTURE
    from operations.forget.traces import Places
    from operations.review.queue import ReviewQueue

    return Places(
        s3=boto3.client("s3"),
        bucket=outputs.bucket,
        table=boto3.resource("dynamodb").Table(outputs.decisions_table),
        queue=ReviewQueue(boto3.client("sqs"), outputs.review_queue_url),
        capture=CAPTURE,
    )
