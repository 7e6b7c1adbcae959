"""`python -m operations watch`: decisions as they come, one line each, and the totals at the end."""

from __future__ import annotations

import argparse
from contextlib import suppress
from typing import Any

from contract.errors import UserError
from contract.outputs import VARIABLE, require_outputs

SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.1, 3600.0
"""Seconds."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "watch",
        description="Follows the state machine and the decisions table until Ctrl-C; takes nothing from any queue."
        " In a pipe the columns of a line are separated by tabs.",
    )
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="between looks (default: 2)")
    parser.add_argument("--once", action="store_true", help="print what there is and end")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, the totals last")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 also after Ctrl-C.

    Raises:
        UserError: an option or the stack's outputs can't be used.
    """
    outputs = require_outputs(args.outputs, "state_machine_arn", "decisions_table")
    if not SHORTEST_INTERVAL <= args.interval <= LONGEST_INTERVAL:
        allowed = f"between {SHORTEST_INTERVAL:g} and {LONGEST_INTERVAL:g} seconds"
        raise UserError(f"--interval must be {allowed}, got {args.interval:g}")
    with suppress(KeyboardInterrupt):  # before the first look
        _follow(outputs.state_machine_arn, outputs.decisions_table, args)
    return 0


def _follow(state_machine: str, table: str, args: argparse.Namespace) -> None:
    import boto3

    from operations.watch.follower import Follower
    from operations.watch.totals import follow

    follower = Follower(boto3.client("stepfunctions"), boto3.resource("dynamodb").Table(table), state_machine)
    follow(follower, interval=args.interval, once=args.once, as_json=args.json)
