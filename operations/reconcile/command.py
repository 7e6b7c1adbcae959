"""`python -m operations reconcile`: whether every photo of a period is accounted for."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, require_outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from operations.captures.period import Period
    from operations.reconcile.accounts import Account, Balance
    from operations.reconcile.places import Listed, Queued

KEPT_DAYS = 14
"""Days after which SQS deletes a message."""
RENEW_DAYS = 10
GRACE_MINUTES = 15
"""Longer than an execution takes that tries everything again as often as it may."""
NEEDED = ("bucket", "decisions_table", "review_queue_url", "dead_letter_queue_url", "state_machine_arn")


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "reconcile",
        description="Accounts for every photo that arrived in a period: decided, answered by a person, waiting for"
        " one, in the dead-letter queue, in flight, or lost. Nothing is taken from a queue but the message of a"
        " photo that was decided meanwhile. The exit code is 1 when a photo is lost that was not repaired.",
    )
    add = parser.add_argument
    add("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    add("--since", metavar="TIME", help=f"first moment, like 2026-05-03 or 2026-05-03T14:00 (default: {KEPT_DAYS} days"
        " ago)")  # fmt: skip
    add("--until", metavar="TIME", help="end; a date alone includes that day (default: now)")
    add("--grace", type=float, default=GRACE_MINUTES, metavar="MINUTES", help="what is younger may be in flight"
        f" (default: {GRACE_MINUTES})")  # fmt: skip
    add("--renew", type=float, nargs="?", const=RENEW_DAYS, metavar="DAYS", help="first send reviews anew that are"
        f" older than so many days (default: {RENEW_DAYS}): SQS deletes them after {KEPT_DAYS}")  # fmt: skip
    add("--repair", action="store_true", help="start those again that are lost, once you agree")
    add("--yes", action="store_true", help="agree in advance")
    add("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found."""

    period: Period
    balance: Balance
    executions: Listed
    reviews: Queued
    letters: Queued


def period_of(args: argparse.Namespace, now: datetime, outputs: StackOutputs) -> Period:
    """The period that was asked for.

    Raises:
        UserError: it ends before it starts, or begins before what is kept of photos or of decisions.
    """
    from operations.captures.period import since_until

    period = since_until(args.since, args.until, now, KEPT_DAYS)
    start = period.start or now
    kept = {"photos": outputs.photo_retention_days, "decisions": outputs.decision_retention_days}
    # what was forgotten first says how far one can look back
    for what, days in sorted((each for each in kept.items() if each[1] is not None), key=lambda each: each[1] or 0):
        if days is not None and start < now - timedelta(days=days):
            raise UserError(f"--since must be within the {days} days that {what} are kept, got {start:%Y-%m-%d}")
    return period


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    import boto3
    from botocore.config import Config

    from operations.bar import LateBar
    from operations.review.queue import ReviewQueue

    outputs = require_outputs(args.outputs, *NEEDED)
    now = datetime.now(UTC)
    period = period_of(args, now, outputs)
    if not 0 <= args.grace <= 1440:
        raise UserError(f"--grace must be from 0 to 1440 minutes, got {args.grace:g}")
    if args.renew is not None and not 0 <= args.renew < KEPT_DAYS:
        raise UserError(f"--renew must be from 0 to below {KEPT_DAYS} days, got {args.renew:g}")
    if args.repair and not args.yes and (args.json or not sys.stdin.isatty()):
        raise UserError("--repair asks first; where nobody can be asked, give --yes")
    reviews = ReviewQueue(boto3.client("sqs"), outputs.review_queue_url)
    renewed = reviews.renew(now - timedelta(days=args.renew)) if args.renew is not None else None
    # the service answers slowly, and many questions at once are told to wait
    states = boto3.client("stepfunctions", config=Config(retries={"mode": "adaptive", "max_attempts": 10}))
    with LateBar() as bar:
        result = look(outputs, period, timedelta(minutes=args.grace), states, reviews, bar)
    repaired = _repair(args, outputs, result, states, reviews) if args.repair else None
    if args.json:
        _write_json(result, renewed, repaired)
    else:
        _write(result, now, renewed, repaired)
    left = result.balance.surely_lost - (repaired or 0)
    return 1 if left > 0 else 0


def look(outputs: StackOutputs, period: Period, grace: timedelta, states: Any, reviews: Any, bar: Any) -> Reconciled:
    """Look at every place of the stack; in an order in which a photo that moves on meanwhile is seen.

    A message goes after its answer is recorded, so that the queues come before the table; what moves into a
    queue meanwhile is fresh, and in flight.
    """
    import boto3

    from contract.screen import ERRORS, write_line
    from operations.reconcile import places
    from operations.reconcile.accounts import Census, Found, account_for, balance
    from operations.review.queue import ReviewQueue
    from operations.review.rows import recorded_for

    arrived = list(places.arrived_in(boto3.client("s3"), outputs.bucket, period, bar.say))
    began = datetime.now(UTC)
    letters = places.look_into(
        ReviewQueue(boto3.client("sqs"), outputs.dead_letter_queue_url), places.undelivered_photo
    )
    dynamodb = boto3.client("dynamodb")
    recall = partial(recorded_for, dynamodb, outputs.decisions_table)
    reviewed = places.look_for_people(reviews, recall, lambda line: write_line(line, ERRORS))
    listed = places.executions_since(states, outputs.state_machine_arn, period.start, bar.say)
    rows = recorded_for(dynamodb, outputs.decisions_table, [each.photo for each in arrived], bar.say)
    census = Census(began, grace, reviewed.hidden, letters.hidden)
    in_review, in_letters = reviewed.named.among(arrived), letters.named.among(arrived)
    found: dict[Any, Found] = {}
    for each in arrived:
        row = rows.get(each.photo)
        own = listed.not_succeeded.get(row.execution) if row else None
        told = row is None or own is None or (row.decision != "accepted" and own["status"] != "RUNNING")
        run_ = None if told or own is None else places.ended_as(own)
        found[each.photo] = Found(row, run_, each.photo in in_review, each.photo in in_letters)
    doubtful = [
        each
        for each in arrived
        if not found[each.photo].row and "lost" in account_for(each, found[each.photo], census).state
    ]
    explained = {row.execution for row in rows.values()}
    candidates = [item for arn, item in listed.not_succeeded.items() if arn not in explained]
    for photo, its in places.latest_runs(states, candidates, doubtful, bar.say).items():
        found[photo] = Found(run=its)
    accounts = [account_for(each, found[each.photo], census) for each in arrived]
    return Reconciled(period, balance(accounts, census), listed, reviewed, letters)


