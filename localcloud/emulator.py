"""ministack, with some of its habits put right: `python -P localcloud/emulator.py`.

- Its Lambda Runtime API answers in two small writes; by Nagle's algorithm and the client's delayed acknowledgement
  each invocation waits some 40 ms for the second.
- It lets every execution sleep for 0.15 s before its first state, three quarters of what a photo takes. Here it is
  0.05 s, in which it can be aborted.
- It judges an alarm by its metric's name alone, whatever the dimensions, so that an alarm on faults goes off for a
  photo that was accepted.
- It describes alarms to clients of the older Query protocol (the provider is one) without most of what they are, and
  forgets metric math.
- Its own Python runtimes report every exception as `Runtime.HandlerError`, and load layers that were built for another
  processor. Here functions run on AWS's own runtime interface client, with this environment's packages.
- A version that is published along with a function's code has the ARN of the function, and not its own, by which the
  state machine invokes it.
- To a policy no request came by TLS, so that a role is refused where the bucket demands it. The loopback interface
  has none: here every request counts as secure.
- The events that S3 sends to EventBridge name no version of the object, as S3's do of a versioned bucket.
- What its Distributed Map lacks is in `distributed_map.py`.
- It starts no build for an event and runs none without Docker: `localcloud/builds.py`.
- It takes no request in absolute form, as a client sends it to a proxy. It is told to be the provider's proxy, since
  S3 Control's clients put the account's number before the host (`000000000000.127.0.0.1`), which no resolver knows.
"""

from __future__ import annotations

import io
import json
import operator
import re
import runpy
import socketserver
import sys
import threading
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from ministack import app  # pyright: ignore[reportMissingTypeStubs]
from ministack.core import iam_evaluator, lambda_runtime  # pyright: ignore[reportMissingTypeStubs]
from ministack.services import cloudwatch, eventbridge, lambda_svc, s3, stepfunctions  # pyright: ignore[reportMissingTypeStubs]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
MINISTACKS_BEFORE_FIRST_STATE, BEFORE_FIRST_STATE = 0.15, 0.05
"""Seconds from an execution's start to its first state: no Wait and no Retry is as short."""
State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


def state_of(
    alarm: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    now: float,
    value_of: Callable[[Sequence[Mapping[str, Any]]], float | None],
) -> State | None:
    """The state of an alarm on one metric, as CloudWatch's "Evaluating an alarm" has it.

    Args:
        alarm: as PutMetricAlarm takes it.
        points: the metric's data with exactly the alarm's dimensions, each with its `Timestamp` in seconds.
        now: seconds.
        value_of: the alarm's statistic of a period's data.

    Returns:
        The state; None when it stays as it is.
    """
    period, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or count)
    breaches = COMPARISONS[alarm["ComparisonOperator"]]
    values: list[float] = []
    for age in range(count):
        end = now - age * period
        chosen = [point for point in points if end - period < point["Timestamp"] <= end]
        value = value_of(chosen) if chosen else None
        if value is not None:
            values.append(value)
    missing, treatment = count - len(values), alarm.get("TreatMissingData", "missing")
    if not values and treatment in ("missing", "ignore"):
        return None if treatment == "ignore" else "INSUFFICIENT_DATA"
    breaching = sum(breaches(value, float(alarm["Threshold"])) for value in values)
    return "ALARM" if breaching + missing * (treatment == "breaching") >= needed else "OK"


