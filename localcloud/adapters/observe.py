"""CloudWatch: log groups, the dashboard, alarms."""

from __future__ import annotations

from typing import Any

from localcloud.cloud import ACCOUNT
from localcloud.engine import Created, Request, adapter, pascal, tag_list, whole


@adapter(
    "aws:cloudwatch/logGroup:LogGroup",
    takes=("name", "retentionInDays", "tags"),
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


@adapter("aws:cloudwatch/dashboard:Dashboard", takes=("dashboardName", "dashboardBody"))
def dashboard(request: Request) -> Created:
    name = request["dashboardName"]
    request.cloud.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=request["dashboardBody"])
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"}


@adapter(
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    takes=(
        "name", "alarmDescription", "alarmActions", "okActions", "comparisonOperator", "datapointsToAlarm",
        "dimensions", "evaluationPeriods", "extendedStatistic", "metricName", "metricQueries", "namespace", "period",
        "statistic", "threshold", "treatMissingData", "tags",
    ),
)  # fmt: skip
def metric_alarm(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    plain = {
        key: value
        for key, value in request.inputs.items()
        if key not in ("name", "tags", "dimensions", "metricQueries", "okActions")
    }
    arguments = {"AlarmName": name, **pascal(plain), "OKActions": request.get("okActions", [])}
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
