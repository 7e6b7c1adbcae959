"""What a report is asked for, and everything read once and put together."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import boto3
from botocore.exceptions import ClientError

from contract.baseline import Baseline, parse_baseline
from contract.decisions import NEITHER
from contract.errors import UserError
from contract.invocation import command
from contract.outputs import VARIABLE, StackOutputs, read_outputs
from contract.thresholds import allowed_thresholds, is_threshold
from operations.captures.period import Period, parse_moment, parse_zone
from operations.captures.reader import CaptureReader
from operations.captures.sources import open_source
from operations.report.decisions import Decisions, rows_of_file, rows_of_table
from operations.report.executions import MOST_DESCRIBED, NOT_LOOKED_UP, Executions, read_executions
from operations.report.photos import Collector, Photos
from operations.report.summary import Inputs, Summary, summarise


@dataclass(frozen=True, slots=True)
class Order:
    """What a report is asked for, after all options and outputs were understood."""

    capture: str
    threshold: float
    labels: tuple[str, ...] = ()
    """The model's, in label order; empty when not given: they are numbered."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    period: Period = field(default_factory=Period)
    baseline: Baseline | None = None
    decisions: Decisions | None = None
    executions: Executions | None = None
    notes: tuple[str, ...] = ()


def build(order: Order, progress: Callable[[int, int], None] = lambda records, files: None) -> tuple[Summary, Photos]:
    """Read everything once and put it together.

    Args:
        order: what is asked for.
        progress: called with (records, files) read so far.

    Raises:
        UserError: there is no such source, or the threshold can't be one for so many labels.
    """
    reader = CaptureReader(open_source(order.capture), order.period, len(order.labels) or None)
    neither = order.labels.index(NEITHER) if NEITHER in order.labels else None
    collector = Collector(order.threshold, neither, order.decisions, order.executions)
    checked = False
    for batch in reader.batches():
        if not checked:
            check_threshold(order.threshold, batch.scores.shape[1])
            checked = True
        collector.add(batch)
        progress(reader.reading.records, reader.reading.files)
    labels = order.labels or tuple(f"class {index}" for index in range(reader.classes or 0))
    notes = list(order.notes)
    baseline = order.baseline
    if baseline is not None and order.labels and set(baseline.classes) != set(labels):
        notes.append(
            f"the baseline is of other labels ({', '.join(baseline.classes)}) and was not compared:"
            f" run {command('training', 'evaluate', '--upload-baseline')}"
        )
        baseline = None
    if baseline is not None and abs(baseline.threshold - order.threshold) > 1e-9:
        notes.append(
            f"the evaluation used the threshold {baseline.threshold:g}, this report {order.threshold:g}:"
            " its rate of photos below the threshold is not this threshold's"
        )
    photos = collector.photos()
    inputs = Inputs(
        labels=labels,
        threshold=order.threshold,
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
    return summarise(photos, inputs), photos


def understand(args: argparse.Namespace) -> Order:
    """The order that the command line and the stack's outputs give.

    Raises:
        UserError: an option or an output can't be used, or one is missing.
    """
    stack = read_outputs(args.outputs) or StackOutputs()
    zone = parse_zone(args.timezone)
    start = parse_moment(args.start, zone, option="--from") if args.start else None
    end = parse_moment(args.end, zone, end=True, option="--to") if args.end else None
    if start and end and start >= end:
        raise UserError(f"--from must be before the end of --to, got --from {args.start} --to {args.end}")
    period = Period(start, end)
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
    check_threshold(threshold, len(labels) or None)
    # the account is asked only when the captures are the stack's own
    decisions = _decisions(args.decisions or ("" if args.capture else stack.decisions_table))
    executions = None
    if stack.state_machine_arn and not args.capture:
        executions = _executions(stack, period, decisions, notes)
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


def check_threshold(threshold: float, labels: int | None) -> None:
    """Raise UserError for what is no threshold of a model with so many labels (None: not known yet)."""
    if not is_threshold(threshold, labels):
        raise UserError(f"--threshold must be {allowed_thresholds(labels)}, got {threshold:g}")


def _executions(stack: StackOutputs, period: Period, decisions: Decisions | None, notes: list[str]) -> Executions:
    for_people = decisions.for_people if decisions else set[str]()
    found = read_executions(boto3.client("stepfunctions"), stack.state_machine_arn, period, for_people)
    if found.cut:
        notes.append(f"only the newest {found.count:,} executions were looked at: give --from for a shorter period")
    if any(fault.error == NOT_LOOKED_UP for fault in found.faults):
        notes.append(f"of the newest {MOST_DESCRIBED} failed executions the error was looked up, of the others not")
    return found


def _decisions(place: str) -> Decisions | None:
    if not place:
        return None
    if Path(place).is_file():
        return Decisions(rows_of_file(Path(place)))
    if "/" in place or place.endswith((".json", ".jsonl")):
        raise UserError(f"--decisions {place}: there is no such file")
    return Decisions(rows_of_table(boto3.resource("dynamodb").Table(place)))


def _baseline(place: str | None, stack: StackOutputs, notes: list[str]) -> Baseline | None:
    name = place or stack.baseline_uri
    if not name:
        return None
    try:
        content = _content(name)
    except FileNotFoundError as error:
        if place:
            raise UserError(f"--baseline {place}: there is no such file") from error
        notes.append(f"no baseline at {name} yet: run {command('training', 'evaluate', '--upload-baseline')}")
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
    if not bucket or not key:
        raise UserError(f"--baseline must be a file or s3://bucket/key, got {name!r}")
    try:
        return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            raise FileNotFoundError(name) from error
        raise
