"""`python -m operations report`: from captured inferences to a page that a manager understands."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.errors import UserError
from contract.outputs import VARIABLE

if TYPE_CHECKING:
    from operations.report.summary import Summary

DEFAULT_OUTPUT = "build/report"
SUMMARY = "summary.json"


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        description="Reads every captured inference of a period, the recorded decisions and the executions that ended"
        f" in a fault, and writes OUTPUT/index.html (self-contained), {SUMMARY} (the numbers) and a PNG per picture.",
    )
    add = parser.add_argument
    add("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    add("--capture", metavar="PLACE", help="s3://bucket/prefix, folder or file (default: the stack's)")
    add("--decisions", metavar="FILE|TABLE", help="JSON lines or a DynamoDB table (default: the stack's)")
    add("--baseline", metavar="FILE|S3URI", help="baseline.json (default: the stack's)")
    add("--from", dest="start", metavar="TIME", help="first moment, like 2026-05-03 or 2026-05-03T14:00")
    add("--to", dest="end", metavar="TIME", help="end; a date alone includes that day")
    add("--timezone", default="UTC", metavar="NAME", help="IANA name, like Europe/London (default: UTC)")
    add("--threshold", type=float, metavar="P", help="confidence threshold (default: the stack's)")
    add("--classes", nargs="+", metavar="NAME", help="the model's labels in label order (default: the stack's)")
    add("--output", default=DEFAULT_OUTPUT, metavar="FOLDER", help=f"default: {DEFAULT_OUTPUT}")
    add("--json", action="store_true", help=f"print {SUMMARY} instead of sentences")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 when the report is written.

    Raises:
        UserError: an option can't be used, or a file can't be read or written.
    """
    from operations.report.build import build, understand

    order = understand(args)
    # after the mistakes that a person can make: drawing takes a second to import
    from rich.console import Console

    from operations.report import page

    folder = Path(args.output)
    with Console(stderr=True).status("reading captures") as status:
        summary, photos = build(
            order, lambda records, files: status.update(f"{records:,} records in {files:,} files")
        )  # fmt: skip
        status.update("drawing")
        drawn = page.draw_pictures(summary, order.zone)
        html = page.render(summary, photos, drawn, order.zone, evaluation=page.evaluation_beside(folder))
        document = to_json(summary)
        try:
            written = page.write(folder, html, drawn)
            (folder / SUMMARY).write_text(document + "\n", encoding="utf-8")
        except OSError as error:
            raise UserError(f"--output {args.output} can't be written: {error.strerror}") from error
    print(document if args.json else "\n".join([*sentences(summary), f"{written}"]))
    if damaged := summary.sources.damaged:
        records = "1 damaged record" if damaged == 1 else f"{damaged:,} damaged records"
        print(f"{records}: see the end of the page", file=sys.stderr)
    return 0


def sentences(summary: Summary) -> list[str]:
    """What the terminal says: the headline, faults by name, drift, strangers."""
    from contract.screen import counted

    found = [summary.headline]
    if not summary.photos:
        files, place = counted(summary.sources.files, "file"), summary.sources.capture
        found.append(f"{files} of {place} {'was' if summary.sources.files == 1 else 'were'} read: is the period right?")
    if summary.faults:
        found.append("Faults: " + ", ".join(f"{each.error} {each.count:,}" for each in summary.faults) + ".")
    found += summary.drift_story
    if summary.strangers_story:
        found.append(summary.strangers_story)
    return found


def to_json(summary: Summary) -> str:
    """The summary as indented JSON; times are ISO 8601 in UTC."""
    import orjson

    return orjson.dumps(summary, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2).decode()
