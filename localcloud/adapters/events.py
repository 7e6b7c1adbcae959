"""EventBridge and Step Functions: from an upload to an execution."""

from __future__ import annotations

import json
import time
from typing import Any

from contract.errors import UserError
from localcloud.engine import Created, Request, adapter, pascal, tag_list, whole


@adapter(
    "aws:cloudwatch/eventBus:EventBus",
    takes=("name", "tags"),
    ignores={"description": "a text for people", "kmsKeyIdentifier": "emulated buses are not encrypted"},
)
def event_bus(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    answer = request.cloud.client("events").create_event_bus(Name=name, Tags=tag_list(request))
    return name, {"id": name, "name": name, "arn": answer["EventBusArn"]}


@adapter(
    "aws:cloudwatch/eventRule:EventRule", takes=("name", "description", "eventPattern", "eventBusName", "tags", "state")
)
def event_rule(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    answer = request.cloud.client("events").put_rule(
        Name=name,
        EventPattern=request["eventPattern"],
        Description=request.get("description", ""),
        State=request.get("state", "ENABLED"),
        EventBusName=request.get("eventBusName", "default"),
        Tags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": answer["RuleArn"]}


@adapter(
    "aws:cloudwatch/eventTarget:EventTarget",
    takes=(
        "rule",
        "arn",
        "roleArn",
        "inputTransformer",
        "inputPath",
        "deadLetterConfig",
        "retryPolicy",
        "eventBusName",
    ),
)
def event_target(request: Request) -> Created:
    names = {"inputPaths": "InputPathsMap"}
    target = {
        key: value for key, value in request.inputs.items() if key not in ("rule", "eventBusName", "inputTransformer")
    }
    entry: Any = {"Id": request.auto_name, **pascal(target)}
    if transformer := request.get("inputTransformer"):
        # the paths' own keys are names of the template, not fields of the API
        entry["InputTransformer"] = {
            names["inputPaths"]: transformer.get("inputPaths", {}),
            "InputTemplate": transformer["inputTemplate"],
        }
    answer = request.cloud.client("events").put_targets(
        Rule=request["rule"], EventBusName=request.get("eventBusName", "default"), Targets=[entry]
    )
    if answer["FailedEntryCount"]:
        raise UserError(f"{answer['FailedEntries']}")
    return f"{request['rule']}-{request.auto_name}", {"targetId": request.auto_name}


@adapter(
    "aws:sfn/stateMachine:StateMachine",
    takes=(
        "name",
        "definition",
        "roleArn",
        "type",
        "publish",
        "tags",
    ),
    ignores={
        "loggingConfiguration": "the history of executions is in the emulator",
        "tracingConfiguration": "there is no X-Ray here",
        "encryptionConfiguration": "emulated state is not encrypted",
    },
)
def state_machine(request: Request) -> Created:
    client = request.cloud.client("stepfunctions")
    problems = client.validate_state_machine_definition(definition=request["definition"])["diagnostics"]
    if problems:
        raise UserError(f"the definition is not valid: {json.dumps(problems)}")
    name = request.get("name", request.auto_name)
    answer = client.create_state_machine(
        name=name,
        definition=request["definition"],
        roleArn=request["roleArn"],
        type=request.get("type", "STANDARD"),
        publish=bool(request.get("publish")),
        tags=[{"key": key, "value": value} for key, value in request.get("tags", {}).items()],
    )
    arn = answer["stateMachineArn"]
    version = answer.get("stateMachineVersionArn", f"{arn}:1")
    return arn, {"id": arn, "arn": arn, "name": name, "stateMachineVersionArn": version, "creationDate": time.ctime()}


@adapter(
    "aws:appautoscaling/target:Target",
    takes=("minCapacity", "maxCapacity", "resourceId", "scalableDimension", "serviceNamespace"),
    ignores={"tags": "moto keeps none of scaling targets"},
)
def scaling_target(request: Request) -> Created:
    request.cloud.client("application-autoscaling").register_scalable_target(
        ServiceNamespace=request["serviceNamespace"],
        ResourceId=request["resourceId"],
        ScalableDimension=request["scalableDimension"],
        MinCapacity=whole(request["minCapacity"]),
        MaxCapacity=whole(request["maxCapacity"]),
    )
    return request["resourceId"], {}


@adapter(
    "aws:appautoscaling/policy:Policy",
    takes=("name", "policyType", "resourceId", "scalableDimension", "serviceNamespace",
           "targetTrackingScalingPolicyConfiguration"),
)  # fmt: skip
def scaling_policy(request: Request) -> Created:
    name = request.get("name", request.auto_name)
    answer = request.cloud.client("application-autoscaling").put_scaling_policy(
        PolicyName=name,
        ServiceNamespace=request["serviceNamespace"],
        ResourceId=request["resourceId"],
        ScalableDimension=request["scalableDimension"],
        PolicyType=request["policyType"],
        TargetTrackingScalingPolicyConfiguration=pascal(request["targetTrackingScalingPolicyConfiguration"]),
    )
    return name, {"name": name, "arn": answer["PolicyARN"]}
