"""CloudWatch: log groups, the dashboard, alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.adapter import Created, Request, adapter, pascal, retag, tag_list, whole
from localcloud.cloud import ACCOUNT


@adapter(
    "aws:cloudwatch/logGroup:LogGroup",
    takes=("name", "retentionInDays", "tags"),
    replaces=("name",),
    ignores={"kmsKeyId": "emulated logs are not encrypted"},
)
def log_group(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    client = request.cloud.client("logs")
    client.create_log_group(logGroupName=name, tags=request.get("tags", {}))
    if request.get("retentionInDays"):
        client.put_retention_policy(logGroupName=name, retentionInDays=whole(request["retentionInDays"]))
    arn = f"arn:aws:logs:{request.cloud.region}:{ACCOUNT}:log-group:{name}"
    return name, {"id": name, "name": name, "arn": arn}


@log_group.foretells
def log_group_name(request: Request) -> str:
    return request.get("name", request.auto_name)


@log_group.updates
def update_log_group(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("logs")
    if request.get("retentionInDays"):
        client.put_retention_policy(logGroupName=request.id, retentionInDays=whole(request["retentionInDays"]))
    elif request.changed("retentionInDays"):
        client.delete_retention_policy(logGroupName=request.id)
    retag(
        request,
        lambda new: client.tag_log_group(logGroupName=request.id, tags=new),
        lambda gone: client.untag_log_group(logGroupName=request.id, tags=gone),
    )
    return {}


@log_group.deletes
def delete_log_group(request: Request) -> None:
    request.cloud.client("logs").delete_log_group(logGroupName=request.id)


@log_group.counts
def lines_in(request: Request) -> str:
    client = request.cloud.client("logs")
    return "logs" if client.describe_log_streams(logGroupName=request.id)["logStreams"] else ""


@adapter(
    "aws:cloudwatch/dashboard:Dashboard",
    takes=("dashboardName", "dashboardBody"),
    replaces=("dashboardName",),
    put=True,
)
def dashboard(request: Request) -> Created:
    name = request["dashboardName"]
    request.cloud.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=request["dashboardBody"])
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}


@dashboard.deletes
def delete_dashboard(request: Request) -> None:
    request.cloud.client("cloudwatch").delete_dashboards(DashboardNames=[request.id])


@adapter(
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    takes=(
        "alarmDescription", "alarmActions", "okActions", "comparisonOperator", "datapointsToAlarm",
        "dimensions", "evaluationPeriods", "extendedStatistic", "metricName", "metricQueries", "namespace", "period",
        "statistic", "threshold", "treatMissingData", "tags",
    ),
    put=True,
)  # fmt: skip
def metric_alarm(request: Request) -> Created:
    name = request.id or request.auto_name
    plain = {
        key: value
        for key, value in request.inputs.items()
        if key not in ("tags", "dimensions", "metricQueries", "okActions")
    }
    arguments: dict[str, Any] = {"AlarmName": name, **pascal(plain), "OKActions": request.get("okActions", [])}
    if request.get("dimensions"):
        arguments["Dimensions"] = _dimensions(request["dimensions"])
    if request.get("metricQueries"):
        arguments["Metrics"] = [_query(query) for query in request["metricQueries"]]
    request.cloud.client("cloudwatch").put_metric_alarm(**arguments, Tags=tag_list(request))
    return name, {
        "id": name,
        "name": name,
        "arn": f"arn:aws:cloudwatch:{request.cloud.region}:{ACCOUNT}:alarm:{name}",
    }


@metric_alarm.deletes
def delete_metric_alarm(request: Request) -> None:
    request.cloud.client("cloudwatch").delete_alarms(AlarmNames=[request.id])


def _dimensions(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": key, "Value": value} for key, value in values.items()]


def _query(query: dict[str, Any]) -> dict[str, Any]:
    entry = pascal({key: value for key, value in query.items() if key != "metric"})
    if metric := query.get("metric"):
        entry["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _dimensions(metric.get("dimensions", {})),
            },
            "Period": whole(metric["period"]),
            "Stat": metric["stat"],
        }
    return entry
