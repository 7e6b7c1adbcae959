"""The dashboard, as a pure function from names to CloudWatch's JSON ("Dashboard body structure and syntax")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract.decisions import NEITHER, WORDS, Outcome
from contract.loading_bays import dimension_of
from contract.names import ENDPOINT_LOG_GROUP
from handlers.observe import metrics

PERIOD = 300
"""Seconds of a point, before CloudWatch widens it for long ranges."""
GREEN, ORANGE, RED, PURPLE, GREY = "#2ca02c", "#ff7f0e", "#d62728", "#9467bd", "#7f7f7f"
COLUMNS = 24

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class OnDashboard:
    """What the dashboard is about."""

    region: str
    namespace: str
    stack: str
    endpoint: str
    variant: str
    state_machine_arn: str
    functions: Mapping[str, str]
    """Step -> function name, in the order of the steps."""
    review_queue: str
    dead_letter_queue: str
    classes: Sequence[str]
    """The model's labels."""
    loading_bays: Mapping[str, str]
    """Class -> bay; several classes may share one."""
    threshold: float
    review_rate_percent: float
    alarm_arns: Sequence[str]


def dashboard_body(watched: OnDashboard) -> Json:
    """The body, ready for `json.dumps`: from whether anything is wrong, over what was decided, to why."""
    rows: list[tuple[int, list[Json]]] = [
        (3, [_alarms(watched)]),
        (6, [_outcomes(watched), _review_rate(watched), _bays(watched)]),
        (6, [_confidence(watched), _drift(watched), _classes(watched)]),
        (6, [_steps(watched), _queues(watched), _captures(watched)]),
        (6, [_endpoint_requests(watched), _endpoint_latency(watched), _endpoint_load(watched)]),
    ]
    widgets: list[Json] = []
    y = 0
    for height, row in rows:
        width = COLUMNS // len(row)
        for column, widget in enumerate(row):
            widgets.append({**widget, "x": column * width, "y": y, "width": width, "height": height})
        y += height
    return {"start": "-P1D", "widgets": widgets}


def _graph(
    watched: OnDashboard,
    title: str,
    series: Sequence[Sequence[object]],
    *,
    stat: str = "Average",
    stacked: bool = False,
    top: float | None = None,
    line: tuple[str, float] | None = None,
) -> Json:
    """A graph; `line` is a labelled horizontal one."""
    properties: Json = {
        "title": title,
        "region": watched.region,
        "view": "timeSeries",
        "stacked": stacked,
        "stat": stat,
        "period": PERIOD,
        "metrics": [list(one) for one in series],
        "yAxis": {"left": {"min": 0, "showUnits": False} | ({} if top is None else {"max": top})},
    }
    if line is not None:
        properties["annotations"] = {"horizontal": [{"label": line[0], "value": line[1], "color": GREY}]}
    return {"type": "metric", "properties": properties}


def _alarms(watched: OnDashboard) -> Json:
    return {"type": "alarm", "properties": {"title": "Alarms", "alarms": list(watched.alarm_arns)}}


def _executions(watched: OnDashboard, outcome: Outcome, options: Json) -> list[object]:
    dimensions = [metrics.STACK, watched.stack, metrics.OUTCOME, outcome]
    return [watched.namespace, metrics.EXECUTIONS, *dimensions, options]


def _outcomes(watched: OnDashboard) -> Json:
    colours: dict[Outcome, str] = {"accepted": GREEN, "review": ORANGE, "neither": PURPLE, "fault": RED}
    if NEITHER not in watched.classes:
        del colours["neither"]
    series = [
        _executions(watched, outcome, {"label": WORDS[outcome], "color": colour}) for outcome, colour in colours.items()
    ]
    return _graph(watched, "Executions by outcome", series, stat="Sum", stacked=True)


def _review_rate(watched: OnDashboard) -> Json:
    shares: list[tuple[Outcome, str]] = [("review", ORANGE)]
    if NEITHER in watched.classes:
        shares.append(("neither", PURPLE))
    series: list[list[object]] = []
    for outcome, colour in shares:
        series.append(_executions(watched, outcome, {"id": outcome, "visible": False}))
        series.append([{"expression": f"100 * {outcome}", "label": f"% {WORDS[outcome]}", "color": colour}])
    return _graph(watched, "Review rate (%)", series, top=100, line=("alarm", watched.review_rate_percent))


