"""Follow a training job to its end."""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from contract.errors import UserError
from contract.invocation import command
from contract.names import TRAINING_LOG_GROUP
from contract.outputs import StackOutputs, read_outputs
from training.job.progress import Cost, Job, Learning, cost_of, epochs_asked
from training.stack import outputs_needed

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient


def run(args: argparse.Namespace) -> int:
    """Follow the job; the exit code is the job's own outcome."""
    name: str = args.job or (read_outputs(args.outputs) or StackOutputs()).training_job_name
    if not name:
        raise UserError(f"a job is needed: JOB, or {outputs_needed('watch')}")
    sagemaker = boto3.client("sagemaker")
    local = is_local(sagemaker.meta.endpoint_url)
    job, learning = follow(
        name,
        sagemaker,
        boto3.client("logs"),
        interval=args.interval,
        price_per_hour=args.price_per_hour,
        local=local,
    )
    cost = cost_of(job, datetime.now(UTC), args.price_per_hour, local=local)
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
    local: bool = False,
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
                cost="" if local else cost_of(job, datetime.now(UTC), price_per_hour).text,
            )
            if job.is_over:
                return job, learning
            sleep(interval)


def is_local(url: str) -> bool:
    """Whether what answers at an address is on this machine: the local cloud, which trains for nothing."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
            f"that set chose the epoch, so ask `{command('training', 'evaluate')}` how good the model is"
        )
    if cost.usd == 0:
        print(f"{cost.seconds} s, which cost nothing: {cost.price}")
    else:
        spot = ", spot" if job.spot else ""
        print(
            f"{cost.seconds} s {cost.kind} on {job.instances} x {job.instance_type}{spot}: {cost.text} ({cost.price})"
        )
    if job.status == "Completed":
        print(f"artifact {job.artifact}")