def _repair(args: argparse.Namespace, outputs: StackOutputs, result: Reconciled, states: Any, reviews: Any) -> int:
    import boto3

    from contract.screen import ERRORS, counted, write_line
    from operations.executions import start_again
    from operations.reconcile.again import send_again

    lost = [each for each in result.balance.lost if each.state == "lost"]
    if not lost:
        return 0
    if not args.yes:
        _write_lost(result.balance.lost)
        if ERRORS.input(f"start {counted(len(lost), 'photo')} again? [y/N] ").strip().lower() not in ("y", "yes"):
            return 0
    table = boto3.resource("dynamodb").Table(outputs.decisions_table)
    for each in lost:
        photo, found = each.arrived.photo, each.found
        if found.row:
            done = send_again(table, reviews, photo)
        else:
            last = found.run.execution if found.run else ""
            done = start_again(states, outputs.state_machine_arn, photo, last)
        if not done:
            write_line(f"{photo.key}: somebody did it before", ERRORS)
    return len(lost)


def _write(result: Reconciled, now: datetime, renewed: int | None, repaired: int | None) -> None:
    from contract.screen import ERRORS, Column, counted, write_line, write_table

    balanced = result.balance
    rows = [(state, f"{count:,}") for state, count in balanced.counts.items()]
    write_table((Column("photos"), Column("count", right=True)), [*rows, ("all", f"{sum(balanced.counts.values()):,}")])
    if repaired is None or repaired == 0:
        _write_lost(balanced.lost)
    by_status = ", ".join(f"{count:,} {status}" for status, count in sorted(result.executions.by_status.items()))
    write_line(f"executions since {result.period.start:%Y-%m-%d %H:%M} UTC: {by_status or 'none'}", ERRORS)
    for name, queue in (("review queue", result.reviews), ("dead-letter queue", result.letters)):
        write_line(f"{name}: {counted(queue.seen, 'message')} seen, about {queue.hidden:,} hidden", ERRORS)
    if balanced.counts["held or lost"]:
        write_line(
            "held or lost: hidden messages can't be read, and SQS counts them approximately; run this again when"
            f" nobody is answering. At least {counted(balanced.surely_lost, 'photo')} surely lost.",
            ERRORS,
        )
    oldest = result.reviews.oldest
    if oldest and now - oldest > timedelta(days=RENEW_DAYS) and renewed is None:
        write_line(
            f"the oldest review was sent {(now - oldest).days} days ago, and SQS deletes it after {KEPT_DAYS}: --renew",
            ERRORS,
        )
    if renewed is not None:
        write_line(f"{counted(renewed, 'review')} renewed", ERRORS)
    if repaired:
        write_line(f"{counted(repaired, 'photo')} started again", ERRORS)


def _write_lost(lost: Sequence[Account]) -> None:
    from contract.screen import Column, write_table

    if lost:
        columns = (Column("photo"), Column("version", more=True), Column("arrived"), Column("state"), Column("why"))
        rows = [
            (each.arrived.photo.key, each.arrived.photo.version, f"{each.arrived.at:%Y-%m-%d %H:%M:%S}", each.state,
             each.why)
            for each in lost
        ]  # fmt: skip
        write_table(columns, rows)


def _write_json(result: Reconciled, renewed: int | None, repaired: int | None) -> None:
    from contract.screen import write_json

    def of(queue: Queued) -> dict[str, object]:
        return {"seen": queue.seen, "hidden_about": queue.hidden, "oldest": queue.oldest and queue.oldest.isoformat()}

    balanced, period = result.balance, result.period
    write_json({
        "since": period.start and period.start.isoformat(), "until": period.end and period.end.isoformat(),
        "photos": sum(balanced.counts.values()), "states": balanced.counts, "surely_lost": balanced.surely_lost,
        "lost": [
            {
                "bucket": each.arrived.photo.bucket, "key": each.arrived.photo.key,
                "version": each.arrived.photo.version, "arrived": each.arrived.at.isoformat(), "state": each.state,
                "why": each.why, "execution": each.found.run.execution if each.found.run else None,
                "status": each.found.run.status if each.found.run else None,
            }
            for each in balanced.lost
        ],
        "executions": result.executions.by_status, "review_queue": of(result.reviews),
        "dead_letter_queue": of(result.letters), "renewed": renewed, "repaired": repaired,
    })  # fmt: skip
