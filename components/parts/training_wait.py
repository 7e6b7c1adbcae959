"""Waits for a training job, and refuses one that did not complete, or whose name is used up, saying what to do.

The provider returns as soon as SageMaker has accepted a job, and SageMaker keeps a job's name for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import UserError
from contract.names import TRAINING_LOG_GROUP, setting
from training.job.progress import Job, Learning
from training.job.watch import LogTail, describe

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient

SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.5, 15.0
"""Seconds between two looks: a tenth of the time waited so far, within these bounds."""
SILENCE_SECONDS = 120.0
"""After which the stage is told again although nothing is new."""
LAST_LINES = 10
"""Lines of its log that are shown of a job that failed."""


class TrainingNotCompletedError(pulumi.RunError):
    """There is no completed training job to make a model of; the message says why, and what to do."""


async def wait_until_completed(
    job_name: str,
    sagemaker: SageMakerClient,
    logs: CloudWatchLogsClient,
    *,
    attempt: int,
    limit_seconds: float,
    say: Callable[[str], object],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Follow a job until it ends, and return when it is Completed.

    An interrupted wait leaves the job as it is, and the next one goes on with it.

    Args:
        job_name: the job, which exists.
        sagemaker: describes it.
        logs: has its log; a log that can't be read is told once and waited without.
        attempt: the stack's current attempt, for the advice.
        limit_seconds: the longest that this call waits.
        say: takes a line for each stage, and for each epoch its accuracy.
        sleep: waits for seconds.
        clock: seconds that only grow.

    Raises:
        TrainingNotCompletedError: it ended otherwise, can't be followed, or is not over within the limit.
    """
    follower = _Follower(job_name, sagemaker, logs, say)
    started = clock()
    while not (job := follower.look(clock() - started)).is_over:
        waited = clock() - started
        if waited >= limit_seconds:
            raise TrainingNotCompletedError(
                f"training job {job_name} is still {job.status} ({job.stage}) after {_duration(waited)} of waiting. "
                "It goes on by itself: run `pulumi up` again to go on waiting, or stop it with "
                f"`aws sagemaker stop-training-job --training-job-name {job_name}`."
            )
        await sleep(min(max(waited / 10, SHORTEST_INTERVAL), LONGEST_INTERVAL, limit_seconds - waited))
    if job.status != "Completed":
        raise TrainingNotCompletedError(_ended_badly(job, follower.lines, attempt))
    best = follower.learning.best
    accuracy = "" if best is None else f", best validation accuracy {best[1]:.3f} in epoch {best[0] + 1}"
    say(f"training job {job_name} completed{accuracy}")


def require_unused(job_name: str, sagemaker: SageMakerClient, *, attempt: int) -> None:
    """Refuse to create a job under a name that exists outside of Pulumi's state.

    Raises:
        TrainingNotCompletedError: with the command that helps, where SageMaker would say ResourceInUse.
    """
    try:
        job = describe(job_name, sagemaker)
    except UserError:
        return
    except (ClientError, BotoCoreError):
        # whoever may create a job and not look at one learns of a used name from SageMaker
        return
    running = "" if job.is_over else f"`aws sagemaker stop-training-job --training-job-name {job_name}` stops it; "
    raise TrainingNotCompletedError(
        f"training job {job_name} exists already, as {job.status}{_reason(job)}, and is not in this stack's state "
        "(an `up` ended before it was noted, or it was made by somebody else). SageMaker keeps a job's name for ever: "
        f"{running}{_next_attempt(attempt)}"
    )


class _Follower:
    """One job's record and log, each news told once."""

    def __init__(
        self, job_name: str, sagemaker: SageMakerClient, logs: CloudWatchLogsClient, say: Callable[[str], object]
    ) -> None:
        self._job_name, self._sagemaker, self._say = job_name, sagemaker, say
        self._tail: LogTail | None = LogTail(job_name, logs)
        self._stage, self._told_at = "", 0.0
        self.learning = Learning()
        self.lines: list[str] = []
        """The latest of its log."""

    def look(self, waited: float) -> Job:
        """The job as it is now; what is new since the last look is told.

        Raises:
            TrainingNotCompletedError: SageMaker does not answer, or knows no such job.
        """
        try:
            job = describe(self._job_name, self._sagemaker)
        except (UserError, ClientError, BotoCoreError) as error:
            raise TrainingNotCompletedError(
                f"training job {self._job_name} can't be followed: {error}. A job that runs goes on by itself: "
                "run `pulumi up` again to go on waiting."
            ) from error
        epochs = self.learning.read(self._new_lines())
        for epoch in epochs:
            train = f"train {self.learning.train[epoch]:.3f}, " if epoch in self.learning.train else ""
            validation = f"validation {self.learning.validation[epoch]:.3f}"
            self._tell(waited, f"epoch {epoch + 1}/{job.epochs or '?'}: {train}{validation}")
        if job.stage != self._stage or (not epochs and waited - self._told_at >= SILENCE_SECONDS):
            self._stage = job.stage
            self._tell(waited, job.stage)
        return job

    def _tell(self, waited: float, text: str) -> None:
        self._told_at = waited
        self._say(f"training job {self._job_name}: {text} ({_duration(waited)})")

    def _new_lines(self) -> list[str]:
        if self._tail is None:
            return []
        try:
            lines = self._tail.new_lines()
        except (ClientError, BotoCoreError) as error:
            self._tail = None
            self._say(f"the log of training job {self._job_name} can't be read, so no accuracy is shown: {error}")
            return []
        self.lines = [*self.lines, *lines][-LAST_LINES:]
        return lines


def _ended_badly(job: Job, lines: list[str], attempt: int) -> str:
    log = "".join(f"\n    {line}" for line in lines)
    shown = f"The last lines of its log ({TRAINING_LOG_GROUP}, stream {job.name}/…):{log}\n" if lines else ""
    longer = f"It ran out of time: raise {setting('trainingMaxMinutes')} too. " if job.stage.startswith("Max") else ""
    return (
        f"training job {job.name} must be Completed to serve its model, got {job.status}{_reason(job)}.\n"
        f"{shown}{longer}Once the cause is gone, {_next_attempt(attempt)}"
    )


def _reason(job: Job) -> str:
    why = job.failure_reason or (job.stage if job.stage != job.status else "")
    return f" ({why})" if why else ""


def _next_attempt(attempt: int) -> str:
    command = f"pulumi config set {setting('trainingAttempt')} {attempt + 1}"
    return f"train anew under a new name: `{command}`, then `pulumi up`."


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
