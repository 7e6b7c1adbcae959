"""DynamoDB: the decisions table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.screen import counted
from localcloud.adapter import Created, Request, adapter, pairs, pascal, retag, tag_list


@adapter(
    "aws:dynamodb/table:Table",
    takes=("billingMode", "hashKey", "rangeKey", "attributes", "ttl", "tags"),
    replaces=("hashKey", "rangeKey", "attributes"),
    ignores={
        "serverSideEncryption": "emulated tables are not encrypted",
        "pointInTimeRecovery": "nothing here outlives `down`",
    },
)
def table(request: Request) -> Created:
    name = request.auto_name
    client = request.cloud.client("dynamodb")
    keys: Any = [{"AttributeName": request["hashKey"], "KeyType": "HASH"}]
    if request.get("rangeKey"):
        keys.append({"AttributeName": request["rangeKey"], "KeyType": "RANGE"})
    answer = client.create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=pascal(request["attributes"], {"name": "AttributeName", "type": "AttributeType"}),
        BillingMode=request["billingMode"],
        Tags=tag_list(request),
    )
    if request.get("ttl"):
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=pascal(request["ttl"]))
    return name, {"id": name, "name": name, "arn": answer["TableDescription"].get("TableArn", "")}


@table.updates
def update_table(request: Request) -> Mapping[str, Any]:
    client = request.cloud.client("dynamodb")
    if request.changed("billingMode"):
        client.update_table(TableName=request.id, BillingMode=request["billingMode"])
    if request.changed("ttl"):
        client.update_time_to_live(TableName=request.id, TimeToLiveSpecification=pascal(request["ttl"]))
    arn = str(request.outputs["arn"])
    retag(
        request,
        lambda new: client.tag_resource(ResourceArn=arn, Tags=pairs(new)),
        lambda gone: client.untag_resource(ResourceArn=arn, TagKeys=gone),
    )
    return {}


@table.deletes
def delete_table(request: Request) -> None:
    request.cloud.client("dynamodb").delete_table(TableName=request.id)


@table.counts
def decisions_in(request: Request) -> str:
    count = request.cloud.client("dynamodb").scan(TableName=request.id, Select="COUNT")["Count"]
    return counted(count, "decision") if count else ""
