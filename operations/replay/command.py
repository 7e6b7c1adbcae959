"""`python -m operations replay`: what ended in a fault, or never began, through the workflow again."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, require_outputs

if TYPE_CHECKING:
    from operations.replay.choice import Candidate, Wanted
    from operations.replay.telling import Done, Survey

KEPT_DAYS = 14
"""Days after which SQS deletes a message: what is older is not to be found."""
PER_SECOND = 5.0
"""Executions a second, beside those of drivers who wait: each keeps about one function busy for a second, so that they
take some five of the thousand concurrent executions that an account has (Lambda Developer Guide, "Quotas")."""
FASTEST = 100.0
"""A bound against a slip of the finger: above it, drivers' own photos would soon be throttled too."""
NEEDED = ("decisions_table", "review_queue_url", "dead_letter_queue_url", "state_machine_arn")


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "replay",
        description="Counts the photos whose execution ended in a fault or never began; with --start they go through"
        " the workflow again, each once. What the model was not sure of is a decision and no fault, and stays where it"
        " is; so does what was decided or answered meanwhile. The exit code is 1 when --follow saw faults again.",
    )
    add = parser.add_argument
    add("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    add("--since", metavar="TIME", help="came at this moment or later, like 2026-05-03T14:00 (default:"
        f" {KEPT_DAYS} days ago)")  # fmt: skip
    add("--until", metavar="TIME", help="came before; a date alone includes that day (default: now)")
    add("--error", action="append", default=[], metavar="NAME", help="only this error, or those that begin like it:"
        " ModelNotReady, 'Model*'; may be given again")  # fmt: skip
    add("--key", action="append", default=[], metavar="KEY", help="only this photo, or those below: incoming/a.jpg,"
        " 'incoming/2026/*'; may be given again")  # fmt: skip
    add("--start", action="store_true", help="start them, once you agree; without it they are only counted")
    add("--yes", action="store_true", help="agree in advance")
    add(
        "--per-second",
        type=float,
        default=PER_SECOND,
        metavar="N",
        help=f"no faster than this (default: {PER_SECOND:g})",
    )
    add("--follow", action="store_true", help="wait until they have ended, and count how")
    add("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    outputs = require_outputs(args.outputs, *NEEDED)
    wanted = _wanted(args)
    from operations.replay.telling import write_done, write_plan, write_replay_json

    agreed: frozenset[tuple[object, str]] | None = None
    if args.start and not args.yes:
        found, _ = _replay(outputs, wanted, args, start=False)
        write_plan(found)
        count = len(found.plan.replay) + len(found.plan.obsolete)
        if not count or not _is_agreed(count, args.per_second):
            return 0
        agreed = frozenset((each.photo, each.last) for each in [*found.plan.replay, *found.plan.obsolete])
    found, done = _replay(outputs, wanted, args, start=args.start, agreed=agreed)
    if args.json:
        write_replay_json(wanted, found, done)
    else:
        if agreed is None:
            write_plan(found)
        write_done(done)
    return 1 if done and done.ends and done.ends.faults else 0


def _wanted(args: argparse.Namespace) -> Wanted:
    from operations.captures.period import since_until
    from operations.replay.choice import Wanted

    if not 0.1 <= args.per_second <= FASTEST:
        raise UserError(f"--per-second must be from 0.1 to {FASTEST:g}, got {args.per_second:g}")
    for option, patterns in (("--error", args.error), ("--key", args.key)):
        if any(not pattern for pattern in patterns):
            raise UserError(f"{option} must name something, got an empty text")
    if args.follow and not args.start:
        raise UserError("--follow needs --start: nothing is started without it")
    if args.start and not args.yes and (args.json or not sys.stdin.isatty()):
        raise UserError("--start asks first; where nobody can be asked, give --yes")
    return Wanted(since_until(args.since, args.until, datetime.now(UTC), KEPT_DAYS), args.error, args.key)


def _is_agreed(count: int, per_second: float) -> bool:
    from contract.screen import ERRORS, counted

    question = f"send {counted(count, 'photo')} through again, in about {count / per_second:,.0f} s? [y/N] "
    return ERRORS.input(question).strip().lower() in ("y", "yes")


def _replay(
    outputs: StackOutputs,
    wanted: Wanted,
    args: argparse.Namespace,
    *,
    start: bool,
    agreed: frozenset[tuple[object, str]] | None = None,
) -> tuple[Survey, Done | None]:
    """Look at both queues, and start what is agreed of what was chosen (all of it without `agreed`)."""
    import boto3
    from botocore.config import Config

    from contract.screen import ERRORS, write_line
    from operations.bar import LateBar
    from operations.replay.choice import plan
    from operations.replay.finding import failed, undelivered
    from operations.replay.starting import Pace, Shelf, begin, follow
    from operations.replay.telling import Done, Survey
    from operations.review.queue import ReviewQueue, parse
    from operations.review.rows import recorded_for
    from operations.review.stale import still_asking

    reviews = ReviewQueue(boto3.client("sqs"), outputs.review_queue_url)
    letters = ReviewQueue(boto3.client("sqs"), outputs.dead_letter_queue_url)
    recall = partial(recorded_for, boto3.client("dynamodb"), outputs.decisions_table)
    states = boto3.client("stepfunctions", config=Config(retries={"mode": "adaptive", "max_attempts": 10}))
    say = partial(write_line, console=ERRORS)
    rate = args.per_second if start else None
    with LateBar() as bar:
        with ExitStack() as held:
            counted, undelivered_counted = reviews.counts(), letters.counts()
            asking = held.enter_context(still_asking(reviews, recall, say, a_second=rate))
            dead = held.enter_context(letters.listing(rate))
            candidates = [*map(failed, asking.messages), *map(undelivered, dead)]
            chosen = [each for each in candidates if wanted.takes(each)]
            found = Survey(
                plan(chosen, recall([each.photo for each in chosen if each.photo])),
                max(0, counted.waiting + counted.held - len(asking.messages) - asking.removed.total()),
                max(0, undelivered_counted.waiting + undelivered_counted.held - len(dead)),
                asking.removed,
            )
            if not start:
                return found, None

            def is_agreed(each: Candidate) -> bool:
                return agreed is None or (each.photo, each.last) in agreed

            to_start, to_remove = (
                [each for each in group if is_agreed(each)] for group in (found.plan.replay, found.plan.obsolete)
            )
            shelves = Shelf(reviews, asking.messages), Shelf(letters, dead)
            for shelf in shelves:
                shelf.give_back([*to_start, *to_remove])
            begun = begin(
                states, outputs.state_machine_arn, to_start, to_remove, *shelves, Pace(args.per_second), bar.say
            )
        if not args.follow:
            return found, Done(begun, None)
        ends = follow(states, outputs.state_machine_arn, begun.executions, bar.say)
        for message in begun.hidden:
            reviews.hide(parse(message), 0)
        with still_asking(reviews, recall, lambda line: None) as asking:
            found.removed.update(asking.removed)
        return found, Done(begun, ends)
