"""`python -m operations report`: from captured inferences to a page that a manager understands."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import orjson
from botocore.exceptions import ClientError
from rich.console import Console

from contract.baseline import Baseline, parse_baseline
from contract.errors import UserError
from contract.outputs import VARIABLE, StackOutputs, read_outputs
from contract.thresholds import allowed_thresholds, is_threshold
from operations.captures.period import Period, parse_moment, parse_zone
from operations.captures.reader import CaptureReader
from operations.captures.sources import open_source
from operations.report import page
from operations.report.decisions import DecisionIndex, rows_of_file, rows_of_table
from operations.report.executions import Executions, read_executions
from operations.report.summary import Inputs, Summary, summarise
from operations.report.tally import Tally


@dataclass(frozen=True, slots=True)
class Order:
    """What a report is asked for, after all options and outputs were understood."""

    capture: str
    threshold: float
    labels: tuple[str, ...] = ()
    """Class names in label order; empty when not given: they are numbered."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    period: Period = field(default_factory=Period)
    baseline: Baseline | None = None
    decisions: DecisionIndex | None = None
    executions: Executions | None = None
    notes: tuple[str, ...] = ()


def build(order: Order, progress: Callable[[int, int], None] = lambda records, files: None) -> tuple[Summary, Tally]:
    """Read everything once and put it together. `progress` is called with (records, files) read so far."""
    reader = CaptureReader(open_source(order.capture), order.period, len(order.labels) or None)
    tally: Tally | None = None
    for batch in reader.batches():
        if tally is None:
            _check_threshold(order.threshold, batch.scores.shape[1])
            tally = Tally(batch.scores.shape[1], order.threshold, order.zone, order.decisions)
        tally.add(batch)
        progress(reader.reading.records, reader.reading.files)
    labels = order.labels or tuple(f"class {index}" for index in range(reader.classes or 0))
    notes = list(order.notes)
    baseline = order.baseline
    if baseline is not None and order.labels and set(baseline.classes) != set(labels):
        notes.append(
            f"the baseline is of other classes ({', '.join(baseline.classes)}) and was not compared:"
            " run python -m training evaluate"
        )
        baseline = None
    if baseline is not None and abs(baseline.threshold - order.threshold) > 1e-9:
        notes.append(
            f"the evaluation used the threshold {baseline.threshold:g}, this report {order.threshold:g}:"
            " its rate of photos sent to people is not this threshold's"
        )
    tally = tally or Tally(len(labels), order.threshold, order.zone, order.decisions)
    inputs = Inputs(
        labels=labels,
        zone=order.zone,
        period=order.period,
        created=datetime.now(UTC),
        capture=order.capture,
        reading=reader.reading,
        baseline=baseline,
        decisions=order.decisions,
        executions=order.executions,
        notes=notes,
    )
    return summarise(tally, inputs), tally


def add_parser(subparsers: Any) -> None:
    """Declare the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="one page with pictures of what the model did, and PNG files",
        description="Reads every captured inference of a period, joins the recorded decisions, and writes"
        " OUTPUT/index.html (self-contained) with a PNG per picture.",
    )
    parser.add_argument("--outputs", metavar="FILE", help=f"stack outputs as JSON (default: ${VARIABLE})")
    parser.add_argument("--capture", metavar="PLACE", help="s3://bucket/prefix, folder or file (default: the stack's)")
    parser.add_argument(
        "--decisions", metavar="FILE|TABLE", help="JSON lines or a DynamoDB table (default: the stack's)"
    )
    parser.add_argument("--baseline", metavar="FILE|S3URI", help="baseline.json (default: the stack's)")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="first moment, like 2026-05-03 or 2026-05-03T14:00"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="end; a date alone includes that day")
    parser.add_argument(
        "--timezone", default="UTC", metavar="NAME", help="IANA name, like Europe/London (default: UTC)"
    )
    parser.add_argument("--threshold", type=float, metavar="P", help="confidence threshold (default: the stack's)")
    parser.add_argument(
        "--classes", nargs="+", metavar="NAME", help="class names in label order (default: the stack's)"
    )
    parser.add_argument("--output", default="build/report", metavar="FOLDER", help="default: build/report")
    parser.add_argument("--json", action="store_true", help="print the numbers behind every picture")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 when the report is written.

    Raises:
        UserError: an option can't be used, or a file can't be read or written.
    """
    console = Console(stderr=True)
    with ExitStack() as stack:
        order = understand(args)
        if order.decisions is not None:
            stack.callback(order.decisions.close)
        with console.status("reading captures") as status:
            summary, tally = build(
                order, lambda records, files: status.update(f"{records:,} records in {files:,} files")
            )
            status.update("drawing")
            drawn = page.draw_pictures(summary, order.zone)
            thumbnails = (
                [photo.picture for photo in tally.least_sure],
                [photo.picture for photo in tally.sure],
            )
            html = page.render(summary, drawn, thumbnails, order.zone)
            try:
                written = page.write(Path(args.output), html, drawn)
            except OSError as error:
                raise UserError(f"--output {args.output} can't be written: {error.strerror}") from error
    if args.json:
        print(to_json(summary))
    else:
        print(summary.headline)
        for sentence in summary.drift_story:
            print(sentence)
        print(f"{written}")
    if summary.sources.damaged:
        things = "damaged record" if summary.sources.damaged == 1 else "damaged records"
        console.print(f"{summary.sources.damaged:,} {things}: see the end of the page", style="yellow")
    return 0