def _evaluate(alarm: dict[str, Any]) -> None:
    # Metric math is not evaluated, and nobody here publishes the metrics of SQS, Lambda and SageMaker themselves:
    # such alarms stay INSUFFICIENT_DATA, which is the truth.
    if not alarm.get("MetricName") or alarm.get("ComparisonOperator") not in COMPARISONS:
        return
    module: Any = cloudwatch
    wanted: list[dict[str, str]] = alarm.get("Dimensions") or []
    dimensions = module._dims_key({each["Name"]: each["Value"] for each in wanted})
    points = list(module._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    if not points:
        return
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")

    def value_of(chosen: Iterable[Mapping[str, Any]]) -> float | None:
        return module._stat_value(module._calc_stats(chosen), statistic, chosen)

    before, after = alarm["StateValue"], state_of(alarm, points, time.time(), value_of)
    if after in (None, before):
        return
    reason = f"{statistic} of {alarm['MetricName']} ({dimensions}) against {alarm['Threshold']}"
    alarm.update(StateValue=after, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    module._record_history(alarm["AlarmName"], before, after, reason)
    module._dispatch_alarm_actions(alarm, before, after, reason)
    module._evaluate_parent_alarms(alarm)


Handler = Callable[[Mapping[str, Any], dict[str, Any], bool, bool], Any]
"""One of CloudWatch's actions in ministack: the Query protocol's parameters, CBOR's or JSON's body, and which it is."""


def _describe(describe: Handler) -> Handler:
    """An alarm whose metric has fallen silent is judged anew when somebody looks; all of it is told."""

    def described(params: Mapping[str, Any], body: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        module: Any = cloudwatch
        for alarm in list(module._alarms.values()):
            _evaluate(alarm)
        if is_cbor or is_json:
            return describe(params, body, is_cbor, is_json)
        status, headers, answer = describe(params, body, is_cbor, is_json)
        for alarm in module._alarms.values():
            # ministack's own few fields are within one member, which begins with the name
            begin = f"<member><AlarmName>{alarm['AlarmName']}</AlarmName>".encode()
            if status == 200 and begin in answer:
                head, _, rest = answer.partition(begin)
                answer = head + f"<member>{xml(told(alarm))}</member>".encode() + rest.partition(b"</member>")[2]
        return status, headers, answer

    return described


def _put(put: Handler) -> Handler:
    """Whichever way an alarm comes, all of it is kept."""

    def kept(params: Mapping[str, Any], body: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        module: Any = cloudwatch
        wanted = body if is_cbor or is_json else structure(params)
        answer = put(params, body, is_cbor, is_json)
        alarm = module._alarms.get(wanted.get("AlarmName"))
        if alarm is not None and answer[0] == 200:
            for key in ("Metrics", "InsufficientDataActions"):
                if wanted.get(key):
                    alarm[key] = wanted[key]
        return answer

    return kept


def structure(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the Query protocol as a structure: `Metrics.member.1.Id=a` is `{"Metrics": [{"Id": "a"}]}`."""
    whole: dict[str, Any] = {}
    for path, value in params.items():
        *above, last = re.sub(r"\.member\.(\d+)", r".\1", path).split(".")
        at = whole
        for part in above:
            at = at.setdefault(part, {})
        at[last] = cast("list[str]", value)[0] if isinstance(value, list) else value
    return cast("dict[str, Any]", _lists(whole))


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _lists(item) for key, item in cast("dict[str, Any]", value).items()}
    numbered = items and all(key.isdigit() for key in items)
    return [items[key] for key in sorted(items, key=int)] if numbered else items


def told(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm as CloudWatch describes it: what was not given is not there, and times are texts."""
    maths = bool(alarm.get("Metrics"))
    statistic = () if alarm.get("ExtendedStatistic") or maths else ("Statistic",)
    single = () if maths else ("Period", "MetricName", "Namespace", "ExtendedStatistic", "Unit", *statistic)
    plain = (
        "AlarmName", "AlarmArn", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions",
        "InsufficientDataActions", "StateValue", "StateReason", "Dimensions", "EvaluationPeriods",
        "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "Metrics",
    )  # fmt: skip
    fields = {key: alarm[key] for key in (*plain, *single) if alarm.get(key) not in (None, "", [])}
    for key in ("StateUpdatedTimestamp", "AlarmConfigurationUpdatedTimestamp"):
        fields[key] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(alarm[key]))
    return fields


def xml(value: Any) -> str:
    """A structure as the Query protocol answers it."""
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{xml(item)}</{key}>" for key, item in cast("Mapping[str, Any]", value).items())
    if isinstance(value, list):
        return "".join(f"<member>{xml(item)}</member>" for item in cast("list[Any]", value))
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def with_bootstrap(archive: bytes) -> bytes:
    """A function's archive, with what starts AWS's runtime interface client on this environment's Python."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as written:
        entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        written.writestr(entry, f'#!/bin/sh\nexec {sys.executable} -m awslambdaric "$_HANDLER"\n')
    return buffer.getvalue()


def _worker(choose: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def chosen(config: dict[str, Any]) -> Any:
        if not str(config.get("Runtime", "")).startswith("python"):
            return choose(config)

        def worker(name: str, config: dict[str, Any], archive: bytes) -> Any:
            module: Any = lambda_runtime
            return module.ProvidedWorker(
                name, {**config, "Runtime": "provided.al2023", "Layers": []}, with_bootstrap(archive)
            )

        return worker

    return chosen


def _publishing(act: Callable[..., Any]) -> Callable[..., Any]:
    """What creates or changes functions, with the versions that it publishes named by their own ARNs."""

    def acted(*words: Any) -> Any:
        answer = act(*words)
        module: Any = lambda_svc
        for name, record in list(module._functions.items()):
            for number, version in list(record["versions"].items()):
                version["config"]["FunctionArn"] = f"{module._func_arn(name)}:{number}"
        return answer

    return acted


def _on_loopback(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolved(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    return resolved


_stored = threading.local()
"""The version of the object that this thread tells of at the moment."""


def _noting_version(tell: Callable[..., Any]) -> Callable[..., Any]:
    def told(*words: Any, version_id: str | None = None, **named: Any) -> Any:
        _stored.version = version_id
        try:
            return tell(*words, version_id=version_id, **named)
        finally:
            _stored.version = None

    return told


def _naming_version(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Amazon S3 User Guide, "EventBridge event message structure": `version-id` beside key and size."""

    def dispatched(event: dict[str, Any], *others: Any) -> Any:
        if version := getattr(_stored, "version", None):
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *others)

    return dispatched


class _States:
    """The clock of Step Functions: it is told of every other sleep as it is."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(BEFORE_FIRST_STATE if seconds == MINISTACKS_BEFORE_FIRST_STATE else seconds)


Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def _as_proxy(answer: Asgi) -> Asgi:
    async def answered(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("http://"):
            path, raw = str(scope["path"]), str(scope["raw_path"], "ascii")
            scope = {**scope, "path": urlsplit(path).path, "raw_path": urlsplit(raw).path.encode()}
        await answer(scope, receive, send)

    return answered


if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("builds.py")))["install"]()
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    service: Any = cloudwatch
    service._evaluate_alarm = _evaluate
    service._describe_alarms = _describe(service._describe_alarms)
    service._put_metric_alarm = _put(service._put_metric_alarm)
    functions: Any = lambda_svc
    functions._execute_function_warm = functions._execute_function_provided_warm
    functions._create_function = _publishing(functions._create_function)
    functions._update_code = _publishing(functions._update_code)
    states: Any = stepfunctions
    states.time = _States()
    policies: Any = iam_evaluator
    policies._resolve_condition_key = _on_loopback(policies._resolve_condition_key)
    objects: Any = s3
    objects._fire_s3_event = _noting_version(objects._fire_s3_event)
    rules: Any = eventbridge
    rules._dispatch_event = _naming_version(rules._dispatch_event)
    runtime: Any = lambda_runtime
    runtime._worker_class_for = _worker(runtime._worker_class_for)
    # by path, as there is no folder of ours on the module path
    runpy.run_path(str(Path(__file__).with_name("distributed_map.py")))["install"]()
    gateway: Any = app
    gateway.app = _as_proxy(gateway.app)
    # by path, as this file is
    runpy.run_path(str(Path(__file__).with_name("refusals.py")))["keep"]()
    app.main()
