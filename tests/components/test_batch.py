"""BatchClassification as it is registered: what it may do, what it runs, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.batch_classification import BatchClassification, BatchClassificationArgs
from components.parts.arguments import ArgumentError
from components.parts.decision_places import DecisionPlacesArgs
from contract import prefixes
from tests.components.stack import Found, run_alone

HERE = "us-east-1:123456789012"
PLACES: DecisionPlacesArgs = {
    "function_arns": {
        step: f"arn:aws:lambda:{HERE}:function:{step}-1a2b" for step in ("serialize", "classify", "filter")
    },
    "function_versions": {
        step: f"arn:aws:lambda:{HERE}:function:{step}-1a2b:7" for step in ("serialize", "classify", "filter")
    },
    "decisions_table": "decisions",
    "decisions_table_arn": f"arn:aws:dynamodb:{HERE}:table/decisions",
    "event_bus_name": "orders",
    "event_bus_arn": f"arn:aws:events:{HERE}:event-bus/orders",
    "review_queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/review",
    "review_queue_arn": f"arn:aws:sqs:{HERE}:review",
    "alert_topic_arn": f"arn:aws:sns:{HERE}:alerts",
    "decision_retention_days": 30,
}
ARGS: BatchClassificationArgs = {
    "bucket": "photos",
    "bucket_arn": "arn:aws:s3:::photos",
    "account_id": "123456789012",
    "places": PLACES,
}


def made(**changes: Any) -> Found:
    return run_alone(lambda: BatchClassification("batch", {**ARGS, **changes}))  # pyright: ignore[reportArgumentType]


def the_map(found: Found) -> dict[str, Any]:
    return json.loads(found.named("batch-machine").inputs["definition"])["States"]["ClassifyAll"]


def rights(found: Found) -> dict[str, Any]:
    """Every right of the role: resources and condition by action."""
    policies = [json.loads(found.named(f"batch-{name}-policy").inputs["policy"]) for name in ("machine", "run")]
    given = [
        (action, (statement["Resource"], statement.get("Condition")))
        for policy in policies
        for statement in policy["Statement"]
        for action in statement["Action"]
    ]
    assert len(dict(given)) == len(given)
    return dict(given)


def test_the_role_may_do_what_the_map_and_its_children_do_and_nothing_else():
    found = made()
    machine = found.resource_outputs[found.named("batch-machine").urn]["arn"]
    executions = machine.replace(":stateMachine:", ":execution:") + ":*"
    results = [f"arn:aws:s3:::photos/{prefixes.BATCH_RESULTS}*"]
    under = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes.PHOTOS]}}
    assert rights(found) == {
        "lambda:InvokeFunction": (
            [f"arn:aws:lambda:{HERE}:function:{step}-1a2b:*" for step in ("serialize", "classify", "filter")],
            None,
        ),
        "s3:ListBucket": (["arn:aws:s3:::photos"], under),
        **dict.fromkeys(
            ("s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"), (results, None)
        ),
        "dynamodb:PutItem": ([PLACES["decisions_table_arn"]], None),
        "events:PutEvents": ([PLACES["event_bus_arn"]], None),
        "sqs:SendMessage": ([PLACES["review_queue_arn"]], None),
        "sns:Publish": ([PLACES["alert_topic_arn"]], None),
        "states:StartExecution": ([machine], None),
        "states:DescribeExecution": ([executions], None),
        "states:StopExecution": ([executions], None),
    }


def test_a_customer_s_key_may_be_used():
    key = f"arn:aws:kms:{HERE}:key/1a2b"
    assert rights(made(kms_key_arn=key))["kms:GenerateDataKey"] == ([key], None)


def test_few_photos_at_a_time_and_few_faults_are_the_default():
    found = the_map(made())
    assert (found["MaxConcurrency"], found["ToleratedFailurePercentage"]) == (10, 5)
    other = the_map(made(concurrency=200, tolerated_failure_percent=0.5))
    assert (other["MaxConcurrency"], other["ToleratedFailurePercentage"]) == (200, 0.5)


def test_photos_are_listed_and_results_written_in_the_one_bucket():
    found = the_map(made())
    assert found["ItemReader"]["Arguments"]["Bucket"] == found["ItemSelector"]["s3_bucket"] == "photos"
    assert found["ResultWriter"]["Arguments"] == {"Bucket": "photos", "Prefix": prefixes.BATCH_RESULTS[:-1]}
    invoked = [state["Arguments"]["FunctionName"] for state in found["ItemProcessor"]["States"].values()
               if state.get("Arguments", {}).get("FunctionName")]  # fmt: skip
    assert invoked == list(PLACES["function_versions"].values())


def test_arns_are_those_of_the_partition():
    china = {
        **PLACES,
        "alert_topic_arn": PLACES["alert_topic_arn"].replace("arn:aws:", "arn:aws-cn:"),  # pyright: ignore
    }
    found = the_map(made(places=china))
    assert found["ItemReader"]["Resource"] == "arn:aws-cn:states:::s3:listObjectsV2"
    assert found["ResultWriter"]["Resource"] == "arn:aws-cn:states:::s3:putObject"


def test_a_batch_that_failed_is_told_to_the_alert_topic():
    (alarm,) = made().of("MetricAlarm")
    assert (alarm.inputs["namespace"], alarm.inputs["metricName"]) == ("AWS/States", "ExecutionsFailed")
    assert alarm.inputs["alarmActions"] == [PLACES["alert_topic_arn"]]
    assert "operations batch" in alarm.inputs["alarmDescription"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"concurrency": 0}, "concurrency must be a whole number from 1 to 10000, got 0"),
        ({"tolerated_failure_percent": 101}, "tolerated_failure_percent must be a number from 0 to 100, got 101"),
        ({"bucket": "No"}, "bucket must be the name of a bucket"),
        ({"concurency": 3}, "concurency is no argument of it: did you mean concurrency?"),
        ({"places": {**PLACES, "decision_retention_days": 0}}, "decision_retention_days must be a whole number"),
        (
            {"places": {**PLACES, "function_versions": {"serialize": PLACES["function_versions"]["serialize"]}}},
            "function_versions must name serialize, classify, filter, got serialize",
        ),
        (
            {"places": {**PLACES, "function_versions": {"serialize": f"arn:aws:lambda:{HERE}:function:a"}}},
            "function_versions.serialize must be the ARN of a function's version",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_registered(changes: dict[str, Any], said: str):
    with pytest.raises(ArgumentError) as caught:
        made(**changes)
    assert said in str(caught.value)


def test_every_argument_that_is_missing_is_named():
    with pytest.raises(ArgumentError) as caught:
        run_alone(lambda: BatchClassification("batch", {}))  # pyright: ignore[reportArgumentType]
    said = str(caught.value)
    assert [part.split(" ")[-4] for part in said.split("; ")] == ["bucket", "bucket_arn", "account_id", "places"]
