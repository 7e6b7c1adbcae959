"""`python -m training watch`: follow a training job to its end."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contract.errors import UserError
from contract.names import TRAINING_LOG_GROUP
from contract.outputs import VARIABLE, StackOutputs, read_outputs
from training.cli import Subparsers
from training.job.progress import Cost, Job, Learning, cost_of, epochs_asked

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient


def add_parser(subparsers: Subparsers) -> None:
    """Add the `watch` command."""
    parser = subparsers.add_parser(
        "watch",
        help="follow a training job: progress, accuracy, cost",
        description="Follow a training job to its end. Exit code 0 when it completed, 1 when it failed or was "
        "stopped, 2 when there is no such job.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("job", nargs="?", metavar="JOB", help="the training job's name [the stack's]")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help=f"the stack's outputs as JSON [${VARIABLE}]")
    parser.add_argument("--interval", type=_seconds, default=5.0, metavar="SECONDS", help="between looks [%(default)s]")
    parser.add_argument(
        "--price-per-hour", type=_dollars, metavar="USD", help="of one instance [a table for us-east-1]"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(args: argparse.Namespace) -> int:
    """Follow the job; the exit code is the job's own outcome."""
    name: str = args.job or (read_outputs(args.outputs) or StackOutputs()).training_job_name
    if not name:
        raise UserError(f"a job is needed: JOB, or the stack's outputs with --outputs FILE or ${VARIABLE}")
    try:
        job, learning = follow(
            name,
            boto3.client("sagemaker"),
            boto3.client("logs"),
            interval=args.interval,
            price_per_hour=args.price_per_hour,
        )
    except (ClientError, BotoCoreError) as error:
        raise UserError(f"the training job {name} can't be followed: {error}") from error
    cost = cost_of(job, datetime.now(UTC), args.price_per_hour)
    if args.json:
        json.dump(to_document(job, learning, cost), sys.stdout, indent=1)
        print()
    else:
        _print_outcome(job, learning, cost)
    return 0 if job.status == "Completed" else 1


def follow(
    name: str,
    sagemaker: SageMakerClient,
    logs: CloudWatchLogsClient,
    *,
    interval: float,
    price_per_hour: float | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> tuple[Job, Learning]:
    """Look every `interval` seconds until the job is over, with its progress on stderr.

    Raises UserError when there is no such job.
    """
    learning, tail = Learning(), LogTail(name, logs)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[epochs]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[cost]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None, epochs="", cost="")
        while True:
            job = describe(name, sagemaker)
            # after the job, so that the last look at a job that is over reads all of its log
            for epoch in learning.read(tail.new_lines()):
                progress.console.print(_epoch_line(epoch, job, learning), highlight=False)
            progress.update(
                task,
                description=f"{name} {job.stage}",
                total=job.epochs,
                completed=learning.epochs_done,
                epochs=f"epoch {learning.epochs_done}/{job.epochs or '?'}",
                cost=cost_of(job, datetime.now(UTC), price_per_hour).text,
            )
            if job.is_over:
                return job, learning
            sleep(interval)


def describe(name: str, sagemaker: SageMakerClient) -> Job:
    """The job as AWS has it now. Raises UserError when there is none of that name."""
    try:
        found = sagemaker.describe_training_job(TrainingJobName=name)
    except ClientError as error:
        said = error.response.get("Error", {})
        if said.get("Code") in ("ValidationException", "ResourceNotFound"):
            raise UserError(f"there is no training job {name!r} here: {said.get('Message')}") from error
        raise
    resources = found["ResourceConfig"]
    return Job(
        name=name,
        status=found["TrainingJobStatus"],
        stage=found.get("SecondaryStatus", found["TrainingJobStatus"]),
        failure_reason=found.get("FailureReason", ""),
        epochs=epochs_asked(found.get("HyperParameters", {})),
        instance_type=resources.get("InstanceType", ""),
        instances=resources.get("InstanceCount", 1),
        spot=found.get("EnableManagedSpotTraining", False),
        started=found.get("TrainingStartTime"),
        ended=found.get("TrainingEndTime"),
        billable_seconds=found.get("BillableTimeInSeconds"),
        artifact=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
    )


class LogTail:
    """The lines that a job's log streams have gained since the last look."""

    def __init__(self, job: str, logs: CloudWatchLogsClient) -> None:
        self._prefix = f"{job}/"
        self._logs = logs
        self._tokens: dict[str, str] = {}

    def new_lines(self) -> list[str]:
        """Every line not returned before, stream by stream; none while there is no log yet."""
        lines: list[str] = []
        try:
            pages = self._logs.get_paginator("describe_log_streams").paginate(
                logGroupName=TRAINING_LOG_GROUP, logStreamNamePrefix=self._prefix
            )
            streams = [stream.get("logStreamName", "") for page in pages for stream in page.get("logStreams", [])]
            for stream in streams:
                lines += self._new_lines_of(stream)
        except self._logs.exceptions.ResourceNotFoundException:
            return lines
        return lines

    def _new_lines_of(self, stream: str) -> list[str]:
        lines: list[str] = []
        while True:
            token = self._tokens.get(stream)
            if token is None:
                page = self._logs.get_log_events(
                    logGroupName=TRAINING_LOG_GROUP, logStreamName=stream, startFromHead=True
                )
            else:
                page = self._logs.get_log_events(
                    logGroupName=TRAINING_LOG_GROUP, logStreamName=stream, startFromHead=True, nextToken=token
                )
            lines += [event.get("message", "") for event in page["events"]]
            # at its end a stream answers with the token that it was asked with
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token:
                return lines


def to_document(job: Job, learning: Learning, cost: Cost) -> dict[str, object]:
    """The outcome as `--json` prints it."""
    best = learning.best
    return {
        "job": job.name,
        "status": job.status,
        "failure_reason": job.failure_reason,
        "epochs": {
            "asked": job.epochs,
            "done": learning.epochs_done,
            "train_accuracy": learning.train,
            "validation_accuracy": learning.validation,
        },
        "best": None if best is None else {"epoch": best[0], "validation_accuracy": best[1]},
        "instance_type": job.instance_type,
        "spot": job.spot,
        "cost": dataclasses.asdict(cost),
        "artifact": job.artifact,
    }


def _epoch_line(epoch: int, job: Job, learning: Learning) -> str:
    train = f"train {learning.train[epoch]:.3f}, " if epoch in learning.train else ""
    return f"epoch {epoch + 1}/{job.epochs or '?'}: {train}validation {learning.validation[epoch]:.3f}"


def _print_outcome(job: Job, learning: Learning, cost: Cost) -> None:
    print(f"{job.name}: {job.status}" + (f": {job.failure_reason}" if job.failure_reason else ""))
    if learning.best is not None:
        epoch, accuracy = learning.best
        print(
            f"best validation accuracy {accuracy:.3f} in epoch {epoch + 1} of {learning.epochs_done}; "
            "that set chose the epoch, so ask `python -m training evaluate` how good the model is"
        )
    spot = ", spot" if job.spot else ""
    print(f"{cost.seconds} s {cost.kind} on {job.instances} x {job.instance_type}{spot}: {cost.text} ({cost.price})")
    if job.status == "Completed":
        print(f"artifact {job.artifact}")


def _seconds(text: str) -> float:
    return _positive(text, "seconds")


def _dollars(text: str) -> float:
    return _positive(text, "US dollars")


def _positive(text: str, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"must be a positive number of {unit}, got {text!r}")
    return value