def to_json(summary: Summary) -> str:
    """The summary as indented JSON; times are ISO 8601 in UTC."""
    return orjson.dumps(summary, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2).decode()


def understand(args: argparse.Namespace) -> Order:
    """The order that the command line and the stack's outputs give.

    Raises:
        UserError: an option or an output can't be used, or one is missing.
    """
    outputs = read_outputs(args.outputs)
    stack = outputs or StackOutputs()
    zone = parse_zone(args.timezone)
    period = Period(
        parse_moment(args.start, zone, option="--from") if args.start else None,
        parse_moment(args.end, zone, end=True, option="--to") if args.end else None,
    )
    capture = args.capture or stack.capture_uri
    if not capture:
        raise UserError(
            f"where are the captures? give --outputs FILE (or {VARIABLE}), or --capture s3://bucket/prefix or FOLDER"
        )
    notes: list[str] = []
    if not args.capture and stack.endpoint_mode == "serverless":
        notes.append("the endpoint is serverless, and AWS captures nothing from serverless endpoints")
    baseline = _baseline(args.baseline, stack, notes)
    threshold = args.threshold if args.threshold is not None else stack.confidence_threshold
    if threshold is None and baseline is not None:
        threshold = baseline.threshold
    if threshold is None:
        raise UserError("which threshold? give --threshold, --outputs or --baseline")
    labels = tuple(args.classes or stack.labels or (baseline.classes if baseline else ()))
    if len(labels) == 1 or len(set(labels)) != len(labels):
        raise UserError(f"--classes must be two or more different names, got {' '.join(labels)}")
    _check_threshold(threshold, len(labels) or None)
    # The account is queried only when the captures are the stack's own.
    decisions = _decisions(args.decisions or ("" if args.capture else stack.decisions_table))
    executions = None
    if stack.state_machine_arn and not args.capture:
        executions = read_executions(boto3.client("stepfunctions"), stack.state_machine_arn, period)
        if executions.cut:
            notes.append(f"only the newest {executions.count:,} executions were looked at")
    return Order(
        capture=capture,
        threshold=threshold,
        labels=labels,
        zone=zone,
        period=period,
        baseline=baseline,
        decisions=decisions,
        executions=executions,
        notes=tuple(notes),
    )


def _check_threshold(threshold: float, labels: int | None) -> None:
    if not is_threshold(threshold, labels):
        raise UserError(f"--threshold must be {allowed_thresholds(labels)}, got {threshold:g}")


def _decisions(place: str) -> DecisionIndex | None:
    if not place:
        return None
    if Path(place).is_file():
        return DecisionIndex(rows_of_file(Path(place)))
    if "/" in place or place.endswith((".json", ".jsonl")):
        raise UserError(f"--decisions {place}: there is no such file")
    return DecisionIndex(rows_of_table(boto3.resource("dynamodb").Table(place)))


def _baseline(place: str | None, stack: StackOutputs, notes: list[str]) -> Baseline | None:
    name = place or stack.baseline_uri
    if not name:
        return None
    try:
        content = _content(name)
    except FileNotFoundError as error:
        if place:
            raise UserError(f"--baseline {place}: there is no such file") from error
        notes.append(f"no baseline at {name} yet: run python -m training evaluate")
        return None
    try:
        return parse_baseline(json.loads(content))
    except ValueError as error:
        raise UserError(f"the baseline {name} is damaged: {error}") from error


def _content(name: str) -> bytes:
    if not name.startswith("s3://"):
        try:
            return Path(name).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UserError(f"--baseline {name} can't be read: {error.strerror}") from error
    bucket, _, key = name[5:].partition("/")
    try:
        return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            raise FileNotFoundError(name) from error
        raise
