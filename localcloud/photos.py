"""Photos through the workflow: upload, follow the execution that EventBridge starts, tell what became of each."""

from __future__ import annotations

import json
import mimetypes
import random
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from contract import prefixes
from contract.decisions import Outcome, outcome_of, word_for
from contract.errors import UserError, figures_in
from localcloud.cloud import Cloud
from localcloud.deployment import Deployment
from operations.review.queue import ReviewQueue, Waiting
from operations.review.rows import recorded_for
from operations.review.stale import waiting_now

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, ListExecutionsOutputTypeDef

AT_ONCE = 4
"""Photos on their way at a time: each starts up to three functions, on the cores of one machine."""
TIMEOUT_SECONDS = 120.0
PAGE = 20
"""Executions a page: more than can begin between two looks."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A file to classify; `truth` is its class when it is known."""

    path: Path
    truth: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a photo; `seconds` are from the upload to the end of the execution."""

    photo: str
    truth: str | None
    decision: Outcome
    label: str | None
    confidence: float | None
    loading_bay: str | None
    seconds: float
    error: str | None
    message: str | None
    key: str
    execution: str

    @property
    def word(self) -> str:
        """The outcome of this one photo, as people call it."""
        return word_for(self.decision, 1)

    @property
    def correct(self) -> bool | None:
        """Whether the label is the true one, when both are known."""
        return None if self.truth is None or self.label is None else self.truth == self.label


def sample(dataset: Path, count: int, seed: int) -> list[Photo]:
    """Held-out photos at random, with their classes.

    Raises:
        UserError: there are none, or fewer than asked for.
    """
    paths = sorted((dataset / "test").glob("*/*.png"))
    if count > len(paths):
        raise UserError(f"{dataset}/test has {len(paths)} photos, {count} were asked for")
    return [Photo(path, path.parent.name) for path in random.Random(seed).sample(paths, count)]


def given(words: Iterable[Path]) -> list[Photo]:
    """The files that are named, and all files of the folders that are.

    Raises:
        UserError: there is no such file or folder.
    """
    photos: list[Photo] = []
    for path in words:
        if path.is_dir():
            found = [Photo(each) for each in sorted(path.rglob("*")) if each.is_file()]
            if not found:
                raise UserError(f"the folder {path} holds no files")
            photos += found
        elif path.is_file():
            photos.append(Photo(path))
        else:
            raise UserError(f"there is no file or folder {path}")
    return photos


class Classification:
    """Follows photos through the state machine of a deployed stack.

    EventBridge names the executions, so each is known by its input; what was there before is not looked at. A look
    costs the same after ten thousand photos: one page of the newest executions, and those that are under way.
    """

    def __init__(self, cloud: Cloud, deployment: Deployment) -> None:
        self.s3, self.states = cloud.client("s3"), cloud.client("stepfunctions")
        self.bucket = str(deployment.outputs["bucket"])
        self.machine = str(deployment.outputs["stateMachineArn"])
        self.known: set[str] = set()
        self.running: set[str] = set()
        self.ended: dict[str, DescribeExecutionOutputTypeDef] = {}

    def run(self, photos: Sequence[Photo], progress: Callable[[Result], None]) -> list[Result]:
        """Upload photos, a few at a time, and wait for each one's execution.

        Raises:
            UserError: an execution did not start or end in time.
        """
        self.known = {each["executionArn"] for each in self._newest()["executions"]}
        waiting = list(enumerate(photos))
        flying: dict[str, tuple[int, Photo, float]] = {}
        results: dict[int, Result] = {}
        while waiting or flying:
            while waiting and len(flying) < AT_ONCE:
                index, photo = waiting.pop(0)
                flying[self._upload(photo.path)] = (index, photo, time.time())
            self._look()
            for key in [key for key in flying if key in self.ended]:
                index, photo, begun = flying.pop(key)
                results[index] = _result(photo, key, begun, self.ended.pop(key))
                progress(results[index])
            for key, (_, photo, begun) in flying.items():
                if time.time() - begun > TIMEOUT_SECONDS:
                    raise UserError(f"{photo.path}: no execution for {key} ended within {TIMEOUT_SECONDS:.0f} s")
            if flying:
                time.sleep(0.05)
        return [results[index] for index in range(len(photos))]

    def _upload(self, path: Path) -> str:
        key = f"{prefixes.INCOMING}{uuid.uuid4().hex[:8]}/{path.name}"
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=path.read_bytes(), ContentType=kind)
        return key

    def _newest(self, token: str | None = None) -> ListExecutionsOutputTypeDef:
        more: Any = {"nextToken": token} if token else {}
        return self.states.list_executions(stateMachineArn=self.machine, maxResults=PAGE, **more)

    def _look(self) -> None:
        page = self._newest()
        while True:
            arns = [each["executionArn"] for each in page["executions"]]
            self.running |= set(arns) - self.known
            # the newest come first: what comes after one that is known is known too
            if self.known & set(arns) or "nextToken" not in page:
                break
            page = self._newest(page["nextToken"])
        self.known |= self.running
        for arn in sorted(self.running):
            execution = self.states.describe_execution(executionArn=arn)
            if execution["status"] == "RUNNING":
                continue
            self.running.remove(arn)
            if key := _photo_key(execution.get("input", "")):
                self.ended[key] = execution


def _photo_key(text: str) -> str | None:
    """The key of the photo that an execution's input names; None for one that was started otherwise."""
    try:
        event = cast("object", json.loads(text))
    except ValueError:
        return None
    key = cast("dict[str, object]", event).get("s3_key") if isinstance(event, dict) else None
    return key if isinstance(key, str) else None


def _result(photo: Photo, key: str, begun: float, execution: DescribeExecutionOutputTypeDef) -> Result:
    seconds = round(max(0.0, execution.get("stopDate", execution["startDate"]).timestamp() - begun), 3)
    error, cause = execution.get("error"), execution.get("cause")
    decision = outcome_of(execution["status"], error)
    text = execution.get("output", "{}")
    figures: Any = json.loads(text) if decision == "accepted" else figures_in(str(cause))
    return Result(
        photo=photo.path.name,
        truth=photo.truth,
        decision=decision,
        label=figures.get("label"),
        confidence=figures.get("confidence"),
        loading_bay=figures.get("loading_bay"),
        seconds=seconds,
        error=error,
        message=cause,
        key=key,
        execution=execution["executionArn"],
    )


def waiting_in(cloud: Cloud, deployment: Deployment) -> list[Waiting]:
    """What waits for a person, as `operations review` lists it."""
    recall = partial(recorded_for, cloud.client("dynamodb"), str(deployment.outputs["decisionsTable"]))
    return waiting_now(ReviewQueue(cloud.client("sqs"), str(deployment.outputs["reviewQueueUrl"])), recall, cloud.say)
