"""`python -m operations batch`: everything under a prefix is classified; counted, priced, started, followed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, require_outputs

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from operations.batch.estimate import BatchEstimate
    from operations.batch.following import BatchRun
    from operations.batch.listing import UnderPrefix
    from operations.batch.outcomes import BatchCounts

SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.1, 3600.0
"""Seconds."""
MOST_ATTEMPTS = 99
NEEDED = ("bucket", "batch_state_machine_arn")
PRICED = (*NEEDED, "endpoint_name", "region")


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "batch",
        description="Classifies every photo under a prefix as if it had just been uploaded, and follows that to its"
        " end. The same photos are the same batch, which is started once. Ctrl-C leaves it running. The exit code is 1"
        " when the batch failed.",
    )
    add = parser.add_argument
    add("prefix", nargs="?", metavar="PREFIX", help="what the photos' keys begin with, such as batch/2026-11/")
    add("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    add("--dry-run", action="store_true", help="count the photos, say what they cost and how long they take, and end")
    add("--attempt", type=int, default=1, metavar="N", help="run the same photos again (default: 1)")
    add("--follow", metavar="NAME", help="follow a batch that was started before, or see how it ended")
    add("--interval", type=float, default=2.0, metavar="SECONDS", help="between looks (default: 2)")
    add("--model-seconds", type=float, metavar="SECONDS", help="for --dry-run: what the model takes for a picture, as"
        " CloudWatch's ModelLatency says (docs/scale.md)")  # fmt: skip
    add("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UserError: an option, the prefix or the stack's outputs can't be used.
    """
    _check(args)
    outputs = require_outputs(args.outputs, *(PRICED if args.dry_run else NEEDED))
    import boto3

    # of all clients this one asks for a region
    states = boto3.client("stepfunctions")
    if args.follow:
        return _follow(args, outputs, states, args.follow)
    from operations.batch.listing import check_prefix, name_of

    found = _look(outputs, check_prefix(args.prefix))
    if args.dry_run:
        return _price(args, outputs, found)
    if not found.photos:
        raise UserError(f"there are no photos under {args.prefix}: nothing was started")
    name = name_of(found, args.attempt)
    _start(args, outputs, states, found, name)
    return _follow(args, outputs, states, name)


def _check(args: argparse.Namespace) -> None:
    if bool(args.prefix) == bool(args.follow):
        raise UserError("give either PREFIX or --follow NAME")
    if args.follow and (args.dry_run or args.attempt != 1):
        raise UserError("--follow goes with neither --dry-run nor --attempt")
    if not 1 <= args.attempt <= MOST_ATTEMPTS:
        raise UserError(f"--attempt must be from 1 to {MOST_ATTEMPTS}, got {args.attempt}")
    if not SHORTEST_INTERVAL <= args.interval <= LONGEST_INTERVAL:
        allowed = f"between {SHORTEST_INTERVAL:g} and {LONGEST_INTERVAL:g} seconds"
        raise UserError(f"--interval must be {allowed}, got {args.interval:g}")
    if args.model_seconds is not None and not 0.0001 <= args.model_seconds <= 60:
        raise UserError(f"--model-seconds must be from 0.0001 to 60, got {args.model_seconds:g}")


def _look(outputs: StackOutputs, prefix: str) -> UnderPrefix:
    import boto3

    from operations.bar import LateBar
    from operations.batch.listing import look_under

    with LateBar() as bar:
        return look_under(boto3.client("s3"), outputs.bucket, prefix, bar.say)


def _start(args: argparse.Namespace, outputs: StackOutputs, states: SFNClient, found: UnderPrefix, name: str) -> None:
    from contract.invocation import command
    from contract.screen import ERRORS, counted, write_line
    from operations.batch.following import start

    again = command("operations", "batch", "--follow", name)
    if start(states, outputs.batch_state_machine_arn, name, found.prefix):
        write_line(f"{counted(found.photos, 'photo')} under {found.prefix}: started {name}", ERRORS)
    else:
        write_line(
            f"these {counted(found.photos, 'photo')} are the batch {name}, which was started before; run them once"
            f" more with --attempt {args.attempt + 1}",
            ERRORS,
        )
    write_line(f"follow it from anywhere: {again}", ERRORS)


def _follow(args: argparse.Namespace, outputs: StackOutputs, states: SFNClient, name: str) -> int:
    import boto3

    from contract.invocation import command
    from contract.screen import ERRORS, write_line
    from operations.bar import LateBar
    from operations.batch.following import follow
    from operations.batch.outcomes import count_outcomes

    machine = outputs.batch_state_machine_arn
    try:
        with LateBar() as bar:
            batch = follow(
                states, machine, name,
                interval=args.interval, say=lambda now: bar.say("classified", now.done, now.total or None),
            )  # fmt: skip
    except KeyboardInterrupt:
        write_line(f"it goes on; follow it again: {command('operations', 'batch', '--follow', name)}", ERRORS)
        return 130
    counts = count_outcomes(boto3.client("s3"), outputs.bucket, batch.map_run) if batch.map_run else None
    if args.json:
        _write_json(outputs, batch, counts)
    else:
        _write(outputs, batch, counts)
    return 0 if batch.status == "SUCCEEDED" else 1


