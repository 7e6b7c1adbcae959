"""EventBridge and Step Functions: from an upload to an execution."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from contract.errors import UserError
from localcloud.adapter import Created, Request, adapter, pairs, pascal, retag, tag_list, whole
from localcloud.cloud import ACCOUNT


@adapter(
    "aws:cloudwatch/eventBus:EventBus",
    takes=("tags",),
    ignores={"description": "a text for people", "kmsKeyIdentifier": "emulated buses are not encrypted"},
)
def event_bus(request: Request) -> Created:
    name = request.auto_name
    answer = request.cloud.client("events").create_event_bus(Name=name, Tags=tag_list(request))
    return name, {"id": name, "name": name, "arn": answer["EventBusArn"]}


@event_bus.updates
def update_event_bus(request: Request) -> Mapping[str, Any]:
    client, arn = request.cloud.client("events"), str(request.outputs["arn"])
    retag(
        request,
        lambda new: client.tag_resource(ResourceARN=arn, Tags=pairs(new)),
        lambda gone: client.untag_resource(ResourceARN=arn, TagKeys=gone),
    )
    return {}


@event_bus.deletes
def delete_event_bus(request: Request) -> None:
    request.cloud.client("events").delete_event_bus(Name=request.id)


@adapter(
    "aws:cloudwatch/eventRule:EventRule",
    takes=("description", "eventPattern", "eventBusName", "tags"),
    replaces=("eventBusName",),
    put=True,
)
def event_rule(request: Request) -> Created:
    name = request.id or request.auto_name
    answer = request.cloud.client("events").put_rule(
        Name=name,
        EventPattern=request["eventPattern"],
        Description=request.get("description", ""),
        EventBusName=request.get("eventBusName", "default"),
        Tags=tag_list(request),
    )
    return name, {"id": name, "name": name, "arn": answer["RuleArn"]}


@event_rule.deletes
def delete_event_rule(request: Request) -> None:
    request.cloud.client("events").delete_rule(Name=request.id, EventBusName=request.get("eventBusName", "default"))


@adapter(
    "aws:cloudwatch/eventTarget:EventTarget",
    takes=("rule", "eventBusName", "arn", "roleArn", "inputTransformer", "deadLetterConfig", "retryPolicy"),
    replaces=("rule", "eventBusName"),
    put=True,
)
def event_target(request: Request) -> Created:
    target = {
        key: value for key, value in request.inputs.items() if key not in ("rule", "eventBusName", "inputTransformer")
    }
    identity = str(request.outputs.get("targetId", request.auto_name))
    entry: Any = {"Id": identity, **pascal(target)}
    if transformer := request.get("inputTransformer"):
        # the paths' own keys are names of the template, not fields of the API
        entry["InputTransformer"] = {
            "InputPathsMap": transformer.get("inputPaths", {}),
            "InputTemplate": transformer["inputTemplate"],
        }
    answer = request.cloud.client("events").put_targets(
        Rule=request["rule"], EventBusName=request.get("eventBusName", "default"), Targets=[entry]
    )
    if answer["FailedEntryCount"]:
        raise UserError(f"{answer['FailedEntries']}")
    return f"{request['rule']}-{identity}", {"targetId": identity}


@event_target.deletes
def delete_event_target(request: Request) -> None:
    request.cloud.client("events").remove_targets(
        Rule=request["rule"],
        EventBusName=request.get("eventBusName", "default"),
        Ids=[str(request.outputs["targetId"])],
    )


@adapter(
    "aws:sfn/stateMachine:StateMachine",
    takes=("definition", "roleArn", "type", "publish", "tags"),
    replaces=("type",),
    moves=("stateMachineVersionArn",),
)
def state_machine(request: Request) -> Created:
    client, name = request.cloud.client("stepfunctions"), request.auto_name
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


@state_machine.foretells
def state_machine_arn(request: Request) -> str:
    return f"arn:aws:states:{request.cloud.region}:{ACCOUNT}:stateMachine:{request.auto_name}"


@state_machine.updates
def update_state_machine(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("stepfunctions")
    answer = client.update_state_machine(
        stateMachineArn=request.id,
        definition=request["definition"],
        roleArn=request["roleArn"],
        publish=bool(request.get("publish")),
    )
    retag(
        request,
        lambda new: client.tag_resource(resourceArn=request.id, tags=[{"key": key, "value": new[key]} for key in new]),
        lambda gone: client.untag_resource(resourceArn=request.id, tagKeys=gone),
    )
    version = answer.get("stateMachineVersionArn")
    return {"stateMachineVersionArn": version} if version else {}


@state_machine.deletes
def delete_state_machine(request: Request) -> None:
    request.cloud.client("stepfunctions").delete_state_machine(stateMachineArn=request.id)


@adapter(
    "aws:appautoscaling/target:Target",
    takes=("minCapacity", "maxCapacity", "resourceId", "scalableDimension", "serviceNamespace"),
    replaces=("resourceId", "scalableDimension", "serviceNamespace"),
    put=True,
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


@scaling_target.deletes
def delete_scaling_target(request: Request) -> None:
    request.cloud.client("application-autoscaling").deregister_scalable_target(**_scaled(request))


def _scaled(request: Request) -> dict[str, str]:
    return pascal({key: request[key] for key in ("serviceNamespace", "resourceId", "scalableDimension")})


@adapter(
    "aws:appautoscaling/policy:Policy",
    takes=("policyType", "resourceId", "scalableDimension", "serviceNamespace",
           "targetTrackingScalingPolicyConfiguration"),
    replaces=("resourceId", "scalableDimension", "serviceNamespace"),
    put=True,
)  # fmt: skip
def scaling_policy(request: Request) -> Created:
    name = request.id or request.auto_name
    answer = request.cloud.client("application-autoscaling").put_scaling_policy(
        PolicyName=name,
        ServiceNamespace=request["serviceNamespace"],
        ResourceId=request["resourceId"],
        ScalableDimension=request["scalableDimension"],
        PolicyType=request["policyType"],
        TargetTrackingScalingPolicyConfiguration=pascal(request["targetTrackingScalingPolicyConfiguration"]),
    )
    return name, {"name": name, "arn": answer["PolicyARN"]}


@scaling_policy.deletes
def delete_scaling_policy(request: Request) -> None:
    request.cloud.client("application-autoscaling").delete_scaling_policy(PolicyName=request.id, **_scaled(request))
