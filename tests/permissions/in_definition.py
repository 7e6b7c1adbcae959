"""What a state machine asks AWS for, read from its definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.permissions.granted import Need

Names = Mapping[tuple[str, str], str]
"""What a definition refers to, as kind and name -> its ARN."""


def needs_of(definition: Mapping[str, Any], machine: str, names: Names) -> Iterator[Need]:
    """Every state's need, branches and children included.

    Args:
        definition: the definition, or a branch.
        machine: the state machine's own ARN.
        names: of table, bus, queue and bucket.

    Raises:
        AssertionError: a state's resource is not known here: say what it needs.
    """
    for name, state in definition["States"].items():
        for branch in state.get("Branches", ()):
            yield from needs_of(branch, machine, names)
        if "ItemProcessor" in state:
            yield from _of_map(name, state, machine, names)
            yield from needs_of(state["ItemProcessor"], machine, names)
        if state["Type"] == "Task":
            yield from _of_task(name, state, names)


def _of_task(name: str, state: Mapping[str, Any], names: Names) -> Iterator[Need]:
    asked, arguments = state["Resource"].partition(":::")[2], state["Arguments"]
    if asked == "lambda:invoke":
        yield Need("lambda:InvokeFunction", arguments["FunctionName"], name)
    elif asked == "dynamodb:putItem":
        yield Need("dynamodb:PutItem", names["Table", arguments["TableName"]], name)
    elif asked == "sqs:sendMessage":
        yield Need("sqs:SendMessage", names["Queue", arguments["QueueUrl"]], name)
    elif asked == "sns:publish":
        yield Need("sns:Publish", arguments["TopicArn"], name)
    elif asked == "events:putEvents":
        yield from (
            Need("events:PutEvents", names["EventBus", each["EventBusName"]], name) for each in arguments["Entries"]
        )
    else:
        raise AssertionError(f"{name}: what {asked} needs is not known here")


def _of_map(name: str, state: Mapping[str, Any], machine: str, names: Names) -> Iterator[Need]:
    """Step Functions Developer Guide, "IAM policies for using Distributed Map states"."""
    assert state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    execution = machine.replace(":stateMachine:", ":execution:") + ":child"
    yield Need("states:StartExecution", machine, f"{name}, which starts children")
    for action in ("states:DescribeExecution", "states:StopExecution"):
        yield Need(action, execution, f"{name}, which follows its children")
    reader = state["ItemReader"]
    assert reader["Resource"].endswith(":s3:listObjectsV2")
    yield Need("s3:ListBucket", names["Bucket", reader["Arguments"]["Bucket"]], f"{name}, which lists its items")
    writer = state["ResultWriter"]
    assert writer["Resource"].endswith(":s3:putObject")
    place = f"{names['Bucket', writer['Arguments']['Bucket']]}/{writer['Arguments']['Prefix']}/run/SUCCEEDED_0.jsonl"
    for action in ("PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload"):
        yield Need(f"s3:{action}", place, f"{name}, which writes its results in parts")
