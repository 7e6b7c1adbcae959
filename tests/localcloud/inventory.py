"""What every emulator holds, asked of each service's own API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.cloud import Cloud

LISTS: tuple[tuple[Any, str, str, str], ...] = (
    ("s3", "list_buckets", "Buckets", "Name"),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("sqs", "list_queues", "QueueUrls", ""),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("events", "list_event_buses", "EventBuses", "Name"),
    ("events", "list_rules", "Rules", "Name"),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ("sagemaker", "list_models", "Models", "ModelName"),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
    ("sagemaker", "list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
)
"""Service, call, key of its list, key of a name in an entry."""


def inventory(cloud: Cloud) -> Mapping[str, list[str]]:
    """Names by service and kind; kinds of which there is nothing are left out."""
    found: dict[str, list[str]] = {}
    for service, call, key, name in LISTS:
        entries: list[Any] = getattr(cloud.client(service), call)().get(key, [])
        found[f"{service} {key}"] = sorted(str(each[name] if name else each) for each in entries)
    targets = cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    found["scalable targets"] = [each["ResourceId"] for each in targets["ScalableTargets"]]
    return {kind: names for kind, names in found.items() if names}