def _bays(watched: OnDashboard) -> Json:
    bays = dict.fromkeys(watched.loading_bays.values())
    series = [
        [
            watched.namespace,
            metrics.DECISIONS,
            metrics.STACK,
            watched.stack,
            metrics.LOADING_BAY,
            dimension_of(bay),
            {"label": bay},
        ]
        for bay in bays
    ]
    return _graph(watched, "Drivers by loading bay", series, stat="Sum", stacked=True)


def _captured(watched: OnDashboard, metric: str, options: Json, *more: str) -> list[object]:
    dimensions = [metrics.STACK, watched.stack, metrics.ENDPOINT, watched.endpoint, *more]
    return [watched.namespace, metric, *dimensions, options]


def _confidence(watched: OnDashboard) -> Json:
    series = [
        _captured(watched, metrics.CONFIDENCE, {"stat": stat, "label": label})
        for stat, label in (("p90", "p90"), ("p50", "median"), ("p10", "p10"), ("Average", "mean"))
    ]
    return _graph(watched, "Confidence", series, top=1, line=("threshold", watched.threshold))


def _drift(watched: OnDashboard) -> Json:
    series = [
        _captured(watched, metrics.DRIFT_SCORE, {"label": "drift score (above 1: drift)"}),
        _captured(watched, metrics.CONFIDENCE_PSI, {"label": "PSI"}),
    ]
    return _graph(watched, "Drift from the baseline", series, line=("drift", 1.0))


def _classes(watched: OnDashboard) -> Json:
    series = [
        _captured(watched, metrics.CLASS_SHARE, {"label": label}, metrics.CLASS, label) for label in watched.classes
    ]
    return _graph(watched, "Share of each predicted class", series, stacked=True, top=1)


def _steps(watched: OnDashboard) -> Json:
    series: list[list[object]] = [
        ["AWS/Lambda", "Duration", "FunctionName", name, {"stat": stat, "label": f"{step} {stat}"}]
        for step, name in watched.functions.items()
        for stat in ("p50", "p95")
    ]
    machine = ["AWS/States", "ExecutionTime", "StateMachineArn", watched.state_machine_arn]
    series.append([*machine, {"stat": "p95", "label": "whole execution p95"}])
    return _graph(watched, "Latency of each step (ms)", series)


def _queues(watched: OnDashboard) -> Json:
    age = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", watched.review_queue]
    waiting = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"]
    right: Json = {"yAxis": "right"}
    series = [
        [*age, {"label": "age of the oldest (s)"}],
        [*waiting, watched.review_queue, {"label": "photos waiting", **right}],
        [
            *waiting,
            watched.dead_letter_queue,
            {"label": "photos that started nothing", "color": RED, **right},
        ],
    ]
    return _graph(watched, "Review queue", series, stat="Maximum")


def _captures(watched: OnDashboard) -> Json:
    below = metrics.BELOW_THRESHOLD
    series = [
        _captured(watched, below, {"stat": "SampleCount", "label": "inferences"}),
        _captured(watched, below, {"label": "below the threshold", "color": ORANGE}),
        _captured(watched, metrics.RECORDS_DAMAGED, {"label": "damaged records", "color": RED}),
    ]
    return _graph(watched, "Captured inferences", series, stat="Sum")


def _endpoint(watched: OnDashboard, namespace: str, metric: str, options: Json) -> list[object]:
    dimensions = ["EndpointName", watched.endpoint, "VariantName", watched.variant]
    return [namespace, metric, *dimensions, options]


def _endpoint_requests(watched: OnDashboard) -> Json:
    series = [
        _endpoint(watched, "AWS/SageMaker", "Invocations", {"label": "requests"}),
        _endpoint(watched, "AWS/SageMaker", "Invocation4XXErrors", {"label": "4xx", "color": ORANGE}),
        _endpoint(watched, "AWS/SageMaker", "Invocation5XXErrors", {"label": "5xx", "color": RED}),
    ]
    return _graph(watched, "Endpoint: requests", series, stat="Sum")


def _endpoint_latency(watched: OnDashboard) -> Json:
    series = [
        _endpoint(watched, "AWS/SageMaker", metric, {"stat": stat, "label": f"{label} {stat}"})
        for metric, label in (("ModelLatency", "model"), ("OverheadLatency", "overhead"))
        for stat in ("p50", "p90")
    ]
    return _graph(watched, "Endpoint: latency (µs)", series)


def _endpoint_load(watched: OnDashboard) -> Json:
    series = [
        _endpoint(watched, ENDPOINT_LOG_GROUP, metric, {"label": label})
        for metric, label in (("CPUUtilization", "processor"), ("MemoryUtilization", "memory"))
    ]
    return _graph(watched, "Endpoint: load (% of one processor, of memory)", series)
