"""`python -m operations restore`: what the decisions table has lost, from a table that was restored beside it."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from contract.errors import UserError
from contract.outputs import VARIABLE, require_outputs

MOST_NAMED = 20
"""Rows that differ and are named; --json names all."""


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "restore",
        description="Compares the rows of a restored table with those of the stack's decisions table, and with --yes"
        " puts back what is missing; with --overwrite also what differs. Rows that have expired are left out.",
    )
    parser.add_argument("table", metavar="TABLE", help="the table that was restored, such as scones-restored")
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--overwrite", action="store_true", help="also rows that differ, which may be newer")
    parser.add_argument("--yes", action="store_true", help="write; without it everything is only counted")
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 1 when somebody wrote into a row meanwhile, which then stays as it is.

    Raises:
        UserError: an option, the table or the stack's outputs can't be used.
    """
    import boto3

    from contract.screen import counted, write_json, write_line
    from operations.bar import LateBar
    from operations.restore.rows import compare, named, put_back

    own = require_outputs(args.outputs, "decisions_table").decisions_table
    if args.table == own:
        raise UserError(f"TABLE must be the restored one, and not the stack's own, got {args.table}")
    dynamodb = boto3.client("dynamodb")
    with LateBar() as bar:
        found = compare(dynamodb, args.table, own, time.time(), lambda seen: bar.say("rows", seen, None))
    wanted = [(row, None) for row in found.missing] + ([*found.different] if args.overwrite else [])
    written = sum(put_back(dynamodb, own, row, other) for row, other in wanted) if args.yes else 0
    changed = len(wanted) - written if args.yes else 0
    if args.json:
        write_json({
            "same": found.same, "expired": found.expired, "missing": len(found.missing),
            "different": [named(row) for row, _ in found.different], "written": written, "changed_meanwhile": changed,
        })  # fmt: skip
    else:
        write_line(
            f"{counted(found.same, 'row')} as restored, {len(found.missing):,} missing, {len(found.different):,}"
            f" different, {found.expired:,} expired and left out"
        )
        for row, _ in found.different[:MOST_NAMED]:
            write_line(f"different: {named(row)}")
        write_line(f"{counted(written, 'row')} written" if args.yes else "nothing is written without --yes")
    if changed:
        print(f"{counted(changed, 'row')} changed meanwhile and left alone: compare again", file=sys.stderr)
    return 1 if changed else 0
