"""`python -m operations review`: list what waits for a person, or serve the page on which people answer."""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import signal
import threading
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, require_outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from operations.review.queue import Waiting

PICTURE_COLUMNS = 32
SETTLE_EVERY_SECONDS = 1.0
NEEDED = ("review_queue_url", "decisions_table")
NEEDED_TO_SERVE = ("event_bus_name", "state_machine_arn", "bucket", "labels")
DEFAULT_RETENTION_DAYS = 365
"""For a stack whose outputs do not say how long decisions are kept."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "review",
        description="Lists what waits for a person, oldest first; nothing is taken from the queue but what was decided "
        "meanwhile. With --serve, a page on 127.0.0.1 shows each photo and takes the answers. An answer is recorded "
        "once, its driver is told the bay, and the photo becomes a sample under corrections/.",
    )
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--json", action="store_true", help="the list as JSON")
    parser.add_argument("--pictures", action="store_true", help="show each photo, in a terminal with 24-bit colours")
    parser.add_argument("--serve", action="store_true", help="serve the page until Ctrl-C")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="of the page (default: a free one)")
    parser.add_argument("--as", dest="by", metavar="NAME", help="who answers (default: the user's login name)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    outputs = require_outputs(args.outputs, *NEEDED, *(NEEDED_TO_SERVE if args.serve else ()))
    if not 0 <= args.port <= 65535:
        raise UserError(f"--port must be between 0 and 65535, got {args.port}")
    if args.serve:
        return serve(outputs, args.port, args.by or _login())
    return _list(outputs, as_json=args.json, pictures=args.pictures)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UserError("who answers? this machine has no login name: give --as NAME") from error


def _list(outputs: StackOutputs, *, as_json: bool, pictures: bool) -> int:
    import boto3

    from contract.screen import ERRORS, write_line
    from operations.review.queue import ReviewQueue
    from operations.review.rows import recorded_for
    from operations.review.stale import waiting_now

    recall = partial(recorded_for, boto3.client("dynamodb"), outputs.decisions_table)
    queue = ReviewQueue(boto3.client("sqs"), outputs.review_queue_url)
    waiting = waiting_now(queue, recall, lambda line: write_line(line, ERRORS))
    if pictures and waiting:
        _show(waiting)
    else:
        tell(waiting, as_json=as_json)
    return 0


def tell(waiting: Sequence[Waiting], *, as_json: bool) -> None:
    """Write what waits: rows, or JSON for scripts."""
    from contract.screen import SCREEN, write_json, write_line

    if as_json:
        write_json([_as_json(each) for each in waiting])
    elif not waiting and SCREEN.is_terminal:
        write_line("nothing waits for a person")
    else:
        write_queue(waiting, SCREEN)


def _as_json(waiting: Waiting) -> dict[str, object]:
    return {
        "bucket": waiting.bucket, "key": waiting.key, "version": waiting.version, "outcome": waiting.outcome,
        "error": waiting.error, "message": waiting.message, "label": waiting.label,
        "confidence": waiting.confidence, "threshold": waiting.threshold, "inferences": waiting.inferences,
        "model": waiting.model, "execution": waiting.execution, "since": waiting.sent.isoformat(),
    }  # fmt: skip


def write_queue(waiting: Sequence[Waiting], console: Console) -> None:
    """Write what waits, a photo a row."""
    from contract.decisions import word_for
    from contract.prefixes import INCOMING
    from contract.screen import Column, write_table
    from operations.review.queue import age

    now = datetime.now(UTC)
    columns = (Column("photo"), Column("why"), Column("what was said", more=True), Column("age", right=True, more=True))
    rows = [
        (each.key.removeprefix(INCOMING) or "no photo", word_for(each.outcome, 1), each.opinion, age(now - each.sent))
        for each in waiting
    ]
    write_table(columns, rows, console)


def _show(waiting: Sequence[Waiting]) -> None:
    import boto3

    from contract.decisions import word_for
    from contract.screen import SCREEN, write_line
    from operations.review.photos import Gone, NotShown, fetch, to_blocks
    from operations.review.queue import age

    if not SCREEN.is_terminal or os.environ.get("COLORTERM") not in ("truecolor", "24bit"):
        raise UserError("--pictures needs a terminal with 24-bit colours (COLORTERM=truecolor)")
    s3 = boto3.client("s3")
    for each in waiting:
        try:
            print(to_blocks(fetch(s3, each), PICTURE_COLUMNS))
        except (Gone, NotShown) as error:
            write_line(str(error))
        why = word_for(each.outcome, 1)
        write_line(f"{each.key or 'no photo'}, {why}, for {age(datetime.now(UTC) - each.sent)}: {each.opinion}\n")


def serve(outputs: StackOutputs, port: int, by: str) -> int:
    """Serve the page until Ctrl-C or SIGTERM; 0 then.

    Raises:
        UserError: the port is taken, or the outputs lack something.
    """
    import boto3
    from werkzeug.serving import make_server

    from contract.screen import ERRORS, write_line
    from operations.review.answers import AnswerBook, new_answer
    from operations.review.desk import Desk, StackNames
    from operations.review.flow import Flow
    from operations.review.queue import ReviewQueue
    from operations.review.server import create_app

    stack = StackNames(outputs.bucket, outputs.event_bus_name, outputs.labels, outputs.loading_bays)
    new_answer(stack.answers[0], by, datetime.now(UTC), 0, stack.answers)  # refuses a name before anything is served
    s3 = boto3.client("s3")
    book = AnswerBook(
        boto3.resource("dynamodb").Table(outputs.decisions_table),
        outputs.decision_retention_days or DEFAULT_RETENTION_DAYS,
    )
    queue = ReviewQueue(boto3.client("sqs"), outputs.review_queue_url)
    desk = Desk(queue, book, s3, boto3.client("events"), stack, say=lambda line: write_line(line, ERRORS))
    flow = Flow(boto3.client("stepfunctions"), s3, outputs.state_machine_arn, outputs.bucket)
    app = create_app(desk, flow, s3, stack=outputs.endpoint_name or outputs.bucket, by=by)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    try:
        server = make_server("127.0.0.1", port, app, threaded=True)
    except (OSError, SystemExit) as error:
        raise UserError(f"port {port} of 127.0.0.1 can't be had: choose another --port, or none") from error
    stop = threading.Event()
    # an answer must be settled and a photo given back also when somebody ends the process
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    write_line(f"http://127.0.0.1:{server.port}/")
    write_line("Ctrl-C ends it: what is not answered goes back into the queue", ERRORS)
    while not stop.wait(SETTLE_EVERY_SECONDS):
        desk.settle_due()
    server.shutdown()
    desk.close()
    return 0