def _price(args: argparse.Namespace, outputs: StackOutputs, found: UnderPrefix) -> int:
    import boto3

    from contract.prices import read_table
    from contract.screen import Column, counted, write_json, write_line, write_table
    from operations.batch.estimate import estimate_batch
    from operations.batch.hosting import endpoint_of

    table = read_table(outputs.region)
    endpoint = endpoint_of(boto3.client("sagemaker"), outputs.endpoint_name)
    seconds = args.model_seconds or table.assumptions["seconds_of_the_model"]
    made = estimate_batch(
        found.photos, table, endpoint, concurrency=outputs.batch_concurrency or 1, model_seconds=seconds
    )
    if args.json:
        write_json(_priced(found, made, seconds))
        return 0
    columns = (Column("what"), Column("quantity", right=True, more=True), Column("unit", more=True),
               Column("USD", right=True))  # fmt: skip
    rows = [
        (cost.what, f"{cost.quantity:,.6g}", cost.price.unit, "not known" if cost.usd is None else f"{cost.usd:,.4f}")
        for cost in made.costs
    ]
    write_table(columns, rows)
    write_line(f"{counted(found.photos, 'photo')}, {found.size / 1e6:,.1f} MB, under {found.prefix}: "
               f"{made.usd:,.2f} USD at list prices of {table.read}, before free tiers")  # fmt: skip
    if found.photos:
        write_line(f"about {duration(made.seconds)}: {made.binds.name} allows {made.binds.a_second:,.1f} a second, at"
                   f" {seconds:g} s a picture ({'given' if args.model_seconds else 'assumed'})")  # fmt: skip
        write_line(f"about {made.reviews:,.0f} of them for a person, who takes {duration(made.answering_seconds)}")
    return 0


def duration(seconds: float) -> str:
    """Seconds as a person says them: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _priced(found: UnderPrefix, made: BatchEstimate, model_seconds: float) -> dict[str, object]:
    return {
        "prefix": found.prefix, "photos": found.photos, "folders": found.folders, "bytes": found.size,
        "usd": round(made.usd, 6), "seconds": round(made.seconds, 3), "modelSeconds": model_seconds,
        "binds": made.binds.name, "photosASecond": round(made.binds.a_second, 3),
        "forAPerson": round(made.reviews, 1), "answeringSeconds": round(made.answering_seconds, 1),
        "costs": [
            {"what": each.what, "quantity": each.quantity, "unit": each.price.unit, "usd": each.usd,
             "source": each.price.source}
            for each in made.costs
        ],
        "limits": [{"name": each.name, "photosASecond": each.a_second} for each in made.rates],
    }  # fmt: skip


def _write(outputs: StackOutputs, batch: BatchRun, counts: BatchCounts | None) -> None:
    from contract.screen import ERRORS, Column, write_line, write_table

    columns = (Column("photos"), Column("count", right=True))
    if counts:
        write_table(columns, [(name, f"{count:,}") for name, count in _rows(outputs, counts)])
        if counts.faults:
            write_table((Column("fault"), Column("count", right=True)),
                        [(name, f"{count:,}") for name, count in counts.faults.most_common()])  # fmt: skip
    else:
        write_line("what became of each photo is not there: no results were written, or they have expired", ERRORS)
    took = f" in {duration(batch.seconds)}" if batch.seconds is not None else ""
    write_line(f"{batch.name} {batch.status}{took}", ERRORS)
    if batch.error:
        write_line(f"{batch.error}: {batch.cause}", ERRORS)
    if counts:
        write_line(f"each photo's result: {_results(outputs, batch)}", ERRORS)


def _rows(outputs: StackOutputs, counts: BatchCounts) -> list[tuple[str, int]]:
    from contract.decisions import WORDS

    names = [*outputs.classes, *sorted(set(counts.accepted) - set(outputs.classes))]
    more = [("folders", counts.folders), ("decided before", counts.again), ("not begun", counts.pending)]
    return [
        *((f"{WORDS['accepted']}: {name}", counts.accepted[name]) for name in names),
        (WORDS["review"], counts.review),
        (WORDS["neither"], counts.neither),
        (WORDS["fault"], counts.faults.total()),
        *((name, count) for name, count in more if count),
        ("all", counts.total),
    ]


def _results(outputs: StackOutputs, batch: BatchRun) -> str:
    from operations.batch.outcomes import manifest_of

    return f"s3://{outputs.bucket}/{manifest_of(batch.map_run)}"


def _write_json(outputs: StackOutputs, batch: BatchRun, counts: BatchCounts | None) -> None:
    from contract.screen import write_json

    write_json({
        "name": batch.name, "execution": batch.execution, "prefix": batch.prefix, "status": batch.status,
        "error": batch.error or None, "cause": batch.cause or None, "seconds": batch.seconds,
        "mapRun": batch.map_run or None, "results": _results(outputs, batch) if counts else None,
        "counts": counts and {
            "accepted": counts.accepted, "review": counts.review, "neither": counts.neither,
            "fault": counts.faults.total(), "again": counts.again, "folders": counts.folders,
            "pending": counts.pending, "all": counts.total,
        },
        "faults": counts.faults if counts else None,
    })  # fmt: skip
