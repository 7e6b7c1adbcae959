"""Observe: turn captured inferences and ended executions into metrics, and a drift alarm into an event.

It is called, at least once, with

- "Object Created" of S3, for each new capture file: the distribution of the scores and the share of each
  class, by the minute, and the drift of the latest photos from the baseline;
- "Step Functions Execution Status Change": how the execution ended. Executions that end in a review fail by
  design, so AWS's own count of failed executions can't tell a fault from an unsure model; here they are apart;
- the drift alarm's change of state, when a retraining pipeline listens: one event on the stack's bus. The alarm
  does the waiting, so that days of drift start one pipeline and not one a file. It never deploys anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, cast

from aws_lambda_powertools import Logger

from contract.decisions import OUTCOMES
from contract.drift import DRIFT_DETECTED, DRIFT_EVENT_SOURCE
from contract.errors import InvalidEvent
from contract.loading_bays import dimension_of
from contract.photos import StoredObject, read_photo
from handlers import environment
from handlers.aws import session
from handlers.observe import metrics
from handlers.observe.events import read_alarm, read_execution
from handlers.observe.files import SUFFIX, inferences
from handlers.observe.window import LatestPhotos, read_baseline

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client

logger = Logger()

DAMAGE_LOGGED = 20
"""Damaged lines of a file that are logged one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    namespace: str
    stack: str
    endpoint: str
    classes: tuple[str, ...]
    threshold: float
    baseline_bucket: str
    baseline_key: str
    retrain_event_bus: str
    """Empty when no pipeline listens."""

    @property
    def dimensions(self) -> dict[str, str]:
        """Of the metrics that come from captures."""
        return {metrics.STACK: self.stack, metrics.ENDPOINT: self.endpoint}


def read_settings(variables: environment.Environment) -> Settings:
    """The settings in those variables.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    classes = environment.names("CLASSES", variables)
    return Settings(
        namespace=environment.text("METRIC_NAMESPACE", variables),
        stack=environment.text("STACK", variables),
        endpoint=environment.text("ENDPOINT_NAME", variables),
        classes=classes,
        threshold=environment.threshold("CONFIDENCE_THRESHOLD", len(classes), variables),
        baseline_bucket=environment.text("BASELINE_BUCKET", variables),
        baseline_key=environment.text("BASELINE_KEY", variables),
        retrain_event_bus=variables.get("RETRAIN_EVENT_BUS", ""),
    )


@cache
def settings_from_environment() -> Settings:
    """The function's own settings, read once a process.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    return read_settings(os.environ)


@cache
def s3_client() -> S3Client:
    """The process's client."""
    return cast("S3Client", session().create_client("s3"))


@cache
def cloudwatch_client() -> CloudWatchClient:
    """The process's client."""
    return cast("CloudWatchClient", session().create_client("cloudwatch"))


@cache
def events_client() -> EventBridgeClient:
    """The process's client."""
    return cast("EventBridgeClient", session().create_client("events"))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, object], context: object) -> dict[str, object]:
    """Lambda's entry; returns what was done, for the log and for whoever invokes it by hand.

    Raises:
        InvalidEvent: the event is of another kind.
        ConfigurationError: the function's environment is wrong.
        ClientError: S3, CloudWatch or EventBridge refuse.
        RuntimeError: EventBridge answers that it did not take the event.
    """
    settings, now = settings_from_environment(), datetime.now(UTC)
    match event.get("source"):
        case "aws.s3":
            done = observe_capture(read_photo(event), settings, now)
        case "aws.states":
            done = observe_execution(event, settings, now)
        case "aws.cloudwatch":
            done = announce_drift(event, settings)
        case other:
            raise InvalidEvent(f"source must be aws.s3, aws.states or aws.cloudwatch, got {other!r:.100}")
    logger.info("observed", extra=done)
    return done


