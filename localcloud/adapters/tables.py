"""DynamoDB: the decisions table."""

from __future__ import annotations

from typing import Any

from localcloud.engine import Created, Request, adapter, pascal, tag_list


@adapter(
    "aws:dynamodb/table:Table",
    takes=("name", "billingMode", "hashKey", "rangeKey", "attributes", "ttl", "tags"),
    ignores={
        "serverSideEncryption": "emulated tables are not encrypted",
        "pointInTimeRecovery": "nothing here outlives `down`",
        "deletionProtectionEnabled": "nothing here outlives `down`",
    },
)
def table(request: Request) -> Created:
    name = request.get("name", request.auto_name)
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