def observe_capture(file: StoredObject, settings: Settings, now: datetime) -> dict[str, object]:
    """Publish the metrics of one capture file.

    Raises:
        ClientError: S3 or CloudWatch refuse.
    """
    if not file.key.endswith(SUFFIX):
        return {"key": file.key, "ignored": f"not a {SUFFIX} file"}
    tally, window, damaged = metrics.MinuteCounts(settings.classes, settings.threshold), LatestPhotos(), 0

    def damage(line: int, problem: str) -> None:
        nonlocal damaged
        damaged += 1
        if damaged <= DAMAGE_LOGGED:
            where = {"key": file.key, "line": line, "problem": problem}
            logger.warning("damaged capture record", extra=where)

    classes = len(settings.classes)
    for inference in inferences(s3_client(), file.bucket, file.key, classes, damage):
        if window.add(inference):
            tally.add(inference)
    data = [
        *tally.data(settings.dimensions),
        metrics.single(metrics.RECORDS_DAMAGED, settings.dimensions, now, damaged, counts=True),
    ]
    done: dict[str, object] = {"key": file.key, "records": window.count, "damaged": damaged}
    latest = tally.latest()
    if latest is not None:
        place = settings.baseline_bucket, settings.baseline_key
        baseline = read_baseline(s3_client(), *place, settings.classes)
        if baseline is not None:
            window.fill(s3_client(), file.bucket, file.key, classes)
            drift = window.drift(baseline)
            if drift is not None:
                psi, score = metrics.CONFIDENCE_PSI, metrics.DRIFT_SCORE
                data.append(metrics.single(psi, settings.dimensions, latest, drift.psi))
                data.append(metrics.single(score, settings.dimensions, latest, drift.score))
                done |= {"window": window.count, "psi": drift.psi, "drift_score": drift.score}
    return done | _publish(data, settings, now)


def observe_execution(event: dict[str, object], settings: Settings, now: datetime) -> dict[str, object]:
    """Publish how an execution ended.

    Raises:
        InvalidEvent: the event does not say how an execution ended.
        ClientError: CloudWatch refuses.
    """
    ended = read_execution(event)
    data = [
        metrics.single(
            metrics.EXECUTIONS,
            {metrics.STACK: settings.stack, metrics.OUTCOME: outcome},
            ended.time,
            float(outcome == ended.outcome),
            counts=True,
        )
        for outcome in OUTCOMES
    ]
    if ended.loading_bay:
        bay = {metrics.STACK: settings.stack, metrics.LOADING_BAY: dimension_of(ended.loading_bay)}
        data.append(metrics.single(metrics.DECISIONS, bay, ended.time, 1, counts=True))
    return {"outcome": ended.outcome, "loading_bay": ended.loading_bay} | _publish(data, settings, now)


def _publish(data: Iterable[MetricDatumTypeDef], settings: Settings, now: datetime) -> dict[str, object]:
    fit, refused = metrics.publishable(data, now)
    for request in metrics.requests(fit):
        cloudwatch_client().put_metric_data(Namespace=settings.namespace, MetricData=request)
    if refused:
        logger.warning("data points too old or too new for CloudWatch", extra={"refused": refused})
    return {"published": len(fit), "refused": refused}


def announce_drift(event: dict[str, object], settings: Settings) -> dict[str, object]:
    """Tell the retraining pipeline that the drift alarm went off.

    Raises:
        InvalidEvent: the event is no alarm's change of state.
        ClientError: EventBridge refuses the request.
        RuntimeError: EventBridge took the request and refused the event in it.
    """
    alarm = read_alarm(event)
    if alarm.state != "ALARM" or not settings.retrain_event_bus:
        return {"alarm": alarm.arn, "state": alarm.state, "announced": False}
    detail = {
        "id": alarm.transition_id,
        "stack": settings.stack,
        "endpoint": settings.endpoint,
        "baseline": f"s3://{settings.baseline_bucket}/{settings.baseline_key}",
        "alarm": alarm.arn,
        "reason": alarm.reason,
        "time": alarm.time,
    }
    answer = events_client().put_events(
        Entries=[
            {
                "EventBusName": settings.retrain_event_bus,
                "Source": DRIFT_EVENT_SOURCE,
                "DetailType": DRIFT_DETECTED,
                "Detail": json.dumps(detail),
            }
        ]
    )
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused {DRIFT_DETECTED} {alarm.transition_id}: {answer['Entries']}")
    return {"alarm": alarm.arn, "state": alarm.state, "announced": True, "id": alarm.transition_id}
